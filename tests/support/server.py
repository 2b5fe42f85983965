"""A real server on loopback, in the test's own event loop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from handlers.platform.connections import Connections
from handlers.platform.edge import Edge
from handlers.platform.serving import server_config


@asynccontextmanager
async def served(app: ASGIApp, connections: Connections | None = None) -> AsyncIterator[str]:
    """Serves an application as production does, on a free port; yields its address."""
    # asyncio switches Nagle off only where a socket says that it is TCP; else every answer waits 40 ms.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    if connections is None:
        connections = Connections(refusal_headers=app.refusal_headers) if isinstance(app, Edge) else Connections()
    config = server_config(app, connections, lifespan="off", timeout_graceful_shutdown=1)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # What `serve` does, without its loop, whose tick of 0.1 s every test would wait for twice.
    await server.startup(sockets=[listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.shutdown(sockets=[listener])
