"""A shopper of the tests: a guest or a customer with a cart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from handlers.platform.events import Event
from tests.support.people import signed_in
from tests.support.shop import Shop

Json = dict[str, Any]

HOME = {
    "name": "Dana Whitfield",
    "line1": "123 Main St",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94102",
    "country": "US",
}


@dataclass(slots=True)
class Shopper:
    """Calls the shop with one token, or with none."""

    shop: Shop
    bearer: dict[str, str] = field(default_factory=dict)
    user_id: str = ""

    async def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """One request; cookies stay out of it."""
        sent = {**self.bearer, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.shop.running.new_client() as client:
            return await client.request(method, path, json=body, headers=sent)

    async def cart(self) -> Json:
        """The cart as it is now."""
        answer = await self.call("GET", "/api/cart")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def add(self, product: Json, quantity: int = 1, variant: int | None = 0) -> httpx.Response:
        """Puts units of a variant into the cart."""
        body: Json = {"product_id": product["product_id"], "quantity": quantity}
        if variant is not None:
            body["variant_id"] = product["variants"][variant]["variant_id"]
        return await self.call("POST", "/api/cart/items", body)

    async def has(self, product: Json, quantity: int = 1, variant: int | None = 0) -> Json:
        """`add` that succeeds; answers the cart."""
        answer = await self.add(product, quantity, variant)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def quote(self, **changes: Any) -> httpx.Response:
        """A quote, to San Francisco unless said otherwise."""
        return await self.call("POST", "/api/checkout/quote", {"shipping_address": HOME, **changes})

    async def total(self, **changes: Any) -> float:
        """What a quote by standard delivery says that an order costs."""
        answer = await self.quote(**{"shipping_method": "standard", **changes})
        assert answer.status_code == 200, answer.text
        return float(answer.json()["totals"]["total"])


async def guest(shop: Shop) -> Shopper:
    """A new guest."""
    session = (await shop.client.post("/api/auth/guest")).json()
    shop.client.cookies.clear()
    return Shopper(shop, {"Authorization": f"Bearer {session['access_token']}"}, session["session_id"])


async def customer(shop: Shop) -> Shopper:
    """A new customer, signed in."""
    person = await signed_in(shop.running)
    return Shopper(shop, person.bearer, person.user_id)


async def priced(shop: Shop, amount: float, *, on_hand: int = 50, **changes: Any) -> Json:
    """A product with one variant at a price, and with stock."""
    variants = changes.pop("variants", [{"sku": f"V-{uuid4().hex[:12].upper()}", "on_hand": on_hand}])
    return await shop.created(
        price={"amount": amount, "currency": "USD", "tax_rate": 0.0825}, variants=variants, **changes
    )


async def stocked(shop: Shop, product: Json, delta: int, variant: int = 0) -> None:
    """Adds units to the stock of a variant, or takes them away."""
    variant_id = product["variants"][variant]["variant_id"]
    path = f"/api/admin/inventory/{variant_id}/adjustments"
    answer = await shop.as_admin("POST", path, {"delta": delta, "reason": "recount"})
    assert answer.status_code in (200, 201), answer.text


async def promotion(shop: Shop, kind: str, value: float, **more: Any) -> str:
    """A new promotion; answers its code."""
    code = f"T{uuid4().hex[:12].upper()}"
    amounts = {"currency": "USD"} if kind == "fixed" or "minimum_subtotal" in more else {}
    answer = await shop.as_admin(
        "POST", "/api/admin/promotions", {"code": code, "type": kind, "value": value, **amounts, **more}
    )
    assert answer.status_code == 201, answer.text
    return code


def event_of(event_type: str, data: Json) -> Event[Any]:
    """An event as a handler receives it."""
    return Event(
        id=f"event-{uuid4().hex[:12]}",
        type=event_type,
        version="1.0",
        timestamp="2026-01-25T10:45:00Z",
        source="crud-service",
        data=data,
        correlation_id="correlation-1",
        causation_id="causation-1",
        group="tests",
        topic="tests",
        key="tests",
    )
