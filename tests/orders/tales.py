"""One order and its books: what the journeys are about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from handlers.payments import store as payments
from handlers.payments.states import is_paid
from handlers.platform.money import minor_units
from handlers.platform.store.port import Query
from handlers.pricing import promotions
from infra.local.stripe.intents import confirm_intent
from tests.flows.test_journey import saved
from tests.orders.test_orders import ordered
from tests.orders.test_process import levels, until
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, priced, promotion
from tests.support.wait import eventually

Json = dict[str, Any]
ON_HAND = 10
BOUGHT = 2


@dataclass
class Story:
    """One order of two units of a product, with a promo code that works once."""

    shop: Shop
    shopper: Shopper
    product: Json
    code: str
    order: Json
    email: str

    @property
    def total(self) -> int:
        """What the order costs, in cents."""
        return minor_units(self.order["totals"]["total"], "USD")

    async def seen(self) -> Json:
        """The order as its owner sees it."""
        answer = await self.shopper.call("GET", f"/api/orders/{self.order['order_id']}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def reaches(self, status: str) -> Json:
        """The order, once it has a status."""
        await until(self.shop, self.order, status)
        return await self.seen()

    async def cancel(self) -> httpx.Response:
        """Asks for the end of the order."""
        return await self.shopper.call("POST", f"/api/orders/{self.order['order_id']}/cancel")

    async def pays_in_browser(self, intent: Json, method: str = "pm_card_visa") -> None:
        """What Stripe.js does with the client secret: the shop hears of it by webhook only."""
        form = {"payment_method": method, "return_url": "http://127.0.0.1"}
        confirm_intent(self.shop.stripe.account, form, intent["payment_intent_id"])
        await asyncio.sleep(0)

    async def told(self, name: str) -> int:
        """How often the payment has told of something."""
        rows = await self.shop.services.store.query(
            Query(payments.CONTAINER, partition=self.order["order_id"], kind="outbox", limit=100)
        )
        return sum(row.data.get("envelope", {}).get("event_type") == name for row in rows.items)

    async def parcel(self) -> str:
        """The id of the parcel, once there is one."""
        return str((await self.reaches("processing"))["shipping"]["shipment_id"])

    async def books(self, *, sold: int, taken: int, used: bool, held: int = 0) -> None:
        """Waits until the books say: units sold and held, cents taken by Stripe and by us, whether the code is used."""
        wanted = ((ON_HAND - sold, held), taken, taken, int(used))
        found: Any = None

        async def agree() -> bool:
            nonlocal found
            found = (await levels(self.shop, self.product), self._taken(), await self._noted(), await self._uses())
            return bool(found == wanted)

        try:
            await eventually(agree)
        except TimeoutError:
            pytest.fail(f"the books say {found}, not {wanted}")

    async def _noted(self) -> int:
        payment = await payments.payment_of(self.shop.services.store, self.order["order_id"])
        if payment is None or not is_paid(payment["status"]):
            return 0
        assert payment["refund_held"] >= payment["refunded"]
        return int(payment["amount"] - payment["refunded"])

    def _taken(self) -> int:
        state = self.shop.stripe.account.state
        own = [
            each for each in state.all("payment_intent") if each["metadata"].get("order_id") == self.order["order_id"]
        ]
        back = [each for intent in own for each in state.all("refund", payment_intent=intent["id"])]
        received = sum(intent["amount_received"] for intent in own)
        return int(received - sum(each["amount"] for each in back if each["status"] == "succeeded"))

    async def _uses(self) -> int:
        found = await promotions.read(self.shop.services.store, self.code)
        assert found is not None
        return int(found.data["redeemed"])


async def story(shop: Shop, *, shopper: Shopper | None = None, card: str | None = None, **changes: Any) -> Story:
    """A shopper orders; pays with a saved card where one is named. `product`: changes of the product."""
    shopper = shopper or await customer(shop)
    product = await priced(shop, 50.0, on_hand=ON_HAND, **changes.pop("product", {}))
    code = await promotion(shop, "percentage", 10, once_per_customer=True)
    await shopper.has(product, changes.pop("quantity", BOUGHT))
    if card is not None:
        changes["payment_method"] = await saved(shopper, card)
    email = f"dana-{uuid4().hex[:8]}@example.com"
    answer = await ordered(shopper, promo_code=code, email=email, **changes)
    assert answer.status_code == 201, answer.text
    return Story(shop, shopper, product, code, answer.json(), email)
