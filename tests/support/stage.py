"""A small HTTP server that plays every agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web

from handlers.contract.services import Services
from handlers.partners.agents import Agents, agents

Json = dict[str, Any]


class Stage:
    """Plays every agent: notes what it is asked, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.answer: Callable[[], Any] = dict
        self.status = 200
        self.delay = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        """One question to one agent."""
        self.asked.append((request.path, orjson.loads(await request.read())))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, body=orjson.dumps(self.answer()))


@asynccontextmanager
async def on_stage(services: Services, stage: Stage) -> AsyncIterator[Agents]:
    """Lets the application ask the agents on the stage."""
    application = web.Application()
    application.router.add_post("/{path:.*}", stage.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    asked = Agents(f"http://127.0.0.1:{port}/{{service-name}}", services.cache)
    rooms = services._rooms
    before = services.room(agents)
    rooms[agents] = asked
    try:
        yield asked
    finally:
        rooms[agents] = before
        await asked.close()
        await runner.cleanup()
