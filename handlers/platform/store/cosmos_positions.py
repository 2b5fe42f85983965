"""Positions in a change feed, cut to ranges of hashed keys: what is kept when the service splits or merges ranges.

A position is a list of parts, each a range and the SDK's continuation for it (None: from its beginning). The SDK reads
on in a continuation whose range was split, and its continuation then holds one token for each child; here those become
parts of their own. So every continuation has one token, and may be cut to any range within: a child goes on where its
parent was, and after a merge the parts stay apart within the new range (facts/cosmos.md; the vendor's change feed
processor hands positions on in the same way).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Final

import orjson

from handlers.platform.store.port import Json, StoreMisuse

Part = tuple[str, str, str | None]

_FORMAT: Final = "v2"  # of azure-cosmos 4.17; another one must not be taken for "from the beginning"


def parts_of(position: str) -> list[Part]:
    """The parts of a position, each with one token."""
    return [one for low, high, continuation in orjson.loads(position) for one in divided((low, high, continuation))]


def position_of(parts: Iterable[Part]) -> str:
    """The position as a text to be kept."""
    return orjson.dumps([*parts]).decode()


def divided(part: Part) -> list[Part]:
    """One part for each token of the continuation: more than one after a split."""
    low, high, continuation = part
    if continuation is None:
        return [part]
    state = _decoded(continuation)
    found: list[Part] = []
    for entry in state["continuation"]["continuation"]:
        start, end = max(low, entry["range"]["min"]), min(high, entry["range"]["max"])
        if start < end:
            found.append((start, end, _continuation(state, entry["token"], start, end)))
    return sorted(found, key=lambda one: one[0])


def cut(parts: Iterable[Part], low: str, high: str) -> list[Part]:
    """The parts within a range; what none of them covers is read from its beginning."""
    found: list[Part] = []
    covered = low
    for start, end, continuation in sorted(parts, key=lambda part: (part[0], part[1])):
        start, end = max(low, start), min(high, end)  # noqa: PLW2901 - cut to the range
        if start >= end:
            continue
        if covered < start:
            found.append((covered, start, None))
        found.append((start, end, _within(continuation, start, end)))
        covered = max(covered, end)
    if covered < high:
        found.append((covered, high, None))
    return found


def _within(continuation: str | None, low: str, high: str) -> str | None:
    if continuation is None:
        return None
    state = _decoded(continuation)
    [entry] = state["continuation"]["continuation"]
    return _continuation(state, entry["token"], low, high)


def _continuation(state: Json, token: str | None, low: str, high: str) -> str | None:
    """None when nothing was read yet: the SDK writes a continuation without a token and then refuses to read it."""
    if token is None:
        return None
    bounds = {"min": low, "max": high, "isMinInclusive": True, "isMaxInclusive": False}
    inner = {**state["continuation"], "continuation": [{"token": token, "range": bounds}], "Range": bounds}
    return base64.b64encode(orjson.dumps({**state, "continuation": inner})).decode()


def _decoded(continuation: str) -> Json:
    state: Json = orjson.loads(base64.b64decode(continuation))
    if state.get("v") != _FORMAT or state["continuation"].get("v") != _FORMAT:
        raise StoreMisuse("a continuation of the change feed in a format that is not known")
    return state
