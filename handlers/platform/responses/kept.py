"""What an operation may have kept, and what is kept of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

Header = tuple[bytes, bytes]
# What `X-Cache` says: from memory; made now; from memory although its time is over, a new one is being made.
State = Literal["HIT", "MISS", "STALE"]

# An answer whose time is over still serves for as long again, while a new one is made.
STALE_FACTOR: Final = 2


@dataclass(frozen=True, slots=True)
class CacheRule:
    """`x-cache` of an operation with `server`: `seconds` an answer is fresh, and the data it is made `of`.

    `shared` answers are also kept in Redis. `private` ones belong to one principal and are kept for each.
    """

    seconds: int
    of: tuple[str, ...] = ()
    shared: bool = True
    private: bool = False


class Made(NamedTuple):
    """An answer just made. `changes_at`: when it is wrong by the clock alone (seconds since 1970), if that is known."""

    content: bytes
    headers: tuple[Header, ...] = ()
    changes_at: float | None = None


class Kept(NamedTuple):
    """An answer as it is kept. Moments in seconds since 1970; from `until` on it is stale, from `gone` on no more."""

    content: bytes
    headers: tuple[Header, ...]
    made: float
    until: float
    gone: float


def kept(made: Made, rule: CacheRule, now: float) -> Kept:
    """What is kept of an answer that making began at `now`."""
    until, gone = now + rule.seconds, now + rule.seconds * STALE_FACTOR
    if made.changes_at is not None:
        until, gone = min(until, made.changes_at), min(gone, made.changes_at)
    return Kept(made.content, made.headers, now, until, gone)


def size_of(answer: Kept) -> int:
    """Its bytes, with something for the objects around them."""
    return len(answer.content) + 500
