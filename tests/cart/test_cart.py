"""Carts over HTTP: lines, limits, what changes underneath, and the session that the first write starts."""

from __future__ import annotations

from datetime import datetime

import pytest

from handlers.cart import store
from handlers.products.counters import Counters
from tests.support.app import ORIGIN
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, guest, priced, stocked

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_before_the_first_write_there_is_an_empty_cart(shop: Shop) -> None:
    for shopper in (Shopper(shop), await guest(shop), await customer(shop)):
        cart = await shopper.cart()
        assert cart == {
            "items": [],
            "totals": {"subtotal": 0, "discount": 0, "tax_estimate": 0, "total_estimate": 0, "currency": "USD"},
            "promo_code": None,
            "notices": [],
        }


async def test_the_first_write_makes_a_guest(shop: Shop) -> None:
    product = await priced(shop, 39.5)
    async with shop.running.new_client(headers={"Origin": ORIGIN}) as browser:
        answer = await browser.post("/api/cart/items", json={"product_id": product["product_id"], "quantity": 2})
        assert answer.status_code == 200
        session = answer.json()["guest_session"]
        assert answer.json()["cart_id"] == f"cart-{session['session_id']}"
        assert set(browser.cookies) == {"hph_access", "hph_csrf"}
        again = await browser.post("/api/cart/items", json={"product_id": product["product_id"], "quantity": 1})
        assert (again.status_code, rule_of(again)) == (403, "csrf_failed")
        sent = {"X-CSRF-Token": session["csrf_token"]}
        again = await browser.post(
            "/api/cart/items", json={"product_id": product["product_id"], "quantity": 1}, headers=sent
        )
        assert "guest_session" not in again.json()
        assert again.json()["items"][0]["quantity"] == 3
    by_token = Shopper(shop, {"Authorization": f"Bearer {session['access_token']}"})
    cart = await by_token.cart()
    assert (cart["items"][0]["quantity"], cart["session_id"]) == (3, session["session_id"])
    refused = await Shopper(shop).call("POST", "/api/cart/items", {"product_id": "nothing", "quantity": 1})
    assert (refused.status_code, "set-cookie" in refused.headers) == (422, False)


async def test_a_variant_has_one_line_and_a_price_of_the_server(shop: Shop) -> None:
    shopper, product = await customer(shop), await shop.created()
    first = await shopper.has(product, 1)
    cart = await shopper.has(product, 2)
    (line,) = cart["items"]
    assert (line["quantity"], line["unit_price"], line["line_total"], line["max_quantity"]) == (3, 39.5, 118.5, 7)
    assert (line["name"], line["variant_name"], line["available"]) == (product["name"], "Small", True)
    assert cart["totals"]["subtotal"] == 118.5
    assert cart["totals"]["tax_estimate"] == 9.78  # 9.77625, half-up
    assert cart["totals"]["total_estimate"] == 118.5 + 9.78 + cart["totals"]["shipping_estimate"]
    assert first["created_at"] == cart["created_at"]
    body = {"product_id": product["product_id"], "quantity": 1, "unit_price": 0.01}
    assert (await shopper.call("POST", "/api/cart/items", body)).status_code == 400


async def test_a_price_has_the_adjustment_of_its_variant(shop: Shop) -> None:
    shopper = await guest(shop)
    variants = [{"sku": "ADJ-1", "price_adjustment": 0.1, "on_hand": 9, "weight_grams": 6100}]
    product = await priced(shop, 0.2, variants=variants)
    cart = await shopper.has(product, 3)
    assert (cart["items"][0]["unit_price"], cart["items"][0]["line_total"]) == (0.3, 0.9)
    assert cart["totals"]["shipping_estimate"] == 12 + 14 * 2  # 18.3 kg: 14 kilograms begun beyond 5


