"""Redis (or Valkey), typed and with little patience: 250 ms and the answer is `CacheUnavailable`.

The 250 ms are those of one call with all that belongs to it: waiting for a connection, opening it, asking. While Redis
is away a breaker lets one attempt a second through; every other call fails at once, so that an outage costs one slow
attempt a second and not one per request. What to do without the cache is up to the caller (decision 19).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

log = logging.getLogger(__name__)

T = TypeVar("T")
Value = bytes | str | int

OPERATION_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 1.0
# A timer that comes later than this says that the event loop was held up.
_LATE_SECONDS: Final = 0.02
# What the client waits for at most by itself; `_budget` ends a call long before.
_BACKSTOP_SECONDS: Final = 1.0
MAX_CONNECTIONS: Final = 32


class CacheUnavailable(Exception):
    """Redis did not answer in time, refused, or is not configured. Whether the call had its effect is unknown."""


class Script:
    """A Lua script, sent by its digest once the server knows it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Cache:
    """One connection pool, opened at first use, for one event loop. Without `url` every call raises `CacheUnavailable`.

    `url`: `redis://`, `rediss://` (TLS) or `unix://`, with or without the password.
    """

    def __init__(
        self, url: str | None, *, password: str | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._password = password
        self._now = now
        self._client: Redis | None = None
        self._closed_until = 0.0
        self._failing = False
        self.failures = 0

    async def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""
        return cast("bytes | None", await self._call(lambda redis: redis.get(key)))

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys in their order, None where there is none."""
        return cast("list[bytes | None]", await self._call(lambda redis: redis.mget(keys))) if keys else []

    async def set(self, key: str, value: Value, *, ttl: float, only_new: bool = False) -> bool:
        """Keeps a value for `ttl` seconds. With `only_new` an existing one stays, and the answer is False."""
        milliseconds = max(1, round(ttl * 1000))
        return bool(await self._call(lambda redis: redis.set(key, value, px=milliseconds, nx=only_new)))

    async def delete(self, *keys: str) -> int:
        """Forgets keys; says how many there were."""
        return int(await self._call(lambda redis: redis.delete(*keys))) if keys else 0

    async def incr(self, key: str, *, ttl: float, by: int = 1) -> int:
        """Adds to a counter, whose life of `ttl` seconds begins with its first addition; answers the sum."""
        return int(await self.eval(_INCREMENT, [key], [by, max(1, round(ttl * 1000))]))

    async def eval(self, script: Script, keys: Sequence[str], args: Sequence[Value] = ()) -> Any:
        """Runs a script, atomic on the server; answers what it returns."""

        async def run(redis: Redis) -> Any:
            try:
                return await redis.evalsha(script.digest, len(keys), *keys, *args)
            except NoScriptError:
                return await redis.eval(script.text, len(keys), *keys, *args)

        return await self._call(run)

    async def ping(self) -> None:
        """Returns when Redis answers. Raises `CacheUnavailable`."""
        await self._call(lambda redis: redis.ping())

    async def close(self) -> None:
        """Closes the connections; a later call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the failures in the metrics."""
        telemetry.watch(
            "hph_cache_failures", "Calls of the cache that failed or were not tried.", lambda: self.failures
        )

    async def _call(self, operation: Callable[[Redis], Awaitable[T]]) -> T:
        if self._url is None:
            raise CacheUnavailable("REDIS_URL is not set")
        now = self._now()
        if now < self._closed_until:
            self.failures += 1
            raise CacheUnavailable("Redis is away")
        if self._failing:
            # This call is the one attempt of this second; the others shall not wait with it.
            self._closed_until = now + RETRY_SECONDS
        try:
            async with _budget(OPERATION_SECONDS):
                result = await _cancellable(operation(self._connected()))
        except ResponseError as error:
            # Redis is there and says no (wrong type, out of memory): no reason to stop asking.
            self.failures += 1
            raise CacheUnavailable(str(error)) from error
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._failed(error)
            raise CacheUnavailable(f"{type(error).__name__}: {error}") from error
        if self._failing:
            self._failing = False
            self._closed_until = 0.0
            log.warning("cache is back")
        return result

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self._closed_until = self._now() + RETRY_SECONDS
        if not self._failing:
            self._failing = True
            log.warning("cache is away", extra={"reason": type(error).__name__})

    def _connected(self) -> Redis:
        if self._client is None:
            assert self._url is not None  # noqa: S101 - `_call` has looked
            pool = BlockingConnectionPool.from_url(
                self._url,
                **({"password": self._password} if self._password else {}),
                max_connections=MAX_CONNECTIONS,
                timeout=_BACKSTOP_SECONDS,
                socket_connect_timeout=_BACKSTOP_SECONDS,
                socket_timeout=_BACKSTOP_SECONDS,
                retry=Retry(NoBackoff(), 0),
                driver_info=None,
                protocol=2,
            )
            self._client = Redis.from_pool(pool)
        return self._client


@asynccontextmanager
async def _budget(seconds: float) -> AsyncIterator[None]:
    """`asyncio.timeout`, in which time does not count that the event loop itself was late by: Redis is not slow then.

    Raises `TimeoutError`. What has arrived meanwhile is taken before the time is called over.
    """
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds

    def over() -> None:
        limit.reschedule(loop.time())

    def look() -> None:
        if loop.time() - due > _LATE_SECONDS:
            timers.append(loop.call_later(seconds, over))
        else:
            over()

    async with asyncio.timeout(None) as limit:
        timers = [loop.call_at(due, look)]
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()


async def _cancellable(call: Awaitable[T]) -> T:
    """Awaits a call. The client loses some cancellations (redis-py 8.1); then the task would go on for ever."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        return await call
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError


_INCREMENT: Final = Script(
    """
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum
"""
)
