"""Refresh tokens: families in Redis, one valid member each (decisions 17, 19, 20, 57).

A token is `rt-<family>.<generation>.<end>.<mac>`. It is derived, not stored: Redis knows the family's user, its
generation and the moment of its last rotation, so that a copy of Redis opens nothing, garbage never gets there, and
the successor of a token can be told again to a second tab. A family whose user's token version has risen since is over.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.contract.services import Services
from handlers.platform.cache import Cache, CacheUnavailable, Script
from handlers.platform.errors import Problem, unauthorized, unavailable

GRACE: Final = timedelta(seconds=10)
MAX_LENGTH: Final = 256

_ROTATE: Final = Script(
    """
local known = redis.call('HMGET', KEYS[1], 'generation', 'rotated_at', 'user_id', 'version', 'started_at')
if not known[1] then return {'unknown'} end
local presented, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local generation, rotated_at = tonumber(known[1]), tonumber(known[2])
local started_at = known[5] or known[2]
local left = tonumber(started_at) + tonumber(ARGV[5]) - now
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return {'over'}
end
if presented == generation then
  redis.call('HSET', KEYS[1], 'generation', generation + 1, 'rotated_at', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(tonumber(ARGV[3]), left)))
  return {'rotated', tostring(generation + 1), ARGV[2], known[3], known[4], started_at}
end
if presented == generation - 1 and now - rotated_at <= tonumber(ARGV[4]) then
  return {'rotated', known[1], known[2], known[3], known[4], started_at}
end
redis.call('DEL', KEYS[1])
return {'reused', known[3]}
"""
)
_OWNER: Final = Script("return redis.call('HGET', KEYS[1], 'user_id')")
_BEGIN: Final = Script(
    """
redis.call('HSET', KEYS[1], 'generation', 0, 'rotated_at', ARGV[1], 'started_at', ARGV[1],
  'user_id', ARGV[2], 'version', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
)


class RefreshReused(Exception):
    """A refresh token was used again after its successor was: the family is over. Whose it was, and which."""

    def __init__(self, family: str, user_id: str) -> None:
        super().__init__("refresh token reused")
        self.family = family
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A family's member: who it belongs to, when that person signed in and when it ends (both in
    seconds since 1970), what the client keeps.
    """

    family: str
    user_id: str
    version: int
    started_at: int
    expires_at: int
    text: str


class Sessions:
    """The refresh families. Every method raises `Problem` 503 while Redis is away: fail closed (decision 19)."""

    def __init__(self, cache: Cache, key: bytes, lifetime: timedelta, longest: timedelta) -> None:
        self._cache = cache
        self._key = key
        self.lifetime = lifetime
        self.longest = longest

    @classmethod
    def of(cls, services: Services) -> Sessions:
        """The families of a process."""
        settings = services.settings
        lifetime, longest = timedelta(days=settings.jwt_refresh_expiry_days), timedelta(days=settings.session_max_days)
        return cls(services.cache, settings.derived_key("refresh"), lifetime, longest)

    async def begin(self, user_id: str, version: int, now: datetime) -> RefreshToken:
        """The first member of a new family."""
        family = secrets.token_urlsafe(16)
        started = _milliseconds(now)
        lasting = min(self._milliseconds_to_live, round(self.longest.total_seconds() * 1000))
        await self._eval(_BEGIN, family, [started, user_id, version, lasting])
        return self._token(family, user_id, version, generation=0, rotated_at=started, started_at=started)

    async def rotate(self, token: str, now: datetime) -> RefreshToken:
        """The successor of a token; the same one again within `GRACE`.

        Raises `Problem` 401: `token_invalid` for a token or family we do not know, and `token_expired`. Raises
        `RefreshReused`, which has ended the family.
        """
        family, generation, end = self._parsed(token)
        if end <= now.timestamp():
            raise unauthorized("The refresh token is too old", rule="token_expired")
        grace = round(GRACE.total_seconds() * 1000)
        longest = round(self.longest.total_seconds() * 1000)
        arguments = [generation, _milliseconds(now), self._milliseconds_to_live, grace, longest]
        outcome, *known = await self._eval(_ROTATE, family, arguments)
        if outcome == b"unknown":
            raise _invalid()
        if outcome == b"over":
            raise unauthorized("The session has lasted its time: sign in again", rule="token_expired")
        if outcome == b"reused":
            raise RefreshReused(family, known[0].decode())
        current, rotated_at, user_id, version, started = known
        return self._token(
            family,
            user_id.decode(),
            int(version),
            generation=int(current),
            rotated_at=int(rotated_at),
            started_at=int(started),
        )

    def family_of(self, token: str) -> str | None:
        """The family that a token of ours belongs to, alive or not; None for one that we did not make."""
        try:
            return self._parsed(token)[0]
        except Problem:
            return None

    async def owner_of(self, token: str) -> tuple[str, str] | None:
        """The user and the family of a token, whichever of its members this is; None for one we do not know."""
        try:
            family, _, _ = self._parsed(token)
        except Problem:
            return None
        owner = await self._eval(_OWNER, family, [])
        return (owner.decode(), family) if owner else None

    async def end_family(self, family: str) -> None:
        """Ends a family. Its access tokens are `end_session`'s."""
        try:
            await self._cache.delete(_redis_key(family))
        except CacheUnavailable:
            raise unavailable() from None

    @property
    def _milliseconds_to_live(self) -> int:
        return round(self.lifetime.total_seconds() * 1000)

    async def _eval(self, script: Script, family: str, arguments: list[Any]) -> Any:
        try:
            return await self._cache.eval(script, [_redis_key(family)], arguments)
        except CacheUnavailable:
            raise unavailable() from None

    def _token(
        self, family: str, user_id: str, version: int, *, generation: int, rotated_at: int, started_at: int
    ) -> RefreshToken:
        last = started_at + round(self.longest.total_seconds() * 1000)
        end = min(rotated_at + self._milliseconds_to_live, last) // 1000
        body = f"{family}.{generation}.{end}"
        return RefreshToken(family, user_id, version, started_at // 1000, end, f"rt-{body}.{self._mac(body)}")

    def _mac(self, body: str) -> str:
        digest = hmac.new(self._key, b"refresh|" + body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def _parsed(self, token: str) -> tuple[str, int, int]:
        body, dot, mac = token[3:].rpartition(".")
        genuine = (
            token.startswith("rt-")
            and dot == "."
            and token.isascii()
            and len(token) <= MAX_LENGTH
            and hmac.compare_digest(mac, self._mac(body))
        )
        if not genuine:
            raise _invalid()
        family, generation, end = body.rsplit(".", 2)
        return family, int(generation), int(end)


def _invalid() -> Problem:
    return unauthorized("No session belongs to this refresh token", rule="token_invalid")


def _redis_key(family: str) -> str:
    return f"hph:session:{family}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
