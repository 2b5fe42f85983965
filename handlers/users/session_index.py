"""The signed-in sessions of a user, for its list: device and network as they were seen last, in one hash in Redis.

The families of refresh tokens decide what is alive (`handlers/auth/sessions.py`); this says what they look like.
An entry whose time is over, or that is of an older version of the account, is no session any more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import orjson

from handlers.platform.cache import Cache, Script

MAX_SESSIONS: Final = 100
_MAX_DEVICE: Final = 200

_NOTE: Final = Script(
    """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('HLEN', KEYS[1])
"""
)
_ALL: Final = Script("return redis.call('HGETALL', KEYS[1])")
_REMOVE: Final = Script("return redis.call('HDEL', KEYS[1], unpack(ARGV))")


@dataclass(frozen=True, slots=True)
class Session:
    """One session as its user sees it. Moments in seconds since 1970; `version` is the account's when it began."""

    session_id: str
    version: int
    device: str
    network: str
    started_at: int
    last_used_at: int
    expires_at: int


def device_of(user_agent: str | None) -> str:
    """What a list shows of a `User-Agent`: its printable ASCII, shortened."""
    return "".join(sign for sign in user_agent or "" if " " <= sign <= "~")[:_MAX_DEVICE]


async def note_session(cache: Cache, user_id: str, session: Session) -> list[str]:
    """Notes a session, new or used again; answers the ids of those that are too many, the ones used longest ago.

    Raises `CacheUnavailable`.
    """
    milliseconds = max(1, (session.expires_at - session.last_used_at) * 1000)
    count = await cache.eval(_NOTE, [_key(user_id)], [session.session_id, orjson.dumps(asdict(session)), milliseconds])
    if int(count) <= MAX_SESSIONS:
        return []
    known = await sessions_of(cache, user_id)
    oldest = [one.session_id for one in known[MAX_SESSIONS:]]
    await remove_sessions(cache, user_id, oldest)
    return oldest


async def sessions_of(cache: Cache, user_id: str) -> list[Session]:
    """The sessions noted of a user, the one used last first, those that are over among them."""
    found = await cache.eval(_ALL, [_key(user_id)])
    known = [Session(**orjson.loads(content)) for content in found[1::2]]
    return sorted(known, key=lambda session: (session.last_used_at, session.session_id), reverse=True)


async def remove_sessions(cache: Cache, user_id: str, session_ids: list[str]) -> None:
    """Forgets sessions."""
    if session_ids:
        await cache.eval(_REMOVE, [_key(user_id)], session_ids)


async def forget_sessions(cache: Cache, user_id: str) -> None:
    """Forgets every session of a user."""
    await cache.delete(_key(user_id))


def _key(user_id: str) -> str:
    return f"hph:sessions-of:{user_id}"
