"""The real application in the test's own process: real store, real Valkey, every answer checked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from handlers.app import build_services, create_app
from handlers.contract.services import Services
from handlers.orders.watchdog import event_lag
from handlers.platform.logs import LineWriter
from handlers.settings import Settings, load_settings

ORIGIN = "http://localhost:3000"


class MovableClock:
    """The real time, moved by as much as a test says."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        """The moved moment, in UTC."""
        return datetime.now(UTC) + self.shift

    def advance(self, **by: float) -> None:
        """Moves on, such as `advance(minutes=16)`."""
        self.shift += timedelta(**by)


@dataclass(slots=True)
class RunningApp:
    """An application between start and stop."""

    app: ASGIApp
    services: Services
    client: httpx.AsyncClient
    clock: MovableClock

    def new_client(self, **options: Any) -> httpx.AsyncClient:
        """Another caller, with cookies of its own."""
        return client_of(self.app, **options)


def time_passes(running: RunningApp, **by: float) -> None:
    """Moves the clock on, as if the event side had been looked at all the while and had kept up."""
    running.clock.advance(**by)
    running.services.room(event_lag).measured_at = running.clock.now()


def client_of(app: ASGIApp, **options: Any) -> httpx.AsyncClient:
    """A client that calls an application in this process."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", **options)


def settings_for(data_dir: Path, redis_url: str | None, **more: str) -> Settings:
    """Settings as a test machine has them; `more` are further environment variables."""
    environ = {
        "ENV": "test",
        "DATA_DIR": str(data_dir),
        "CHECK_ANSWERS": "true",
        "RATE_LIMIT_SCALE": "1000",
        "PASSWORD_HASH_COST": "4",
        "CORS_ORIGINS": ORIGIN,
        **({"REDIS_URL": redis_url} if redis_url else {}),
        **more,
    }
    return load_settings(environ)


@asynccontextmanager
async def running_app(data_dir: Path, redis_url: str | None, **more: str) -> AsyncIterator[RunningApp]:
    """The application, started as a server starts it and stopped at the end."""
    settings = settings_for(data_dir, redis_url, **more)
    clock = MovableClock()
    services = build_services(settings, clock=clock)
    writer = LineWriter(os.open(os.devnull, os.O_WRONLY))
    app = create_app(settings, services, writer)
    async with lifespan(app), client_of(app) as client:
        yield RunningApp(app, services, client, clock)


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Runs an application's start and stop around a block (ASGI lifespan protocol)."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}

    async def serve() -> None:
        await app(scope, inbox.get, outbox.put)

    task = asyncio.create_task(serve())
    await inbox.put({"type": "lifespan.startup"})
    started = await _message(outbox, task)
    if started["type"] != "lifespan.startup.complete":
        raise RuntimeError(f"the application did not start: {started.get('message')}")
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await _message(outbox, task)
        await task


async def _message(outbox: asyncio.Queue[Any], task: asyncio.Task[None]) -> Any:
    getter = asyncio.create_task(outbox.get())
    done, _ = await asyncio.wait({getter, task}, return_when=asyncio.FIRST_COMPLETED)
    if getter in done:
        return getter.result()
    getter.cancel()
    await task
    raise RuntimeError("the application ended before it answered")
