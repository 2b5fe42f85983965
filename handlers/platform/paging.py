"""Page numbers: how many items lie before a page, within what is answered at all (decision 6)."""

from __future__ import annotations

from typing import Final

from handlers.platform.errors import fault, invalid

MAX_REACH: Final = 10_000


def items_before(page: int, limit: int, offset: int | None = None) -> int:
    """How many items to pass over. `page` wins over `offset` unless it is 1. Raises `Problem` 400 beyond 10,000."""
    if offset is not None and page == 1:
        if offset + limit > MAX_REACH:
            raise invalid(
                [fault("query", "offset", f"offset + limit is at most {MAX_REACH}; go on with cursor from there")]
            )
        return offset
    if page * limit > MAX_REACH:
        raise invalid([fault("query", "page", f"page × limit is at most {MAX_REACH}; go on with cursor from there")])
    return (page - 1) * limit
