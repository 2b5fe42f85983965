"""Carts while the store loses answers, or others are always faster."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.cart import store
from handlers.platform.store.port import OutcomeUnknown, VersionConflict
from tests.support.shop import Shop
from tests.support.shopper import customer, guest, priced

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_add_whose_answer_is_lost_counts_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper, product = await customer(shop), await priced(shop, 10)
    write = shop.services.store.write

    async def losing(container: str, operation: Any, **more: Any) -> Any:
        await write(container, operation, **more)
        raise OutcomeUnknown("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.store, "write", losing)
        assert (await shopper.add(product, 2)).json()["items"][0]["quantity"] == 2
    assert (await shopper.cart())["items"][0]["quantity"] == 2


async def test_an_add_that_is_lost_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper, product = await customer(shop), await priced(shop, 10)

    async def lost(*_: Any, **__: Any) -> Any:
        raise OutcomeUnknown("nobody knows")

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.store, "write", lost)
        assert (await shopper.add(product, 2)).status_code == 503
    assert (await shopper.cart())["items"] == []


async def test_others_who_are_always_faster(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper, product = await customer(shop), await priced(shop, 10)

    async def faster(*_: Any, **__: Any) -> Any:
        raise VersionConflict("somebody else")

    with monkeypatch.context() as patch:
        patch.setattr(shop.services.store, "write", faster)
        patch.setattr("handlers.cart.basket.ATTEMPTS", 2)
        assert (await shopper.add(product)).status_code == 503


async def test_a_cart_that_has_changed_is_not_removed(shop: Shop) -> None:
    shopper, product = await guest(shop), await priced(shop, 10)
    await shopper.has(product)
    before = await store.read(shop.services.store, shopper.user_id)
    assert before is not None
    await shopper.has(product)
    assert not await store.remove(shop.services.store, before)
    now = await store.read(shop.services.store, shopper.user_id)
    assert now is not None
    assert await store.remove(shop.services.store, now)
    assert await store.remove(shop.services.store, now)
