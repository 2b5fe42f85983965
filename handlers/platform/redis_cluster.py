"""A Redis cluster: which server has a slot, and the way there when slots or servers change.

Not redis-py's `RedisCluster` (8.1), which sends `ASKING` and the command on two connections of its pool, so that calls
about a slot on its way fail; closes the connections of all servers when one fails or a caller gives up; sleeps
for the whole budget at CLUSTERDOWN; and fails instead of waiting when its connections are in use.

Each server has a breaker of its own: while one is away, keys of the others are served. Source of the rules: Redis
cluster specification, "MOVED Redirection", "ASK redirection", "Multi-keys operations".
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.connection import SSLConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ClusterError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from handlers.platform.redis_server import OPERATION_SECONDS, RETRY_SECONDS, Command, NotAsked, Server, budget

if TYPE_CHECKING:
    from handlers.platform.redis_identity import RedisIdentity

log = logging.getLogger(__name__)

# Redirections and repetitions of one call. TRYAGAIN, half of the keys being on their way, waits before it is repeated.
_MOST_STEPS: Final = 16
_PAUSE_SECONDS: Final = 0.02
# CLUSTER SLOTS is what every server since 3.0 knows; CLUSTER SHARDS needs 7.0 and Azure Cache for Redis is at 6.
_SLOTS: Final = Command(("CLUSTER", "SLOTS"))
_PING: Final = Command(("PING",))

Address = tuple[str, int]


def slot_of(keys: Sequence[str]) -> int:
    """The slot that has all the keys; one of chance for none. Raises `ValueError` when they are in several.

    A mistake in the program, for no server could answer: keys of one command share a {hash tag}.
    """
    if not keys:
        return random.randrange(REDIS_CLUSTER_HASH_SLOTS)  # noqa: S311 - spreads load, keeps no secret
    slots = {key_slot(key.encode()) for key in keys}
    if len(slots) > 1:
        raise ValueError("keys of one command are in several slots: they need one {hash tag}")
    return slots.pop()


class Cluster:
    """The servers of a cluster, found through the one at `options`, for one event loop."""

    def __init__(
        self, options: Mapping[str, Any], *, now: Callable[[], float], identity: RedisIdentity | None = None
    ) -> None:
        self._options = options
        self._now = now
        self._identity = identity
        self._seed = Server(options, now=now, identity=identity)
        self._servers: dict[Address, Server] = {}
        self._owners: list[Server | None] = []  # by slot; empty until it is known
        self._learning: asyncio.Task[None] | None = None
        self._learn_again_at = 0.0
        self._unknown_because: Exception | None = None

    async def ask(self, command: Command, keys: Sequence[str]) -> Any:
        """The answer of the server that has the keys, wherever it is, within `OPERATION_SECONDS`.

        Raises `NotAsked`, `RedisError` or `OSError`.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + OPERATION_SECONDS
        server, asking = await self._owner(slot_of(keys)), False
        for _ in range(_MOST_STEPS):
            try:
                return await server.ask(command, seconds=max(0.0, end - loop.time()), asking=asking)
            except TryAgainError:
                await asyncio.sleep(_PAUSE_SECONDS)
            except MovedError as error:
                server, asking = self._moved(error, server), False
            except AskError as error:
                server, asking = self._server((error.host or server.host, int(error.port))), True
            except ClusterDownError:
                self._learn_soon()
                raise
            except ResponseError:
                raise
            except (RedisError, OSError, NotAsked):
                # Its slots may have gone to a replica by now.
                self._learn_soon()
                raise
        raise ClusterError("the servers of the cluster send this call to each other")

    async def ping(self) -> None:
        """Returns when every server that has slots answers, and every slot has one. Raises as `ask`."""
        await self._owner(0)
        if None in self._owners:
            self._learn_soon()
            raise ClusterDownError("some slots have no server")
        for server in {id(each): each for each in self._owners if each is not None}.values():
            try:
                await server.ask(_PING)
            except (RedisError, OSError, NotAsked):
                self._learn_soon()
                raise

    async def close(self) -> None:
        """Closes the connections; a later call opens them again."""
        learning, self._learning = self._learning, None
        if learning is not None:
            learning.cancel()
            with suppress(asyncio.CancelledError):
                await learning
        for server in (self._seed, *self._servers.values()):
            await server.close()

    async def _owner(self, slot: int) -> Server:
        if not self._owners:
            await self._learned()
        server = self._owners[slot]
        if server is None:
            self._learn_soon()
            raise ClusterDownError("no server has this slot")
        return server

    def _moved(self, error: MovedError, asked: Server) -> Server:
        """The slot's new owner, noted; that there may be more to learn is seen to behind."""
        server = self._server((error.host or asked.host, int(error.port)))
        self._owners[int(error.slot_id)] = server
        self._learn_soon()
        return server

    async def _learned(self) -> None:
        """Waits until owners are known, within the budget. While that fails one call a second tries."""
        if self._learning is None:
            if self._now() < self._learn_again_at:
                raise NotAsked
            self._learning = asyncio.create_task(self._learn(), name="redis cluster slots")
        elif self._unknown_because is not None:
            raise NotAsked
        async with budget(OPERATION_SECONDS):
            await asyncio.shield(self._learning)
        if not self._owners:
            raise self._unknown_because or NotAsked

    def _learn_soon(self) -> None:
        """Has the owners asked for anew, at most once a second; nobody waits for it."""
        if self._learning is None and self._now() >= self._learn_again_at:
            self._learning = asyncio.create_task(self._learn(), name="redis cluster slots")

    async def _learn(self) -> None:
        self._learn_again_at = self._now() + RETRY_SECONDS
        known = list(self._servers.values())
        random.shuffle(known)
        try:
            for server in (*known, self._seed):
                try:
                    await self._take(await server.ask(_SLOTS), server)
                except (RedisError, OSError, NotAsked) as error:
                    self._unknown_because = error
                    log.warning("cluster not known", extra={"reason": type(error).__name__})
                else:
                    self._unknown_because = None
                    return
        finally:
            self._learn_again_at = self._now() + RETRY_SECONDS
            self._learning = None

    async def _take(self, ranges: Sequence[Any], teller: Server) -> None:
        """Notes the owners. A range is [first slot, last slot, [host, port, ...] of the owner, replicas...]."""
        owners: list[Server | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, owner, *_ in ranges:
            host = (owner[0] or b"").decode() or teller.host  # nothing: the host that was asked
            if host == "?":  # the server itself does not know the name
                continue
            server = self._server((host, int(owner[1])))
            owners[int(first) : int(last) + 1] = [server] * (int(last) - int(first) + 1)
        if not any(owners):
            raise ClusterDownError("no slot has a server")
        self._owners = owners
        used = {id(server) for server in owners}
        for address in [address for address, server in self._servers.items() if id(server) not in used]:
            await self._servers.pop(address).close()

    def _server(self, address: Address) -> Server:
        server = self._servers.get(address)
        if server is None:
            options = _options_of(address, self._options)
            server = self._servers[address] = Server(options, now=self._now, identity=self._identity)
        return server


def _options_of(address: Address, options: Mapping[str, Any]) -> dict[str, Any]:
    """How to reach a server that the cluster has told of, with the login and TLS of the address in the settings."""
    host, port = address
    found: dict[str, Any] = {**options, "host": host, "port": port}
    if options.get("connection_class") is SSLConnection and _is_ip(host) and not _is_ip(options["host"]):
        found |= {"connection_class": _NamedSSLConnection, "server_name": options["host"]}
    return found


class _NamedSSLConnection(SSLConnection):
    """TLS to a server told by its IP address, as Azure does: its certificate must be good for the name that is known.

    The remedy that is often given, `ssl_check_hostname=False`, would take any certificate of any host.
    """

    def __init__(self, *, server_name: str, **options: Any) -> None:
        super().__init__(**options)
        self._server_name = server_name

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "server_hostname": self._server_name}


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
