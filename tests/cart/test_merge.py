"""Taking over a guest's cart after login."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from handlers.cart import store
from handlers.cart.events import on_user_deleted
from handlers.cart.ordered import take_ordered
from handlers.platform.store.port import Document, DocumentStore
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, event_of, guest, priced, promotion

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def merged(mine: Shopper, theirs: Shopper) -> dict[str, object]:
    """A merge that succeeds; answers quantities by name, and notices."""
    token = theirs.bearer["Authorization"].removeprefix("Bearer ")
    answer = await mine.call("POST", "/api/cart/merge", {"guest_token": token})
    assert answer.status_code == 200, answer.text
    cart: dict[str, object] = answer.json()
    return cart


def quantities(cart: dict[str, object]) -> list[int]:
    """The units of each line."""
    return [each["quantity"] for each in cart["items"]]  # type: ignore[attr-defined]  # JSON


async def test_units_add_up_and_the_guest_has_nothing_left(shop: Shop) -> None:
    mine, theirs = await customer(shop), await guest(shop)
    product, other = await priced(shop, 10), await priced(shop, 4)
    await mine.has(product, 2)
    await theirs.has(product, 3)
    await theirs.has(other, 1)
    cart = await merged(mine, theirs)
    assert quantities(cart) == [5, 1]
    assert cart["notices"] == []
    assert (await theirs.cart())["items"] == []
    assert quantities(await merged(mine, theirs)) == [5, 1]


async def test_what_does_not_fit_is_said(shop: Shop) -> None:
    mine, theirs = await customer(shop), await guest(shop)
    scarce, plenty = await priced(shop, 10, on_hand=4), await priced(shop, 1, on_hand=500)
    for product, quantity in ((scarce, 3), (plenty, 70)):
        await mine.has(product, quantity)
        await theirs.has(product, quantity)
    cart = await merged(mine, theirs)
    assert quantities(cart) == [4, 99]
    told = [(n["code"], n["previous_quantity"], n["quantity"]) for n in cart["notices"]]  # type: ignore[attr-defined]  # JSON
    assert told == [("quantity_reduced", 6, 4), ("quantity_reduced", 99, 99)]


async def test_ones_own_promo_code_stays_and_the_guests_fills_in(shop: Shop) -> None:
    product = await priced(shop, 10)
    own, others = await promotion(shop, "percentage", 10), await promotion(shop, "percentage", 20)
    for first, expected in ((own, own), (None, others)):
        mine, theirs = await customer(shop), await guest(shop)
        await mine.has(product)
        await theirs.has(product)
        await theirs.call("POST", "/api/checkout/promo", {"code": others})
        if first:
            await mine.call("POST", "/api/checkout/promo", {"code": first})
        assert (await merged(mine, theirs))["promo_code"] == expected


async def test_only_a_guests_token_merges(shop: Shop) -> None:
    mine, other = await customer(shop), await customer(shop)
    token = other.bearer["Authorization"].removeprefix("Bearer ")
    assert rule_of(await mine.call("POST", "/api/cart/merge", {"guest_token": token})) == "token_invalid"
    assert rule_of(await mine.call("POST", "/api/cart/merge", {"guest_token": "x.y.z"})) == "token_invalid"
    theirs = await guest(shop)
    old = shop.services.tokens.issue(shop.services.tokens.verify(_token(theirs)), lifetime=timedelta(seconds=-5))
    assert rule_of(await mine.call("POST", "/api/cart/merge", {"guest_token": old})) == "token_expired"


async def test_parallel_merges_take_once(shop: Shop) -> None:
    mine, theirs, product = await customer(shop), await guest(shop), await priced(shop, 10)
    await theirs.has(product, 3)
    carts = await asyncio.gather(*(merged(mine, theirs) for _ in range(4)))
    assert [quantities(cart) for cart in carts] == [[3]] * 4
    assert quantities(await mine.cart()) == [3]


async def test_a_crash_between_the_two_carts_doubles_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs, product = await customer(shop), await guest(shop), await priced(shop, 10)
    await theirs.has(product, 3)

    async def crash(_: DocumentStore, __: Document) -> bool:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "remove", crash)
        body = {"guest_token": _token(theirs)}
        assert (await mine.call("POST", "/api/cart/merge", body)).status_code == 500
    assert quantities(await mine.cart()) == [3]
    await theirs.has(product, 2)  # the guest goes on
    assert quantities(await merged(mine, theirs)) == [5]
    await theirs.has(product, 1)  # a cart of its own again
    assert quantities(await merged(mine, theirs)) == [6]


async def test_a_guest_who_keeps_changing_is_given_up_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs, product = await customer(shop), await guest(shop), await priced(shop, 10)
    await theirs.has(product, 3)

    async def changed(_: DocumentStore, __: Document) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(store, "remove", changed)
        assert (await mine.call("POST", "/api/cart/merge", {"guest_token": _token(theirs)})).status_code == 503
    assert quantities(await merged(mine, theirs)) == [3]


async def test_what_was_ordered_leaves_the_cart_once(shop: Shop) -> None:
    shopper, product, other = await customer(shop), await priced(shop, 10), await priced(shop, 4)
    await shopper.has(product, 3)
    await shopper.has(other, 1)
    code = await promotion(shop, "percentage", 10)
    await shopper.call("POST", "/api/checkout/promo", {"code": code})
    ordered = {product["variants"][0]["variant_id"]: 2, other["variants"][0]["variant_id"]: 1}
    for _ in range(2):
        await take_ordered(shop.services, shopper.user_id, "order-1", ordered)
        cart = await shopper.cart()
        assert (quantities(cart), cart["promo_code"]) == ([1], None)
    found = await store.read(shop.services.store, shopper.user_id)
    assert found is not None
    assert found.data["order_id"] == "order-1"
    await take_ordered(shop.services, "user-without-cart", "order-1", ordered)


async def test_a_deleted_user_leaves_no_cart(shop: Shop) -> None:
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 10))
    event = event_of("UserDeleted", {"user_id": shopper.user_id})
    for _ in range(2):
        await on_user_deleted(event, shop.services)
        assert await store.read(shop.services.store, shopper.user_id) is None


def _token(shopper: Shopper) -> str:
    return shopper.bearer["Authorization"].removeprefix("Bearer ")
