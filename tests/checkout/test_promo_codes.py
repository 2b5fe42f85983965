"""Promo codes on the cart, and their administration."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.checkout.events import on_order_cancelled
from handlers.platform.clock import timestamp
from handlers.platform.store.port import Query
from handlers.pricing import promotions
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, event_of, guest, priced, promotion

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/api/checkout/promo"
ADMIN = "/api/admin/promotions"


async def with_cart(shop: Shop, amount: float = 100) -> Shopper:
    """A guest with goods for so much."""
    shopper = await guest(shop)
    await shopper.has(await priced(shop, amount))
    return shopper


async def test_a_code_is_applied_replaced_and_taken_off(shop: Shop) -> None:
    shopper = await with_cart(shop)
    applied = await shopper.call("POST", PATH, {"code": "welcome10"})
    assert applied.status_code == 200, applied.text
    assert (applied.json()["code"], applied.json()["discount"]) == ("WELCOME10", 10)
    assert applied.json()["totals"] == (await shopper.cart())["totals"]
    free = (await shopper.call("POST", PATH, {"code": "SHIPFREE"})).json()
    assert (free["type"], free["discount"], free["totals"]["shipping_estimate"]) == ("free_shipping", 0, 0)
    for _ in range(2):
        taken = await shopper.call("DELETE", PATH)
        assert (taken.status_code, taken.json()["promo_code"]) == (200, None)
    assert (await Shopper(shop).call("DELETE", PATH)).json()["items"] == []


async def test_codes_that_do_not_apply_leave_the_cart_as_it_was(shop: Shop) -> None:
    shopper = await with_cart(shop)
    now = shop.services.clock.now()
    later, minimum = timestamp(now + timedelta(days=1)), await promotion(shop, "fixed", 5, minimum_subtotal=100.01)
    codes = {
        "NOWHERE": "promo_code_unknown",
        "EXPIRED5": "promo_code_expired",
        await promotion(shop, "percentage", 10, starts_at=later): "promo_code_not_started",
        await promotion(shop, "percentage", 10, active=False): "promo_code_unknown",
        minimum: "promo_code_minimum",
    }
    await shopper.call("POST", PATH, {"code": "WELCOME10"})
    for code, rule in codes.items():
        refused = await shopper.call("POST", PATH, {"code": code})
        assert (refused.status_code, rule_of(refused)) == (422, rule)
        if code == minimum:
            assert refused.json()["error"]["details"]["minimum_subtotal"] == 100.01
    assert (await shopper.cart())["promo_code"] == "WELCOME10"
    for empty in (Shopper(shop), await guest(shop)):
        assert rule_of(await empty.call("POST", PATH, {"code": "WELCOME10"})) == "cart_empty"


async def test_a_code_that_no_longer_applies_goes_with_a_notice(shop: Shop) -> None:
    shopper, code = await guest(shop), await promotion(shop, "percentage", 10, minimum_subtotal=50)
    line = (await shopper.has(await priced(shop, 30), 2))["items"][0]
    assert (await shopper.call("POST", PATH, {"code": code})).status_code == 200
    cart = (await shopper.call("PUT", f"/api/cart/items/{line['cart_item_id']}", {"quantity": 1})).json()
    assert (cart["promo_code"], [notice["code"] for notice in cart["notices"]]) == (None, ["promo_code_removed"])
    assert code in cart["notices"][0]["message"]
    await shopper.has(await priced(shop, 30))
    assert (await shopper.call("POST", PATH, {"code": code})).status_code == 200
    assert (await shop.as_admin("DELETE", f"{ADMIN}/{code}")).status_code == 204
    assert (await shopper.cart())["promo_code"] is None
    assert (await shopper.cart())["notices"] == []


async def test_a_customer_uses_a_code_once(shop: Shop) -> None:
    shopper, code = await customer(shop), await promotion(shop, "percentage", 10, once_per_customer=True)
    await shopper.has(await priced(shop, 30))
    assert (await shopper.call("POST", PATH, {"code": code})).status_code == 200
    await promotions.redeem(shop.services.store, code, "order-77", shopper.user_id)
    assert [notice["code"] for notice in (await shopper.cart())["notices"]] == ["promo_code_removed"]
    assert rule_of(await shopper.call("POST", PATH, {"code": code})) == "promo_code_used"
    cancelled = {"order_id": "order-77", "promo_code": code}
    for _ in range(2):
        await on_order_cancelled(event_of("OrderCancelled", cancelled), shop.services)
    await on_order_cancelled(event_of("OrderCancelled", {"order_id": "order-77"}), shop.services)
    assert (await shopper.call("POST", PATH, {"code": code})).status_code == 200
    assert (await shop.as_admin("GET", f"{ADMIN}/{code}")).json()["redeemed"] == 0


async def test_administration_of_promotions(shop: Shop) -> None:
    code = await promotion(shop, "fixed", 15, minimum_subtotal=75, description="Toys")
    path = f"{ADMIN}/{code.lower()}"
    read = await shop.as_admin("GET", path)
    assert (read.json()["code"], read.json()["currency"], read.json()["redeemed"]) == (code, "USD", 0)
    taken = await shop.as_admin("POST", ADMIN, {"code": code.lower(), "type": "percentage", "value": 5})
    assert (taken.status_code, rule_of(taken)) == (409, "promo_code_taken")
    tag = read.headers["etag"]
    await promotions.redeem(shop.services.store, code, "order-a", "user-a")
    change = {"description": None, "minimum_subtotal": None, "max_redemptions": 5}
    changed = await shop.as_admin("PUT", path, change, if_match=tag)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["redeemed"], changed.json()["max_redemptions"]) == (1, 5)
    assert "description" not in changed.json()
    assert (await shop.as_admin("PUT", path, {"active": False}, if_match=tag)).status_code == 412
    assert (await shop.as_admin("DELETE", path, if_match=tag)).status_code == 412
    again = await shop.as_admin("PUT", path, change)
    assert again.headers["etag"] == changed.headers["etag"]
    percent = await shop.as_admin("PUT", path, {"type": "percentage", "value": 20})
    assert "currency" not in percent.json()
    assert (await shop.as_admin("DELETE", path)).status_code == 204
    assert (await shop.as_admin("GET", path)).status_code == 404
    assert (await shop.as_admin("DELETE", path)).status_code == 404
    assert (await shop.as_admin("PUT", path, {"active": True})).status_code == 404
    kinds = {"redemption": 0, "outbox": 3}
    for kind, count in kinds.items():
        query = Query(promotions.CONTAINER, partition=code, kind=kind)
        rows = (await shop.services.store.query(query)).items
        assert len(rows) == count + (kind == "outbox")
    actions = sorted(row.data["entry"]["action"] for row in rows)
    assert actions == ["promotion_created", "promotion_deleted", "promotion_updated", "promotion_updated"]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"type": "percentage", "value": 0}, "promotion_value_invalid"),
        ({"type": "percentage", "value": 100.01}, "promotion_value_invalid"),
        ({"type": "fixed", "value": 0, "currency": "USD"}, "promotion_value_invalid"),
        ({"type": "fixed", "value": 5}, "promotion_value_invalid"),
        ({"type": "fixed", "value": 5, "currency": "EUR"}, "promotion_value_invalid"),
        ({"type": "fixed", "value": 5.005, "currency": "USD"}, "promotion_value_invalid"),
        ({"type": "free_shipping", "value": 1}, "promotion_value_invalid"),
        ({"type": "percentage", "value": 5, "minimum_subtotal": 5}, "promotion_value_invalid"),
        (
            {"type": "percentage", "value": 5, "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"},
            "promotion_window_invalid",
        ),
    ],
)
async def test_promotions_that_make_no_sense(shop: Shop, body: dict[str, object], rule: str) -> None:
    refused = await shop.as_admin("POST", ADMIN, {"code": "NONSENSE", **body})
    assert (refused.status_code, rule_of(refused)) == (422, rule)


async def test_limits_of_what_can_be_set(shop: Shop) -> None:
    code = await promotion(shop, "percentage", 15)
    for order in ("order-1", "order-2"):
        await promotions.redeem(shop.services.store, code, order, "user-a")
    below = await shop.as_admin("PUT", f"{ADMIN}/{code}", {"max_redemptions": 1})
    assert rule_of(below) == "promotion_value_invalid"
    early = await shop.as_admin("PUT", f"{ADMIN}/{code}", {"starts_at": "1066-10-14T09:00:00Z"})
    assert early.status_code == 400


async def test_promotions_are_listed_by_code(shop: Shop) -> None:
    off = await promotion(shop, "percentage", 15, active=False)
    found: list[str] = []
    cursor = None
    while True:
        query = f"?limit=3&cursor={cursor}" if cursor else "?limit=3"
        page = (await shop.as_admin("GET", f"{ADMIN}{query}")).json()
        found += [each["code"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(found)
    assert {"WELCOME10", "SHIPFREE", "EXPIRED5", "ONCE20", off} <= set(found)
    assert page["total"] == len(found)
    inactive = (await shop.as_admin("GET", f"{ADMIN}?active=false&limit=100")).json()["items"]
    assert off in {each["code"] for each in inactive}
    assert not any(each["active"] for each in inactive)
