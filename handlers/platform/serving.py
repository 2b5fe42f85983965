"""uvicorn as every process of ours runs it."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.connections import Connections
from handlers.platform.http_protocol import HttpProtocol
from handlers.platform.stopping import Stopping

GRACE_SECONDS: Final = 20
FAILED: Final = 3


# What a process opens besides its connections: files, the connections to its partners.
OTHER_FILES: Final = 512
_TICK_SECONDS: Final = 0.1


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stopping: Stopping | None = None,
    connections: Connections | None = None,
    *,
    drain_seconds: float = 0.0,
) -> None:
    """Serves the application until the process is told to stop. Raises `SystemExit` when it does not start.

    `stopping` is told first: the process is not ready any more, and what would go on for long ends. Then everything is
    answered as before for `drain_seconds`, but each connection closed behind its response, for whoever sends requests
    here learns late that it should not (Kubernetes: the endpoints of a Service). Only then is nobody let in any more.
    """
    connections = Connections() if connections is None else connections
    _raise_file_limit(connections.bounds.in_all + OTHER_FILES)
    config = server_config(app, connections, host=host, port=port, loop="uvloop", lifespan="on")
    server = _Server(config, stopping or Stopping(), connections, drain_seconds)
    server.run()
    if not server.started:
        raise SystemExit(FAILED)


def server_config(app: ASGIApp, connections: Connections, **more: Any) -> uvicorn.Config:
    """How uvicorn runs an application of ours; `more` are further arguments of its `Config`."""
    options: dict[str, Any] = {"timeout_graceful_shutdown": GRACE_SECONDS, **more}
    load = connections.load

    async def started(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            load.start()
        await app(scope, receive, send)

    return uvicorn.Config(
        started,
        http=partial(HttpProtocol, connections),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        access_log=False,
        server_header=False,
        log_config=None,
        proxy_headers=False,
        **options,
    )


def _raise_file_limit(files: int) -> None:
    """Lets the process open so many files, as far as the system does: each connection is one (getrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, stopping: Stopping, connections: Connections, drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._connections = connections
        self._drain_seconds = drain_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A stop that was asked for is no failure.

        uvicorn would end the process by the same signal once more: no exit code 0, and the end of the log unwritten.
        """
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the application, then listens."""
        with _settled():
            await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tells what goes on for long, drains, then waits for the answers under way. A second signal cuts it short."""
        self._stopping.begin()
        self._connections.draining = True
        end = time.monotonic() + self._drain_seconds
        while time.monotonic() < end and not self.force_exit:  # noqa: ASYNC110 - uvicorn sets a flag, nothing to wait for
            await asyncio.sleep(_TICK_SECONDS)
        await super().shutdown(sockets)


@contextmanager
def _settled() -> Iterator[None]:
    """What a start makes stays for the life of the process: the garbage collector need not look at it again and again.

    With 100,000 products in the index a full collection stopped everything for 0.2 s, and took a third of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
