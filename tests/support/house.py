"""The demo shop on a real server in a thread of its own: for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx

from handlers.contract.call import Call
from handlers.platform.access import ANONYMOUS
from handlers.platform.request import RequestInfo
from handlers.users import store as users
from handlers.users.rules import new_user
from infra.local.demo.load import PASSWORD
from tests.support.callers import GUEST, NOBODY, Caller
from tests.support.server import served
from tests.support.shop import Shop, running_shop

T = TypeVar("T")
SECONDS = 60.0
_numbers = count()


@dataclass(slots=True)
class House:
    """A running shop: its address, and a way into its event loop."""

    base: str
    shop: Shop
    loop: asyncio.AbstractEventLoop

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine beside the server and answers its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    def newcomer(self, role: str) -> Caller:
        """A caller of a role, with an account that nothing has happened to yet."""
        if role == NOBODY:
            return Caller(NOBODY)
        with httpx.Client(base_url=self.base) as client:
            if role == GUEST:
                answer = client.post("/api/auth/guest")
            else:
                email = self.run(self._account(role))  # type: ignore[arg-type]  # the others are roles of accounts
                answer = client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code in (200, 201), answer.text
        return Caller(role, answer.json())

    async def _account(self, role: Literal["customer", "staff", "admin"]) -> str:
        services, number = self.shop.services, next(_numbers)
        email = f"{role}-{number}@example.com"
        user = new_user(
            f"user-{role}-{number}",
            email=email,
            name="Robin Newcomer",
            now=services.clock.now(),
            currency=services.settings.shop_currency,
            password_hash=await services.passwords.hash(PASSWORD),
            email_verified=True,
            role=role,
        )
        await users.create(Call(services, ANONYMOUS, RequestInfo("newcomer", "", 0.0), ()), user)
        return email


@contextmanager
def running_house(folder: Path, redis_url: str) -> Iterator[House]:
    """The demo shop, served on 127.0.0.1."""
    ready: asyncio.Queue[House] = asyncio.Queue()
    over = asyncio.Event()

    async def live() -> None:
        async with running_shop(folder, redis_url) as shop, served(shop.running.app) as base:
            await ready.put(House(base, shop, asyncio.get_running_loop()))
            await over.wait()

    loop = asyncio.new_event_loop()
    living = loop.create_task(live())
    thread = threading.Thread(target=loop.run_until_complete, args=(living,), name="house")
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(_first(ready, living), loop).result(SECONDS)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(SECONDS)
        loop.close()


async def _first(ready: asyncio.Queue[House], living: asyncio.Task[None]) -> House:
    waiting = asyncio.ensure_future(ready.get())
    await asyncio.wait({waiting, living}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        waiting.cancel()
        living.result()
    return waiting.result()