async def test_without_a_variant_the_first_that_can_be_had(shop: Shop) -> None:
    shopper, product = await guest(shop), await shop.created()
    await stocked(shop, product, -7)
    sold_out = await shopper.add(product, variant=None)
    assert (sold_out.status_code, rule_of(sold_out)) == (422, "out_of_stock")
    await stocked(shop, product, 2, variant=1)
    cart = await shopper.has(product, variant=None)
    assert cart["items"][0]["variant_id"] == product["variants"][1]["variant_id"]


async def test_what_cannot_be_put_in(shop: Shop) -> None:
    shopper, product = await guest(shop), await shop.created()
    draft, archived = await shop.created(status="draft"), await shop.created(status="archived")

    async def rule(product_id: str, **more: object) -> str | None:
        body = {"product_id": product_id, "quantity": 1, **more}
        answer = await shopper.call("POST", "/api/cart/items", body)
        assert answer.status_code == 422
        return rule_of(answer)

    assert await rule("product-nowhere") == "product_not_found"
    assert await rule(draft["product_id"]) == "product_not_found"
    assert await rule(archived["product_id"]) == "item_unavailable"
    assert await rule(product["product_id"], variant_id="variant-nowhere") == "variant_not_found"
    assert await rule(product["slug"]) == "product_not_found"
    assert await rule(product["product_id"], quantity=8) == "out_of_stock"
    await shopper.has(product, 5)
    answer = await shopper.add(product, 3)
    details = answer.json()["error"]["details"]
    assert (details["rule"], details["in_cart"], details["available"]) == ("out_of_stock", 5, 7)
    many = await priced(shop, 1, on_hand=500)
    await shopper.has(many, 99)
    assert rule_of(await shopper.add(many, 1)) == "quantity_limit"


async def test_quantities_change_and_lines_go(shop: Shop) -> None:
    shopper, product, other = await customer(shop), await shop.created(), await priced(shop, 5)
    await shopper.has(product, 1)
    line = (await shopper.has(other, 1))["items"][0]
    path = f"/api/cart/items/{line['cart_item_id']}"
    changed = await shopper.call("PUT", path, {"quantity": 4})
    assert [each["quantity"] for each in changed.json()["items"]] == [4, 1]
    assert rule_of(await shopper.call("PUT", path, {"quantity": 8})) == "out_of_stock"
    assert (await shopper.call("PUT", path, {"quantity": 100})).status_code == 400
    gone = await shopper.call("DELETE", path)
    assert [each["product_id"] for each in gone.json()["items"]] == [other["product_id"]]
    assert gone.headers["etag"] != changed.headers["etag"]
    for method, body in (("PUT", {"quantity": 1}), ("DELETE", None)):
        assert (await shopper.call(method, path, body)).status_code == 404
        assert (await Shopper(shop).call(method, path, body)).status_code == 404
    for _ in range(2):
        assert (await shopper.call("DELETE", "/api/cart")).status_code == 204
        assert (await shopper.cart())["items"] == []
    assert (await Shopper(shop).call("DELETE", "/api/cart")).status_code == 204


async def test_new_prices_are_told_until_the_shopper_acts_on_the_line(shop: Shop) -> None:
    shopper, product = await customer(shop), await priced(shop, 69)
    await shopper.has(product, 2)
    price = {"amount": 59, "currency": "USD", "tax_rate": 0.0825}
    await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", {"price": price})
    cart = await shopper.cart()
    (notice,) = cart["notices"]
    assert (notice["code"], notice["previous_unit_price"], notice["unit_price"]) == ("price_changed", 69, 59)
    assert notice["message"] == f"The price of {product['name']} went from 69.00 to 59.00."
    assert cart["totals"]["subtotal"] == 118
    again = await shopper.cart()
    assert (again["notices"], again["updated_at"]) == (cart["notices"], cart["updated_at"])
    other = await shopper.has(await priced(shop, 5))
    assert other["notices"] == cart["notices"]
    path = f"/api/cart/items/{notice['cart_item_id']}"
    told = (await shopper.call("PUT", path, {"quantity": 2})).json()
    assert told["notices"] == cart["notices"]
    assert (await shopper.cart())["notices"] == []


