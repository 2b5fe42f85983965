"""The stand-in over HTTP, for applications in processes of their own: `python -m infra.local.cosmos`.

`PUT /stand-in/faults` takes a list of faults (fields of `faults.Fault`), `DELETE` ends them; `PUT /stand-in/split`
takes `{"database", "container", "range"}` and splits a range, `PUT /stand-in/merge` takes `{"database", "container",
"ranges"}` and merges two neighbours; `PUT /stand-in/pace` takes `{"latency", "write", "lag"}` in seconds (`pace.Pace`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.faults import AnswerLost, Fault
from infra.local.cosmos.server import Server
from infra.local.cosmos.wire import Request

MAX_BODY = 8 * 1024 * 1024


def application(server: Server) -> web.Application:
    """The web application around a server."""

    async def serve(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.raw_path, headers, await request.read())
        try:
            response = await server.handle(asked)
        except AnswerLost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def faults(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            server.faults.clear()
        else:
            for fault in await request.json():
                server.faults.add(Fault(**fault))
        return web.json_response({"happened": server.faults.happened, "requests": server.requests})

    async def split(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        server.collection(asked["database"], asked["container"]).split(asked["range"])
        return web.json_response({})

    async def merge(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        low, high = asked["ranges"]
        server.collection(asked["database"], asked["container"]).merge(low, high)
        return web.json_response({})

    async def pace(request: web.Request) -> web.StreamResponse:
        for name, seconds in (await request.json()).items():
            if name not in {"latency", "write", "lag"}:
                raise web.HTTPBadRequest(text=f"no such pace: {name}")
            setattr(server.pace, name, float(seconds))
        return web.json_response({"conflicts": server.pace.conflicts})

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_route("*", "/stand-in/faults", faults)
    app.router.add_put("/stand-in/split", split)
    app.router.add_put("/stand-in/merge", merge)
    app.router.add_put("/stand-in/pace", pace)
    app.router.add_route("*", "/{path:.*}", serve)
    return app


@asynccontextmanager
async def serving(*, partitions: int = 1, port: int = 0, key: str = WELL_KNOWN_KEY) -> AsyncIterator[Server]:
    """A server on loopback for the time of a block; `Server.url` says where."""
    server = Server("", time.time, partitions=partitions, key=key)
    runner = web.AppRunner(application(server), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.cosmos", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--partitions", type=int, default=1, help="ranges of a new container")
    options = parser.parse_args()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    async with serving(partitions=options.partitions, port=options.port) as server:
        print(f"stand-in for Azure Cosmos DB (a test double): COSMOS_ACCOUNT_URI={server.url}", flush=True)
        await stopped.wait()
