"""Shops to be killed: each with its own files, its own Stripe, and an administrator."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from handlers.app import build_services
from handlers.categories.store import CONTAINER as CATEGORIES
from handlers.contract.call import Call
from handlers.platform.access import ANONYMOUS
from handlers.platform.request import RequestInfo
from handlers.platform.store.port import Upsert
from handlers.settings import load_settings
from handlers.users import store as users
from handlers.users.rules import new_user
from infra.local.demo import shop as demo
from infra.local.stripe.http import serving
from infra.local.stripe.intents import confirm_intent
from infra.local.stripe.server import Server
from infra.local.stripe.webhooks import Endpoint
from tests.flows.books import Ledger, Money, money
from tests.flows.lives import Lives
from tests.flows.stories import PASSWORD, Market
from tests.support.paying import WEBHOOK_SECRET, stripe_environ

T = TypeVar("T")
ADMIN: Final = "admin@example.com"
SECONDS: Final = 60.0


class Outside:
    """An event loop in a thread, for what outlives the shop: Stripe."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="outside", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    def end(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


@contextmanager
def open_market(folder: Path, redis_url: str, *, control: str = "") -> Iterator[tuple[Market, Callable[[], Money]]]:
    """A running shop with goods and a customer, and a look at what Stripe has taken for it."""
    outside, stack = Outside(), AsyncExitStack()
    folder.mkdir(parents=True, exist_ok=True)
    stripe = outside.run(stack.enter_async_context(serving()))
    environ = _environ(folder, redis_url, stripe)
    lives = Lives(folder, environ, control)
    stripe.webhooks.endpoint = Endpoint(f"{lives.base}/api/webhooks/stripe", WEBHOOK_SECRET)
    try:
        outside.run(_furnish(environ))
        lives.begin()
        session = httpx.post(f"{lives.base}/api/auth/login", json={"email": ADMIN, "password": PASSWORD}).json()
        admin = {"Authorization": f"Bearer {session['access_token']}"}
        pay, stop = (lambda intent, act=act: outside.run(act(stripe, intent)) for act in (_paid, _stopped))
        market = Market(lives, Ledger(), admin, pay, stop)
        market.open()
        yield market, lambda: outside.run(_cash(stripe))
        market.books.close()
    finally:
        lives.end()
        outside.run(stack.aclose())
        outside.end()


def _environ(folder: Path, redis_url: str, stripe: Server) -> dict[str, str]:
    return {
        "ENV": "test",
        "DATA_DIR": str(folder),
        "REDIS_URL": redis_url,
        "RATE_LIMIT_SCALE": "1000",
        "PASSWORD_HASH_COST": "4",
        "JWT_SECRET": "j" * 40,
        "DATA_KEY": "d" * 40,
        "JWT_ACCESS_EXPIRY_MINUTES": "60",
        **stripe_environ(stripe),
    }


async def _furnish(environ: dict[str, str]) -> None:
    """The categories and an administrator, written past the application, which has no operation for the first one."""
    services = build_services(load_settings(environ))
    for each in demo.categories(demo.source()):
        await services.store.write(CATEGORIES, Upsert(each))
    user = new_user(
        "user-admin",
        email=ADMIN,
        name="Alex Admin",
        now=services.clock.now(),
        currency=services.settings.shop_currency,
        password_hash=await services.passwords.hash(PASSWORD),
        email_verified=True,
        role="admin",
    )
    await users.create(Call(services, ANONYMOUS, RequestInfo("furnish", "", 0.0), ()), user)
    services.passwords.close()
    await services.cache.close()
    await services.store.close()


async def _paid(stripe: Server, intent: str) -> None:
    form = {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1"}
    confirm_intent(stripe.account, form, intent)


async def _stopped(stripe: Server, intent: str) -> None:
    stripe.end_intent(intent)


async def _cash(stripe: Server) -> Money:
    return money(stripe.account.state.all("payment_intent"), stripe.account.state.all("refund"))
