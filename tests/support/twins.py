"""Two API processes on one store, called in turn: the same shop from two sides.

Store: SQLite files that both share, or the Cosmos DB stand-in in a process of its own. Both processes consume events.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
from azure.cosmos.aio import CosmosClient

from generated.containers import CONTAINERS
from handlers.app import build_services
from infra.azure.provision import provision
from infra.contract.bundle import ROOT
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.demo.load import load
from infra.local.processes import dying_with_parent
from infra.local.stripe.http import serving
from tests.support.app import ORIGIN, MovableClock, RunningApp, settings_for
from tests.support.paying import stripe_environ
from tests.support.processes import free_port, running_process
from tests.support.shop import Shop

Backend = Literal["sqlite", "cosmos"]
SECRETS = {"JWT_SECRET": "j" * 40, "DATA_KEY": "d" * 40}


class InTurn(httpx.AsyncBaseTransport):
    """Sends one request to one address, the next to the next."""

    def __init__(self, bases: list[str]) -> None:
        self._bases = itertools.cycle([httpx.URL(base) for base in bases])
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=64))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of whose turn it is."""
        base = next(self._bases)
        request.url = request.url.copy_with(host=base.host, port=base.port)
        return await self._transport.handle_async_request(request)


class Twins(RunningApp):
    """The two as the tests' helpers know an application; `services` look at the same store from outside."""

    def new_client(self, **options: Any) -> httpx.AsyncClient:
        """Another caller; its first request goes to either process."""
        return httpx.AsyncClient(transport=self._transport, base_url="http://twins", timeout=60, **options)

    @property
    def _transport(self) -> httpx.AsyncBaseTransport:
        return _Kept(self.client._transport)


class _Kept(httpx.AsyncBaseTransport):
    """A transport that stays open when one of its clients closes."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._inner = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """What the other answers."""
        return await self._inner.handle_async_request(request)


@asynccontextmanager
async def twins(folder: Path, redis_url: str, backend: Backend) -> AsyncIterator[Shop]:
    """The demo shop in two processes, its administrator signed in."""
    async with serving() as stripe:
        with ExitStack() as stack:
            environ = {**SECRETS, **stripe_environ(stripe), "REDIS_URL": redis_url, "JWT_ACCESS_EXPIRY_MINUTES": "60"}
            if backend == "cosmos":
                environ |= await _cosmos(stack, folder)
            data = folder / "data"
            settings = settings_for(data, **{**_lowered(environ)})
            services = build_services(settings, clock=MovableClock())
            await load(services)
            own = {**environ, "RATE_LIMIT_SCALE": "1000", "CHECK_ANSWERS": "true", "CORS_ORIGINS": ORIGIN}
            bases = [stack.enter_context(running_process(data, own)).base for _ in range(2)]
            async with httpx.AsyncClient(transport=InTurn(bases), base_url="http://twins", timeout=60) as client:
                shop = Shop(Twins(None, services, client, MovableClock()), stripe)  # type: ignore[arg-type]
                await shop.sign_in()
                yield shop
            await services.cache.close()
            await services.store.close()


def _lowered(environ: dict[str, str]) -> dict[str, str]:
    return {("redis_url" if name == "REDIS_URL" else name): value for name, value in environ.items()}


async def _cosmos(stack: ExitStack, folder: Path) -> dict[str, str]:
    """The stand-in in a process of its own, with every container; the environment that leads there."""
    address = stack.enter_context(_stand_in(folder))
    async with CosmosClient(address, WELL_KNOWN_KEY) as client:
        await provision(client, "holiday-peak-hub", CONTAINERS)
    return {"COSMOS_ACCOUNT_URI": address, "COSMOS_KEY": WELL_KNOWN_KEY}


@contextmanager
def _stand_in(folder: Path) -> Iterator[str]:
    port = free_port()
    command = dying_with_parent([sys.executable, "-m", "infra.local.cosmos", "--port", str(port), "--partitions", "2"])
    log = folder / "cosmos.log"
    with log.open("ab") as sink:
        popen = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=sink
        )
    try:
        assert popen.stdout is not None
        if b"COSMOS_ACCOUNT_URI" not in popen.stdout.readline():
            raise RuntimeError(f"the stand-in did not start:\n{log.read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        popen.terminate()
        popen.wait(10)
