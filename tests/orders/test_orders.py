"""Orders over HTTP: placing, once for each edition of a cart; who sees one; lists; cancelling."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from handlers.orders import placing, store
from handlers.platform.money import minor_units
from handlers.platform.store.port import Query, StoreUnavailable
from handlers.pricing import promotions
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import HOME, Shopper, customer, guest, priced, promotion, stocked

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
VARIANT: Json = {"on_hand": 5}


async def ordered(shopper: Shopper, *, key: str | None = None, **changes: Any) -> httpx.Response:
    """An order from the cart, to be paid with a new card; with a saved one for what a quote says now."""
    if "payment_method_id" in changes.get("payment_method", {}) and "expected_total" not in changes:
        asked = {name: changes[name] for name in ("shipping_address", "promo_code", "email") if name in changes}
        quote = await shopper.quote(shipping_method=changes.get("shipping_method", "standard"), **asked)
        changes["expected_total"] = quote.json().get("totals", {}).get("total", 0.0)
    body = {
        "cart_id": f"cart-{shopper.user_id}",
        "shipping_address": HOME,
        "shipping_method": "standard",
        "payment_method": {"type": "new_card"},
        **changes,
    }
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await shopper.call("POST", "/api/orders", body, **headers)


async def placed(shopper: Shopper, **changes: Any) -> Json:
    """`ordered` that succeeds."""
    answer = await ordered(shopper, **changes)
    assert answer.status_code == 201, answer.text
    order: Json = answer.json()
    return order


async def orders_of(shop: Shop, user_id: str) -> list[Json]:
    """The documents of somebody's orders."""
    found = await shop.services.store.query(Query(store.CONTAINER, partition=user_id, limit=50))
    return [each.data for each in found.items]


@pytest.mark.parametrize("limit", [{"once_per_customer": True}, {"max_redemptions": 1}])
async def test_an_attempt_that_died_after_it_used_the_code_is_no_use(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: Json
) -> None:
    shopper, product = await customer(shop), await priced(shop, 39.5)
    await shopper.has(product)
    code = await promotion(shop, "percentage", 10, **limit)

    async def dies(*_: Any) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr(store, "note_whereabouts", dies)
        assert (await ordered(shopper, promo_code=code, key="key-of-two-attempts")).status_code == 500
    again = await ordered(shopper, promo_code=code, key="key-of-two-attempts")
    assert again.status_code == 201, again.text
    assert again.json()["totals"]["discount"] == 3.95
    found = await promotions.read(shop.services.store, code)
    assert found is not None
    assert found.data["redeemed"] == 1
    # The next cart is another order: there the code is used.
    await shopper.has(product)
    refused = await ordered(shopper, promo_code=code)
    assert rule_of(refused) in ("promo_code_used", "promo_code_exhausted")


async def test_an_order_costs_what_the_quote_said_and_empties_the_cart(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 39.5)
    await shopper.has(product, 3)
    code = await promotion(shop, "percentage", 10)
    quote = (await shopper.quote(shipping_method="standard", promo_code=code)).json()
    answer = await ordered(shopper, promo_code=code.lower(), notes="Please ring twice.")
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert order["totals"] == quote["totals"]
    assert (order["status"], order["payment_status"], order["fulfillment_status"]) == ("pending", "pending", "pending")
    assert (order["promo_code"], order["notes"], order["user_id"]) == (code, "Please ring twice.", shopper.user_id)
    assert order["billing_address"] == order["shipping_address"]
    assert answer.headers["etag"]
    assert order["order_number"].startswith("HPH-20")
    assert (await shopper.cart())["items"] == []
    (row,) = (await shop.services.store.query(Query(store.CONTAINER, partition=shopper.user_id, kind="outbox"))).items[
        :1
    ]
    assert row.data["envelope"]["event_type"] in ("OrderCreated", "OrderUpdated")


