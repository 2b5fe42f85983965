"""The session tokens of what a request has written: collected while it runs, by container.

Session consistency holds within one process, for its client keeps the token of the last write it has seen. Another
process may read from a replica that is behind, until it has that token too (Microsoft: "Use session tokens").
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

# Container to tokens by range, `range:version#lsn`, joined by commas.
Seen = dict[str, str]

_MOST_RANGES: Final = 4  # of a container
_seen: ContextVar[Seen | None] = ContextVar("session_tokens", default=None)


def begin() -> Seen:
    """Starts collecting for this request: for the current task and those it starts. Answers what is filled."""
    seen: Seen = {}
    _seen.set(seen)
    return seen


def wrote(container: str, token: str | None) -> None:
    """After a write; outside of a request, nothing."""
    seen = _seen.get()
    if seen is not None and token:
        add(seen, container, token)


def add(seen: Seen, container: str, tokens: str) -> None:
    """Adds tokens: of each range the last, of each container the last few ranges."""
    ranges: dict[str, str] = {}
    for token in (*filter(None, seen.get(container, "").split(",")), *tokens.split(",")):
        range_id = token.partition(":")[0]
        ranges.pop(range_id, None)
        ranges[range_id] = token
    seen[container] = ",".join([*ranges.values()][-_MOST_RANGES:])
