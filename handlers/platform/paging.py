"""Page numbers: how many items lie before a page, within what is answered at all (decision 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from handlers.platform.cursors import Cursors
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


class Asked(Protocol):
    """What the parameters of a list say."""

    page: int
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a list that is read whole. `next_cursor`: None when the page is the last."""

    items: Sequence[Mapping[str, Any]]
    page: int
    total: int
    next_cursor: str | None


def part_of(entries: Sequence[Mapping[str, Any]], asked: Asked, cursors: Cursors, scope: str) -> Part:
    """The page asked for of a short list, such as what one user keeps. `scope` names the list and whose it is.

    Raises `Problem` 400 for a cursor of another list, and beyond 10,000.
    """
    number, start = asked.page, items_before(asked.page, asked.limit)
    if asked.cursor is not None:
        number, start = (int(part) for part in cursors.open(asked.cursor, scope))
    end = start + asked.limit
    following = cursors.seal((number + 1, end), scope) if end < len(entries) else None
    return Part(entries[start:end], number, len(entries), following)
