"""Shoppers with tokens, carts and cards in a shop that never runs out, and the requests they make."""

from __future__ import annotations

import asyncio
import json
from fractions import Fraction
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, Final

from handlers.app import build_services
from handlers.cart.store import cart_id_of
from handlers.platform.money import major_units, minor_units
from handlers.pricing.shipping import ShippingTable
from handlers.pricing.tax import Destination, TaxTable, millionths
from handlers.pricing.totals import Item, half_up, price
from handlers.settings import Settings
from infra.local.demo import synthetic
from infra.local.demo.seed import seed_products
from infra.local.demo.shop import CURRENCY
from tests.load import seed
from tests.load.drive import request

SHOPPERS: Final = 512
ADD: Final = "/api/cart/items"
_GOODS: Final = 240
_ON_HAND: Final = 1_000_000
HOME: Final = {
    "name": "Dana Whitfield",
    "line1": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94102",
    "country": "US",
}
_keys = count()


def fill(folder: Path) -> None:
    """Writes a new store into `folder`: the demo shop, shoppers, and goods in plenty."""
    seed.fill(folder, products=0, users=SHOPPERS)
    stock(folder)


def stock(folder: Path) -> None:
    """Adds the goods to a store, or more of them."""
    asyncio.run(stocked(seed.settings_of(folder)))


async def stocked(settings: Settings) -> None:
    """`stock`, inside an event loop."""
    services = build_services(settings)
    try:
        await seed_products(services, _products())
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.store.close()


def _products() -> list[dict[str, Any]]:
    found = [product for product in synthetic.products(_GOODS) if product["status"] == "active"]
    for product in found:
        product["variants"] = [{**variant, "stock": _ON_HAND} for variant in product["variants"]]
    return found


def goods() -> list[dict[str, str]]:
    """What can be bought: products, each with its first variant."""
    return [
        {"product_id": product["product_id"], "variant_id": product["variants"][0]["variant_id"]}
        for product in _products()
    ]


def totals() -> list[float]:
    """What an order of one unit of each of the goods costs, sent to `HOME` by standard delivery."""
    table, tax = ShippingTable(CURRENCY), TaxTable()
    home = Destination(HOME["country"], HOME["state"])
    return [_total(product, table, home, tax.factor(home)) for product in _products()]


def _total(product: dict[str, Any], table: ShippingTable, home: Destination, factor: Fraction) -> float:
    variant, listed = product["variants"][0], product["price"]
    grams = variant.get("weight_grams") or table.usual_weight(product["category_slug"])
    (standard,) = [option for option in table.options(home, grams) if option.method == "standard"]
    unit = minor_units(listed["amount"], CURRENCY) + minor_units(variant["price_adjustment"], CURRENCY)
    item = Item(1, unit, half_up(millionths(listed["tax_rate"]) * factor))
    return major_units(price([item], shipping=standard.price).totals.total, CURRENCY)


class Shoppers:
    """Makes the requests. `settings`: of the server, whose secrets sign the tokens.

    `count`: how many shoppers come; `first`: the number of the first of them among the customers.
    """

    def __init__(self, settings: Settings, count: int = SHOPPERS, first: int = 0) -> None:
        self.count = count
        customers = range(first, first + count)
        self._ids = [seed.user(number)["user_id"] for number in customers]
        self._tokens = [seed.token(settings, number, seed.CUSTOMER) for number in customers]
        self._goods, self._totals = goods(), totals()

    def user_id(self, number: int) -> str:
        """The id of a shopper."""
        return str(self._ids[number])

    def add(self, number: int, article: int, path: str = ADD) -> bytes:
        """One unit of an article into the cart."""
        body = {**self._goods[article % len(self._goods)], "quantity": 1}
        return self._post(path, number, body)

    def order(self, number: int, article: int, *, method: str | None, notes: str = "bench") -> bytes:
        """The cart, which holds one unit of an article, as an order with a key of its own.

        `method`: a saved card, None for a new one.
        """
        payment = {"type": "new_card"} if method is None else {"type": "saved_method", "payment_method_id": method}
        body = {
            "expected_total": self._totals[article % len(self._totals)],
            "cart_id": cart_id_of(self._ids[number]),
            "shipping_address": HOME,
            "shipping_method": "standard",
            "payment_method": payment,
            "notes": notes,
        }
        return self._post("/api/orders", number, body, key=f"bench-key-{next(_keys):09}")

    def save_card(self, number: int) -> bytes:
        """A card that Stripe knows, into the wallet."""
        return self._post("/api/users/me/payment-methods", number, {"stripe_token": "pm_card_visa"})

    def adds(self, connections: int, path: str = ADD) -> list[list[bytes]]:
        """Streams of adds: two lines a cart, which a slow server has soon as well, none of them full within a bench."""
        mine = self.count // connections
        return [
            [self.add(at * mine + number % mine, at * 7 + number // mine, path) for number in range(mine * 2)]
            for at in range(connections)
        ]

    def checkouts(self, connections: int, each: int, methods: list[str] | None = None) -> list[list[bytes]]:
        """Streams of an add and the order of it, shopper after shopper, never one twice at once."""
        mine = self.count // connections
        streams = []
        for at in range(connections):
            stream = []
            for turn, number in enumerate(islice(cycle(range(at * mine, (at + 1) * mine)), each)):
                article = at * 13 + turn
                stream.append(self.add(number, article))
                stream.append(self.order(number, article, method=methods[number] if methods else None))
            streams.append(stream)
        return streams

    def _post(self, path: str, number: int, body: dict[str, Any], *, key: str | None = None) -> bytes:
        content = json.dumps(body, separators=(",", ":")).encode()
        return request("POST", path, token=self._tokens[number], body=content, key=key)
