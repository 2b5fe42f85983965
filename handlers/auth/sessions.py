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
if presented == generation then
  redis.call('HSET', KEYS[1], 'generation', generation + 1, 'rotated_at', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'rotated', tostring(generation + 1), ARGV[2], known[3], known[4], known[5] or known[2]}
end
if presented == generation - 1 and now - rotated_at <= tonumber(ARGV[4]) then
  return {'rotated', known[1], known[2], known[3], known[4], known[5] or known[2]}
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
    """A family's member: who it belongs to, when that person signed in (seconds since 1970), what the client keeps."""

    family: str
    user_id: str
    version: int
    started_at: int
    text: str


class Sessions:
    """The refresh families. Every method raises `Problem` 503 while Redis is away: fail closed (decision 19)."""

    def __init__(self, cache: Cache, key: bytes, lifetime: timedelta) -> None:
        self._cache = cache
        self._key = key
        self.lifetime = lifetime

    @classmethod
    def of(cls, services: Services) -> Sessions:
        """The families of a process."""
        settings = services.settings
        return cls(services.cache, settings.derived_key("refresh"), timedelta(days=settings.jwt_refresh_expiry_days))

    async def begin(self, user_id: str, version: int, now: datetime) -> RefreshToken:
        """The first member of a new family."""
        family = secrets.token_urlsafe(16)
        started = _milliseconds(now)
        await self._eval(_BEGIN, family, [started, user_id, version, self._milliseconds_to_live])
        return RefreshToken(family, user_id, version, started // 1000, self._text(family, 0, started))

    async def rotate(self, token: str, now: datetime) -> RefreshToken:
        """The successor of a token; the same one again within `GRACE`.

        Raises `Problem` 401: `token_invalid` for a token or family we do not know, and `token_expired`. Raises
        `RefreshReused`, which has ended the family.
        """
        family, generation, end = self._parsed(token)
        if end <= now.timestamp():
            raise unauthorized("The refresh token is too old", rule="token_expired")
        grace = round(GRACE.total_seconds() * 1000)
        arguments = [generation, _milliseconds(now), self._milliseconds_to_live, grace]
        outcome, *known = await self._eval(_ROTATE, family, arguments)
        if outcome == b"unknown":
            raise _invalid()
        if outcome == b"reused":
            raise RefreshReused(family, known[0].decode())
        current, rotated_at, user_id, version, started = known
        text = self._text(family, int(current), int(rotated_at))
        return RefreshToken(family, user_id.decode(), int(version), int(started) // 1000, text)

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

    def _text(self, family: str, generation: int, rotated_at: int) -> str:
        end = (rotated_at + self._milliseconds_to_live) // 1000
        body = f"{family}.{generation}.{end}"
        return f"rt-{body}.{self._mac(body)}"

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