@pytest.mark.parametrize("kind", ["percentage", "free_shipping"])
async def test_an_order_keeps_what_each_line_and_the_shipping_were_made_of(shop: Shop, kind: str) -> None:
    shopper = await customer(shop)
    for amount, units, rate in ((39.5, 3, 0.0825), (0.33, 7, 0.0), (1199.99, 1, 0.25)):
        product = await priced(shop, amount)
        price = {"amount": amount, "currency": "USD", "tax_rate": rate}
        assert (
            await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", {"price": price})
        ).status_code == 200
        await shopper.has(product, units)
    order = await placed(shopper, promo_code=await promotion(shop, kind, 7.3 if kind == "percentage" else 0))
    totals, parts = order["totals"], [*order["items"], order["shipping"]["charge"]]

    def summed(name: str, of: list[Json]) -> int:
        return sum(minor_units(each[name], "USD") for each in of)

    cents = {name: minor_units(totals[name], "USD") for name in ("subtotal", "discount", "shipping", "tax", "total")}
    assert summed("line_total", order["items"]) == cents["subtotal"]
    assert summed("discount", order["items"]) == cents["discount"]
    assert summed("net", order["items"]) == cents["subtotal"] - cents["discount"]
    assert summed("net", [order["shipping"]["charge"]]) == cents["shipping"]
    assert summed("tax", parts) == cents["tax"]
    assert summed("gross", parts) == cents["total"]
    assert {each["tax_rate"] for each in order["items"]} == {0.0825, 0.0, 0.25}
    assert order["shipping"]["charge"]["discount"] == (
        order["shipping"]["charge"]["price"] if kind != "percentage" else 0
    )


