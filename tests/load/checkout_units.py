"""Request units of a checkout by the model: its two requests, and all that an order leads to until it is paid.

The whole application on the Cosmos DB stand-in, with a saved card at Stripe's and its webhooks. What is asked whether
there are orders or not is counted apart (`Meter.standing`): change feeds without news, leases renewed without a new
position, the search for deadlines that have passed, the catalogue's look for changed products.
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
from handlers.platform.store import charges
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import Create
from handlers.products.catalogue import Catalogue
from infra.local.cosmos.server import Server
from infra.local.cosmos.wire import CHARGE, Request, Response
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


class Meter(Server):
    """The stand-in, telling apart what an order causes from what goes on anyhow."""

    standing = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._positions: dict[str, str | None] = {}

    async def handle(self, request: Request) -> Response:
        """Answers a request."""
        response = await super().handle(request)
        if self._stands(request, response):
            self.standing += float(response.headers.get(CHARGE, 0))
        return response

    @property
    def caused(self) -> float:
        """Request units so far without the standing ones."""
        return self.charged - self.standing

    def _stands(self, request: Request, response: Response) -> bool:
        container = request.segments[3] if len(request.segments) > 3 else ""
        if response.status == 304:
            return True
        if request.flag("x-ms-documentdb-isquery"):
            return container in ("deadlines", "products", "leases")
        if container != "leases":
            return False
        if request.method not in ("POST", "PUT"):
            return True
        document = request.json()
        if "note" not in document:
            return True  # a question, such as how far relays are, which is asked whether anybody orders or not
        position = document["note"].get("position")
        before, self._positions[document["id"]] = self._positions.get(document["id"]), position
        return bool(before == position)


async def http_part(server: Meter, store: CosmosStore, folder: Path) -> float:
    """What a cart add and the order of it cost, without what follows: nothing is published in this process."""
    async with _shop(store, folder, role="crud") as shop:
        card = await _warmed(shop)
        before = server.caused
        await _ordered(shop, card)
        await shop.services.background.drain()
        return server.caused - before


async def whole_process(server: Meter, store: CosmosStore, folder: Path, shoppers: int = 1) -> float:
    """What a checkout and all that follows cost, until the order is paid and a label ordered.

    With several `shoppers`, who order at once, what one costs. Positions are noted by the second and not by the order,
    so a lone order bears more of them than one of many. That this bench looks whether it is done is no part of it.
    """
    async with _shop(store, folder, role="all") as shop, listening(shop):
        cards = [await _warmed(shop, number) for number in range(shoppers)]
        await asyncio.sleep(QUIET_SECONDS)
        before = server.caused
        looked = await asyncio.gather(*(_walked(shop, number, card) for number, card in enumerate(cards)))
        await shop.stripe.webhooks.idle()
        await asyncio.sleep(QUIET_SECONDS)  # what others hear of it, a profile that is brought up to date
        return (server.caused - before - sum(looked)) / shoppers


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


async def _walked(shop: Paying, number: int, card: str) -> float:
    return await _processed(shop, await _ordered(shop, card, number))


async def _warmed(shop: Paying, number: int = 0) -> str:
    """A card in the wallet, and a checkout before the one that counts: containers and connections are open then.

    Answers the id of the saved card.
    """
    if number:
        await shop.services.store.write("users", Create(seed.user(number)))
    saved = await _call(shop, number, "/api/users/me/payment-methods", {"stripe_token": "pm_card_visa"})
    card = str(saved["payment_method_id"])
    order = await _ordered(shop, card, number)
    if shop.services.settings.role == "all":
        await _processed(shop, order)
    return card


async def _ordered(shop: Paying, method_id: str, number: int = 0) -> Json:
    products = _products()
    product = products[number % len(products)]
    item = {"product_id": product["product_id"], "variant_id": product["variants"][0]["variant_id"], "quantity": 1}
    await _call(shop, number, "/api/cart/items", item)
    quote = await _call(shop, number, "/api/checkout/quote", {"shipping_address": HOME, "shipping_method": "standard"})
    return await _call(
        shop,
        number,
        "/api/orders",
        {
            "cart_id": cart_id_of(seed.user(number)["user_id"]),
            "shipping_address": HOME,
            "shipping_method": "standard",
            "payment_method": {"type": "saved_method", "payment_method_id": method_id},
            "expected_total": quote["totals"]["total"],
        },
    )


async def _processed(shop: Paying, order: Json) -> float:
    """Waits until the order is paid; answers the request units of looking."""
    looking = charges.begin()

    async def through() -> bool:
        found = await shop.services.store.read("orders", order["user_id"], order["order_id"])
        return found is not None and found.data["status"] == "processing"

    await eventually(through, 30)
    return looking.units


async def _call(shop: Paying, number: int, path: str, body: Json) -> Json:
    token = seed.token(shop.services.settings, number, seed.CUSTOMER)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"units-{time.monotonic_ns()}"}
    answer = await shop.running.client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    found: Json = answer.json()
    return found
