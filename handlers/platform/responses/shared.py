"""Answers in Redis, for all processes.

They share the server with refresh tokens, so their room is bounded: every answer has one of `SLOTS` places, found by
its key, and takes it from whoever is there. At most `SLOTS * MOST_BYTES` together (32 MB); most answers are far
smaller.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import orjson

from handlers.platform.cache import Cache, Script
from handlers.platform.ids import new_id
from handlers.platform.responses.generations import PREFIX
from handlers.platform.responses.kept import Kept

SLOTS: Final = 512
MOST_BYTES: Final = 64 * 1024
# So long nobody else makes the same answer; longer than making one takes.
CLAIM_SECONDS: Final = 2.0
_DIGEST: Final = 32
_UNTIL: Final = 13  # digits of a moment in milliseconds
_HEAD: Final = _DIGEST + _UNTIL

# The answer in the slot when it is the one that is looked for; and whether the caller is the one who makes a new one.
_LOOK: Final = Script(
    """
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 32) == ARGV[1] then
  if tonumber(string.sub(value, 33, 45)) > tonumber(ARGV[2]) then return {value, 0} end
else
  value = ''
end
local claimed = redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[4])
return {value, claimed and 1 or 0}
"""
)
_PUT: Final = Script(
    """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""
)
_RELEASE: Final = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")


class Place(NamedTuple):
    """Where an answer is: its slot, the key of the claim to make it, and the digest that tells it from others."""

    slot: str
    claim: str
    digest: bytes


def place(key: bytes, generations: tuple[int, ...]) -> Place:
    """The place of the answer to a request, made from data of these generations."""
    digest = hashlib.sha256(key + repr(generations).encode()).digest()
    slot = int.from_bytes(hashlib.sha256(key).digest()[:4], "big") % SLOTS
    return Place(f"{PREFIX}slot:{slot}", f"{PREFIX}claim:{digest.hex()}", digest)


class SharedAnswers:
    """The answers in Redis. Every method raises `CacheUnavailable`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._name = new_id("process")

    async def look(self, where: Place, now: float) -> tuple[Kept | None, bool]:
        """The answer, fresh or stale; and whether this process has the claim, and has to `put` or `release`."""
        arguments = (where.digest, _milliseconds(now), self._name, _milliseconds(CLAIM_SECONDS))
        value, claimed = await self._cache.eval(_LOOK, [where.slot, where.claim], arguments)
        found = _read(value) if value else None
        return (found if found is not None and found.gone > now else None), bool(claimed)

    async def put(self, where: Place, answer: Kept, now: float) -> None:
        """Keeps an answer, unless it is too large, and gives up the claim."""
        life = _milliseconds(answer.gone - now)
        if len(answer.content) > MOST_BYTES or life <= 0:
            await self.release(where)
            return
        await self._cache.eval(_PUT, [where.slot, where.claim], [self._name, _written(where, answer), life])

    async def release(self, where: Place) -> None:
        """Gives up the claim: somebody else may make the answer."""
        await self._cache.eval(_RELEASE, [where.claim], [self._name])


def _written(where: Place, answer: Kept) -> bytes:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    rest = orjson.dumps([answer.made, answer.until, answer.gone, headers])
    return b"%b%0*d%b\n%b" % (where.digest, _UNTIL, _milliseconds(answer.until), rest, answer.content)


def _read(value: bytes) -> Kept:
    rest, _, content = value[_HEAD:].partition(b"\n")
    made, until, gone, headers = orjson.loads(rest)
    pairs = tuple((name.encode("latin-1"), text.encode("latin-1")) for name, text in headers)
    return Kept(content, pairs, made, until, gone)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
