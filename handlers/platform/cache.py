"""Redis (or Valkey), typed and with little patience: 250 ms and the answer is `CacheUnavailable`.

The 250 ms are those of one call with all that belongs to it: waiting for a connection, opening it, asking, being sent
to another server of a cluster. While a server is away a breaker lets one attempt a second through; every other call
fails at once, so that an outage costs one slow attempt a second and not one per request. What to do without the cache
is up to the caller (decision 19).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError, ResponseError

from handlers.platform.redis_cluster import Cluster
from handlers.platform.redis_server import Command, NotAsked, Server, Value

if TYPE_CHECKING:
    from handlers.platform.redis_identity import RedisIdentity
    from handlers.platform.telemetry import Telemetry

__all__ = ["Cache", "CacheUnavailable", "Script", "Value"]


class CacheUnavailable(Exception):
    """Redis did not answer in time, refused, or is not configured. Whether the call had its effect is unknown."""


class Script:
    """A Lua script, sent by its digest once the server knows it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Cache:
    """One server, or a cluster with `cluster`, for one event loop. Without `url` every call raises `CacheUnavailable`.

    `url`: `redis://`, `rediss://` (TLS) or `unix://`, with or without user name and password; of a cluster any server.
    With an `identity` there is no password. Keys of one script share a {hash tag}: a cluster keeps them in one slot.
    """

    def __init__(
        self,
        url: str | None,
        *,
        username: str | None = None,
        password: str | None = None,
        cluster: bool = False,
        identity: RedisIdentity | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identity = identity
        self._server: Server | None = None
        self._cluster: Cluster | None = None
        self.failures = 0
        if url is None:
            return
        login = {name: text for name, text in (("username", username), ("password", password)) if text}
        options: dict[str, Any] = {**parse_url(url), **(login if identity is None else {})}
        if cluster:
            self._cluster = Cluster(options, now=now, identity=identity)
        else:
            self._server = Server(options, now=now, identity=identity)

    async def get(self, key: str) -> bytes | None:
        """The value of a key, or None."""
        return cast("bytes | None", await self._call([key], Command(("GET", key))))

    async def set(self, key: str, value: Value, *, ttl: float, only_new: bool = False) -> bool:
        """Keeps a value for `ttl` seconds. With `only_new` an existing one stays, and the answer is False."""
        parts = ("SET", key, value, "PX", max(1, round(ttl * 1000)), *(("NX",) if only_new else ()))
        return bool(await self._call([key], Command(parts)))

    async def delete(self, key: str) -> bool:
        """Forgets a key; says whether it was there."""
        return bool(await self._call([key], Command(("DEL", key))))

    async def incr(self, key: str, *, ttl: float, by: int = 1) -> int:
        """Adds to a counter, whose life of `ttl` seconds begins with its first addition; answers the sum."""
        return int(await self.eval(_INCREMENT, [key], [by, max(1, round(ttl * 1000))]))

    async def eval(self, script: Script, keys: Sequence[str], args: Sequence[Value] = ()) -> Any:
        """Runs a script, atomic on the server; answers what it returns."""
        rest = (len(keys), *keys, *args)
        return await self._call(keys, Command(("EVALSHA", script.digest, *rest), ("EVAL", script.text, *rest)))

    async def ping(self) -> None:
        """Returns when Redis answers, of a cluster each server that has slots. Raises `CacheUnavailable`."""
        await self._call([], None)

    async def close(self) -> None:
        """Closes the connections; a later call opens them again, but not with an identity, which is closed too."""
        for each in (self._server, self._cluster, self._identity):
            if each is not None:
                await each.close()

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the failures in the metrics."""
        telemetry.watch(
            "hph_cache_failures", "Calls of the cache that failed or were not tried.", lambda: self.failures
        )

    async def _call(self, keys: Sequence[str], command: Command | None) -> Any:
        """The answer to a command, or to being there without one. Raises `CacheUnavailable`."""
        try:
            if self._server is not None:
                return await self._server.ask(command or _PING)
            if self._cluster is not None:
                return await (self._cluster.ask(command, keys) if command is not None else self._cluster.ping())
        except NotAsked:
            self.failures += 1
            raise CacheUnavailable("Redis is away") from None
        except ResponseError as error:
            self.failures += 1
            raise CacheUnavailable(str(error)) from error
        except (RedisError, OSError) as error:
            self.failures += 1
            raise CacheUnavailable(f"{type(error).__name__}: {error}") from error
        raise CacheUnavailable("REDIS_URL is not set")


_PING: Final = Command(("PING",))
_INCREMENT: Final = Script(
    """
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return sum
"""
)