@pytest.mark.parametrize("length", [100, 200])
async def test_a_variant_of_any_name_that_a_cart_holds_can_be_ordered(shop: Shop, length: int) -> None:
    shopper = await customer(shop)
    attributes = {name: name * length for name in "vwxyz"[: 1000 // length]}
    product = await priced(shop, 10.0, variants=[{**VARIANT, "sku": f"LONG-{length}", "attributes": attributes}])
    line = (await shopper.has(product))["items"][0]
    order = await placed(shopper)
    assert order["items"][0]["variant_name"] == line["variant_name"]
    assert len(line["variant_name"]) == 500


async def test_one_version_of_a_cart_is_one_order(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0)
    await shopper.has(product, 2)
    answers = await asyncio.gather(*(ordered(shopper, key=f"key-of-many-{number}") for number in range(10)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes.count(201) == 1
    assert {rule_of(answer) for answer in answers if answer.status_code != 201} <= {"cart_changed", "cart_empty"}
    assert len(await orders_of(shop, shopper.user_id)) == 1


async def test_one_key_is_one_order(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0)
    await shopper.has(product, 2)
    answers = await asyncio.gather(*(ordered(shopper, key="the-only-key-1") for _ in range(10)))
    first = next(answer for answer in answers if answer.status_code == 201)
    for answer in answers:
        assert answer.status_code == 201 or rule_of(answer) == "idempotency_in_progress", answer.text
    again = await ordered(shopper, key="the-only-key-1")
    assert again.json()["order_id"] == first.json()["order_id"]
    assert len(await orders_of(shop, shopper.user_id)) == 1
    other = await ordered(shopper, key="the-only-key-1", notes="Another request")
    assert (other.status_code, rule_of(other)) == (422, "idempotency_key_reused")


async def test_a_repeat_empties_the_cart_that_the_first_request_could_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0)
    await shopper.has(product, 2)

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away between the order and the cart")

    with monkeypatch.context() as patch:
        patch.setattr(placing, "take_ordered", away)
        assert (await ordered(shopper, key="the-cart-stays-full")).status_code == 503
    assert len((await shopper.cart())["items"]) == 1
    again = await ordered(shopper, key="the-cart-stays-full")
    assert again.status_code == 201
    assert (await shopper.cart())["items"] == []
    assert [each["order_id"] for each in await orders_of(shop, shopper.user_id)] == [again.json()["order_id"]]


async def test_what_cannot_be_ordered(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0, on_hand=5)
    empty = await ordered(shopper)
    assert (empty.status_code, rule_of(empty)) == (422, "cart_empty")
    await shopper.has(product, 2)
    refusals: list[tuple[Json, str]] = [
        ({"cart_id": "cart-of-another"}, "cart_not_found"),
        ({"payment_method": {"type": "saved_method"}}, "payment_method_invalid"),
        ({"payment_method": {"type": "saved_method", "payment_method_id": "payment-none"}}, "payment_method_invalid"),
        ({"payment_method": {"type": "new_card", "payment_method_id": "payment-none"}}, "payment_method_invalid"),
        ({"promo_code": "NOSUCHCODE"}, "promo_code_unknown"),
        ({"shipping_address": {**HOME, "postal_code": "ABCDE"}}, "address_invalid"),
    ]
    for changes, rule in refusals:
        answer = await ordered(shopper, **changes)
        assert (answer.status_code, rule_of(answer)) == (422, rule), answer.text
    await stocked(shop, product, -4)
    fewer = await ordered(shopper)
    assert (fewer.status_code, rule_of(fewer)) == (409, "cart_changed")
    await stocked(shop, product, -1)
    none = await ordered(shopper)
    assert (none.status_code, rule_of(none)) == (422, "item_unavailable")
    await shopper.has(await priced(shop, 5.0), 1)
    part = await ordered(shopper)
    assert (part.status_code, rule_of(part)) == (422, "item_unavailable")
    assert await orders_of(shop, shopper.user_id) == []
    nobody = await ordered(Shopper(shop, user_id="nobody"))
    assert nobody.status_code == 401


async def test_a_guest_orders_with_an_address(shop: Shop) -> None:
    shopper, product = await guest(shop), await priced(shop, 10.0)
    await shopper.has(product, 1)
    missing = await ordered(shopper)
    assert (missing.status_code, rule_of(missing)) == (422, "guest_email_required")
    order = await placed(shopper, email="Guest.Buyer@Example.com")
    assert order["email"] == "guest.buyer@example.com"
    path = f"/api/orders/{order['order_id']}"
    assert (await shopper.call("GET", path)).status_code == 200
    stranger = Shopper(shop)
    seen = await stranger.call("GET", f"{path}?email=guest.buyer%40EXAMPLE.com")
    assert seen.status_code == 200
    assert not {"ip_address", "user_agent", "timeline", "grams", "deadline_at"} & set(seen.json())
    refusals = [
        await stranger.call("GET", path),
        await stranger.call("GET", f"{path}?email=other%40example.com"),
        await (await customer(shop)).call("GET", path),
        await stranger.call("GET", "/api/orders/order-none?email=guest.buyer%40example.com"),
        await stranger.call("GET", f"{path}/tracking"),
        await stranger.call("POST", f"{path}/cancel"),
    ]
    for refused in refusals:
        assert refused.status_code == 404
        assert refused.json()["error"]["message"] == "Order not found"
    tracking = await stranger.call("GET", f"{path}/tracking?email=guest.buyer%40example.com")
    assert tracking.json()["timeline"][0]["stage"] == "order_placed"


async def test_the_address_of_a_members_order_shows_status_and_timeline_only(shop: Shop) -> None:
    """And neither cancels it nor pays it: an e-mail address is no secret."""
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 10.0), 1)
    order = await placed(shopper, email="dana.member@example.com")
    stranger, path = Shopper(shop), f"/api/orders/{order['order_id']}"
    known = "email=dana.member@example.com"
    seen = await stranger.call("GET", f"{path}?{known}")
    assert (seen.status_code, seen.json()["status"] in ("pending", "awaiting_payment")) == (200, True)
    assert seen.json()["timeline"][0]["stage"] == "order_placed"
    shown = {"order_id", "order_number", "status", "payment_status", "fulfillment_status", "timeline"}
    assert set(seen.json()) == shown | {"created_at", "updated_at"}
    tracking = await stranger.call("GET", f"{path}/tracking?{known}")
    assert (tracking.status_code, tracking.json()["timeline"][0]["stage"]) == (200, "order_placed")
    cancelled = await stranger.call("POST", f"{path}/cancel?{known}")
    assert cancelled.status_code == 403
    intent = {"order_id": order["order_id"], "amount": order["totals"]["total"], "email": "dana.member@example.com"}
    someone = await guest(shop)
    assert (await someone.call("POST", "/api/payments/create-intent", intent)).status_code == 404
    assert (await stranger.call("GET", f"{path}?email=other@example.com")).status_code == 404
    mine = await shopper.call("GET", path)
    assert (mine.json()["status"] != "cancelled", "timeline" in mine.json(), bool(mine.json()["items"])) == (
        True,
        False,
        True,
    )
    assert (await shopper.call("POST", f"{path}/cancel")).status_code == 200


async def test_lists(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0)
    numbers = []
    for quantity in (1, 2, 3):
        await shopper.has(product, quantity)
        numbers.append((await placed(shopper))["order_number"])
    page = (await shopper.call("GET", "/api/users/me/orders?limit=2")).json()
    assert [each["order_number"] for each in page["items"]] == numbers[:0:-1]
    rest = (await shopper.call("GET", f"/api/users/me/orders?limit=2&cursor={page['next_cursor']}")).json()
    assert ([each["order_number"] for each in rest["items"]], rest["next_cursor"]) == (numbers[:1], None)
    none = (await shopper.call("GET", "/api/users/me/orders?status=refunded")).json()
    assert none["items"] == []
    email = (await orders_of(shop, shopper.user_id))[0]["email"]
    staff = await shop.as_admin("GET", f"/api/staff/orders?email={email}")
    assert [each["order_number"] for each in staff.json()["items"]] == numbers[::-1]
    one = (await shop.as_admin("GET", f"/api/staff/orders?order_number={numbers[1]}&email={email}")).json()
    assert [each["item_count"] for each in one["items"]] == [2]
    other = (await shop.as_admin("GET", f"/api/staff/orders?order_number={numbers[1]}&status=refunded")).json()
    assert other["items"] == []
    days = "start_date=2020-01-01&end_date=2020-01-02"
    assert (await shop.as_admin("GET", f"/api/staff/orders?{days}")).json()["items"] == []
    wrong = await shop.as_admin("GET", "/api/staff/orders?start_date=2020-01-02&end_date=2020-01-01")
    assert (wrong.status_code, rule_of(wrong)) == (422, "period_invalid")
    assert (await shopper.call("GET", "/api/staff/orders")).status_code == 403


async def test_cancelling(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 10.0)
    await shopper.has(product, 1)
    order = await placed(shopper)
    path = f"/api/orders/{order['order_id']}/cancel"
    refused = await shopper.call("POST", path, {"reason": "fraud_suspected"})
    assert refused.status_code == 403
    stale = await shopper.call("POST", path, None, If_Match='"something-else"')
    assert (stale.status_code, rule_of(stale)) == (412, "version_conflict")
    answer = await shopper.call("POST", path, {"reason": "ordered_by_mistake", "comment": "The wrong colour."})
    assert answer.status_code == 200, answer.text
    cancelled = answer.json()
    assert (cancelled["status"], cancelled["payment_status"]) == ("cancelled", "cancelled")
    end = cancelled["cancellation"]
    assert (end["reason"], end["comment"], end["cancelled_by"]) == (
        "ordered_by_mistake",
        "The wrong colour.",
        "customer",
    )
    again = await shopper.call("POST", path)
    assert (again.status_code, rule_of(again)) == (409, "order_not_cancellable")
    await shopper.has(product, 1)
    other = await placed(shopper)
    by_staff = (await shop.as_admin("POST", f"/api/orders/{other['order_id']}/cancel")).json()
    assert by_staff["cancellation"]["reason"] == "staff_request"
