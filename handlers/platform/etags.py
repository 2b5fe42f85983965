"""`If-Match` (RFC 9110, 13.1.1): the version of a document that a caller's write is based on."""

from __future__ import annotations

from handlers.platform.errors import precondition_failed


def expected(if_match: str | None) -> str | None:
    """The etag that the document must still have; None when any will do (no header, or `*`).

    Raises `Problem` 412 for what can equal no version of ours: weak tags, several, or no tag at all.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip()
    if len(tag) < 3 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        raise precondition_failed()
    return tag[1:-1]


def check(if_match: str | None, etag: str) -> None:
    """Raises `Problem` 412 when the caller's write is based on another version than `etag`."""
    wanted = expected(if_match)
    if wanted is not None and wanted != etag:
        raise precondition_failed()