async def test_what_is_sold_out_counts_no_more_and_comes_back(shop: Shop) -> None:
    shopper, product, other = await customer(shop), await priced(shop, 10, on_hand=5), await priced(shop, 3)
    await shopper.has(other)
    await shopper.has(product, 5)
    await stocked(shop, product, -2)
    cart = await shopper.cart()
    (notice,) = cart["notices"]
    assert (notice["code"], notice["previous_quantity"], notice["quantity"]) == ("quantity_reduced", 5, 3)
    await stocked(shop, product, -3)
    cart = await shopper.cart()
    assert [notice["code"] for notice in cart["notices"]] == ["unavailable"]
    line = cart["items"][1]
    assert (line["available"], line["max_quantity"], line["quantity"]) == (False, 0, 3)
    assert cart["totals"]["subtotal"] == 3
    assert (await shopper.cart())["notices"] == []
    path = f"/api/cart/items/{line['cart_item_id']}"
    assert rule_of(await shopper.call("PUT", path, {"quantity": 1})) == "out_of_stock"
    await stocked(shop, product, 9)
    assert (await shopper.cart())["items"][1]["available"]


@pytest.mark.parametrize("how", ["archived", "deleted", "without the variant"])
async def test_what_is_not_sold_any_more_stays_to_be_seen(shop: Shop, how: str) -> None:
    shopper, product = await customer(shop), await shop.created()
    await stocked(shop, product, 3, variant=1)
    line = (await shopper.has(product, 2, variant=1))["items"][0]
    path = f"/api/admin/products/{product['product_id']}"
    if how == "archived":
        await shop.as_admin("PUT", path, {"status": "archived"})
    elif how == "deleted":
        assert (await shop.as_admin("DELETE", path)).status_code == 204
    else:
        first = product["variants"][0]
        kept = {"variants": [{"variant_id": first["variant_id"], "sku": first["sku"]}]}
        assert (await shop.as_admin("PUT", path, kept)).status_code == 200
    cart = await shopper.cart()
    shown = cart["items"][0]
    assert (shown["name"], shown["available"], shown["max_quantity"]) == (product["name"], False, 0)
    assert cart["totals"]["total_estimate"] == 0
    assert "shipping_estimate" not in cart["totals"]
    change = await shopper.call("PUT", f"/api/cart/items/{line['cart_item_id']}", {"quantity": 1})
    assert rule_of(change) == "item_unavailable"


async def test_carts_live_as_long_as_their_owners_come_back(shop: Shop) -> None:
    product = await priced(shop, 5)
    for shopper, days in ((await guest(shop), 14), (await customer(shop), 90)):
        await shopper.has(product)
        found = await store.read(shop.services.store, shopper.user_id)
        assert found is not None
        assert found.data["ttl"] == days * 24 * 3600
        assert found.data["order_id"] is None
        version = found.data["version"]
        await shopper.has(product)
        found = await store.read(shop.services.store, shopper.user_id)
        assert found is not None
        assert found.data["version"] > version


async def test_a_cart_has_a_hundred_lines(shop: Shop) -> None:
    shopper, product, more = await guest(shop), await priced(shop, 1), await priced(shop, 2)
    await shopper.has(product)
    found = await store.read(shop.services.store, shopper.user_id)
    assert found is not None
    item = found.data["items"][0]
    others = [{**item, "variant_id": f"variant-{n}", "cart_item_id": f"cartitem-{n}"} for n in range(99)]
    await store.write(shop.services.store, {**found.data, "items": [item, *others]}, found.etag, _now(shop))
    assert rule_of(await shopper.add(more)) == "quantity_limit"
    assert len((await shopper.has(product))["items"]) == 100


async def test_adds_are_counted_on_the_product(shop: Shop) -> None:
    shopper, product = await guest(shop), await priced(shop, 1)
    await shopper.has(product, 3)
    await shop.services.room(Counters).flush()
    read = await shop.get(f"/api/products/{product['product_id']}")
    assert read["analytics"]["add_to_cart"] == 1


def _now(shop: Shop) -> datetime:
    return shop.services.clock.now()
