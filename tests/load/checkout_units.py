"""Request units of a checkout by the model: its two requests, and all that an order leads to until it is paid.

The whole application on the Cosmos DB stand-in, with a saved card at Stripe's and its webhooks. The process that reads
the change feeds asks whether there is anything or not; that is measured beforehand and taken off.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from handlers.app import build_services, create_app
from handlers.cart.store import cart_id_of
from handlers.platform.logs import LineWriter
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import Create
from handlers.products.catalogue import Catalogue
from infra.local.cosmos.server import Server
from infra.local.demo import synthetic
from infra.local.demo.seed import seed_products
from infra.local.stripe.http import serving
from tests.load import seed
from tests.load.shoppers import HOME
from tests.support.app import MovableClock, RunningApp, client_of, lifespan, settings_for
from tests.support.paying import Paying, listening, stripe_environ
from tests.support.wait import eventually

QUIET_SECONDS: Final = 3.0
_PRODUCTS: Final = 12

Json = dict[str, Any]


async def http_part(server: Server, store: CosmosStore, folder: Path) -> float:
    """What a cart add and the order of it cost, without what follows: nothing is published in this process."""
    async with _shop(store, folder, role="crud") as shop:
        await _warmed(shop)
        before = server.charged
        await _ordered(shop)
        await shop.services.background.drain()
        return server.charged - before


async def whole_process(server: Server, store: CosmosStore, folder: Path) -> float:
    """What a checkout and all that follows cost, until the order is paid and a label ordered."""
    async with _shop(store, folder, role="all") as shop, listening(shop):
        await _warmed(shop)
        await asyncio.sleep(QUIET_SECONDS)
        idle = await _charged_in(server, QUIET_SECONDS) / QUIET_SECONDS
        before, began = server.charged, time.monotonic()
        await _processed(shop, await _ordered(shop))
        await shop.stripe.webhooks.idle()
        await asyncio.sleep(QUIET_SECONDS)  # what others hear of it, a profile that is brought up to date
        return server.charged - before - idle * (time.monotonic() - began)


@asynccontextmanager
async def _shop(store: CosmosStore, folder: Path, *, role: str) -> AsyncIterator[Paying]:
    async with serving() as stripe:
        settings = settings_for(folder, None, ROLE=role, AGENT_BASE_URL="none", **stripe_environ(stripe))
        services = build_services(settings, store=store)
        await seed_products(services, (product for product in _products()))
        await store.write("users", Create(seed.user(0)))
        app = create_app(settings, services, LineWriter(os.open(os.devnull, os.O_WRONLY)))
        async with lifespan(app), client_of(app) as client:
            await services.room(Catalogue).start()
            yield Paying(RunningApp(app, services, client, MovableClock()), stripe)


def _products() -> list[Json]:
    found = [product for product in synthetic.products(_PRODUCTS) if product["status"] == "active"]
    return [{**each, "variants": [{**one, "stock": 100} for one in each["variants"]]} for each in found]


async def _warmed(shop: Paying) -> None:
    """A card in the wallet, and a checkout before the one that counts: containers and connections are open then."""
    await _call(shop, "POST", "/api/users/me/payment-methods", {"stripe_token": "pm_card_visa"})
    order = await _ordered(shop)
    if shop.services.settings.role == "all":
        await _processed(shop, order)


async def _ordered(shop: Paying) -> Json:
    (method,) = (await _call(shop, "GET", "/api/users/me/payment-methods"))["items"]
    product = _products()[0]
    item = {"product_id": product["product_id"], "variant_id": product["variants"][0]["variant_id"], "quantity": 1}
    await _call(shop, "POST", "/api/cart/items", item)
    return await _call(
        shop,
        "POST",
        "/api/orders",
        {
            "cart_id": cart_id_of(seed.user(0)["user_id"]),
            "shipping_address": HOME,
            "shipping_method": "standard",
            "payment_method": {"type": "saved_method", "payment_method_id": method["payment_method_id"]},
        },
    )


async def _processed(shop: Paying, order: Json) -> None:
    async def through() -> bool:
        found = await shop.services.store.read("orders", order["user_id"], order["order_id"])
        return found is not None and found.data["status"] == "processing"

    await eventually(through, 30)


async def _charged_in(server: Server, seconds: float) -> float:
    before = server.charged
    await asyncio.sleep(seconds)
    return server.charged - before


async def _call(shop: Paying, method: str, path: str, body: Json | None = None) -> Json:
    token = seed.token(shop.services.settings, 0, seed.CUSTOMER)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"units-{time.monotonic_ns()}"}
    answer = await shop.running.client.request(method, path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    found: Json = answer.json()
    return found
