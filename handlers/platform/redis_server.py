"""One Redis (or Valkey) server: its connections, and the second of rest after each failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from handlers.platform.redis_identity import RedisIdentity

log = logging.getLogger(__name__)

T = TypeVar("T")
Value = bytes | str | int

OPERATION_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 1.0
MAX_CONNECTIONS: Final = 32
# A timer that comes later than this says that the event loop was held up.
_LATE_SECONDS: Final = 0.02
# What the client waits for at most by itself; `budget` ends a call long before.
_BACKSTOP_SECONDS: Final = 1.0


class NotAsked(Exception):
    """The server failed less than a second ago, or somebody is trying it just now: this call was not sent."""


class Command(NamedTuple):
    """What is sent; and what is sent instead when the server does not know the script."""

    parts: tuple[Value, ...]
    whole: tuple[Value, ...] | None = None


class Breaker:
    """Lets one attempt a second through while there are failures; every other one fails at once."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        self._closed_until = 0.0
        self._failing = False

    def admit(self) -> None:
        """Returns when a call may be tried. Raises `NotAsked`."""
        now = self._now()
        if now < self._closed_until:
            raise NotAsked
        if self._failing:
            # This call is the one attempt of this second; the others shall not wait with it.
            self._closed_until = now + RETRY_SECONDS

    def failed(self, error: Exception) -> None:
        """Begins a second of rest."""
        self._closed_until = self._now() + RETRY_SECONDS
        if not self._failing:
            self._failing = True
            log.warning("cache is away", extra={"server": self._name, "reason": type(error).__name__})

    def succeeded(self) -> None:
        """Ends the rest: the server is there."""
        if self._failing:
            self._failing = False
            self._closed_until = 0.0
            log.warning("cache is back", extra={"server": self._name})


class Server:
    """A server and its connections, which are opened at first use, for one event loop.

    `options`: what redis-py reads from an address (`parse_url`), with `host` and `port` or `path`. With an `identity`
    connections log in by its token, and anew before they are used when there is a newer one.
    """

    def __init__(
        self, options: Mapping[str, Any], *, now: Callable[[], float], identity: RedisIdentity | None = None
    ) -> None:
        self.host: str = options.get("host", "")
        self.port: int = options.get("port", 6379)
        self._options = options
        self._identity = identity
        self._client: Redis | None = None
        self._breaker = Breaker(f"{self.host}:{self.port}" if self.host else "unix", now)

    async def ask(self, command: Command, *, seconds: float = OPERATION_SECONDS, asking: bool = False) -> Any:
        """The server's answer within `seconds`. `asking`: about a slot that is on its way to this server.

        Raises `NotAsked`, `ResponseError` (the server is there and says no), another `RedisError` or `OSError`.
        """
        self._breaker.admit()
        try:
            async with budget(seconds):
                result = await _cancellable(self._send(command, asking))
        except ResponseError:
            # Wrong type, out of memory, somebody else's slot: no reason to stop asking.
            self._breaker.succeeded()
            raise
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._breaker.failed(error)
            raise
        self._breaker.succeeded()
        return result

    async def close(self) -> None:
        """Closes the connections; a later call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, command: Command, asking: bool) -> Any:
        send = self._send_asking if asking else self._connected().execute_command
        try:
            return await send(*command.parts)
        except NoScriptError:
            if command.whole is None:
                raise
            return await send(*command.whole)

    async def _send_asking(self, *parts: Value) -> Any:
        """`ASKING` is good for the next command of its connection only: both go together, on one."""
        both = self._connected().pipeline(transaction=False)
        both.execute_command("ASKING")
        both.execute_command(*parts)
        # With `raise_on_error` the command, and with it keys and values, would be in the error's text.
        result = (await both.execute(raise_on_error=False))[-1]
        if isinstance(result, Exception):
            raise result
        return result

    def _connected(self) -> Redis:
        if self._client is None:
            self._client = Redis.from_pool(
                _Pool(
                    self._identity,
                    **self._options,
                    max_connections=MAX_CONNECTIONS,
                    timeout=_BACKSTOP_SECONDS,
                    socket_connect_timeout=_BACKSTOP_SECONDS,
                    socket_timeout=_BACKSTOP_SECONDS,
                    retry=Retry(NoBackoff(), 0),
                    driver_info=None,
                    protocol=2,
                )
            )
        return self._client


class _Pool(BlockingConnectionPool):
    """Connections that have logged in by the newest token when they are handed out.

    redis-py's own way (`StreamingCredentialProvider`) sends AUTH on idle connections behind the pool's back, which a
    call may take meanwhile; here a connection belongs to the call that renews its login.
    """

    def __init__(self, identity: RedisIdentity | None, **options: Any) -> None:
        if identity is not None:
            options |= {"credential_provider": identity, "redis_connect_func": identity.log_in}
        super().__init__(**options)
        self._identity = identity

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Connects where needed, and renews the login where there is a newer token."""
        try:
            await super().ensure_connection(connection)
            if self._identity is not None:
                await self._identity.renew(connection)
        except BaseException:
            # A caller that gave up during the login would leave a connection that counts as ready (redis-py 8.1).
            await connection.disconnect(nowait=True)
            raise


@asynccontextmanager
async def budget(seconds: float) -> AsyncIterator[None]:
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
