"""A placed order keeps the use of its promo code, one that never came gives it back: whatever comes first, deadline or
repetition, and whoever fails beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from handlers.orders import events, placing, store
from handlers.orders.watchdog import Watchdog
from handlers.platform.store.port import StoreUnavailable
from handlers.pricing import promotions
from tests.orders.test_orders import ordered, orders_of
from tests.orders.test_process import event
from tests.support.people import rule_of
from tests.support.shop import Shop, running_shop
from tests.support.shopper import Shopper, customer, priced, promotion

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
KEY = "key-of-the-same-order"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stall(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """A shop without an event side: its watchdog looks when the test says so, and its clock only ever moves on."""
    async with running_shop(tmp_path_factory.mktemp("stall"), redis_url, ROLE="crud") as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="session")
async def dog(stall: Shop) -> AsyncIterator[Watchdog]:
    """The watchdog, which has looked before anything of the test is due."""
    await stall.sign_in()
    watchdog = Watchdog(stall.services)
    await watchdog.sweep()
    yield watchdog
    await watchdog.stop()


async def uses(shop: Shop, code: str) -> int:
    """How many uses of a code are counted."""
    found = await promotions.read(shop.services.store, code)
    assert found is not None
    return int(found.data["redeemed"])


async def once(shop: Shop) -> str:
    """A code that works once for each customer."""
    return await promotion(shop, "percentage", 10, once_per_customer=True)


async def with_cart(shop: Shop) -> Shopper:
    """A customer with something in the cart."""
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 30.0))
    return shopper


async def goes_on(shop: Shop, answer: httpx.Response) -> None:
    """An order was placed, and its stock is held: it has half an hour from now."""
    assert answer.status_code == 201, answer.text
    await events.on_inventory_reserved(event("InventoryReserved", answer.json()), shop.services)


async def _dies(*_: Any) -> None:
    raise RuntimeError("the process ends here")


async def dead(shopper: Shopper, **changes: Any) -> None:
    """An attempt to order that dies between the use of its code and the order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "note_whereabouts", _dies)
        assert (await ordered(shopper, **changes)).status_code == 500


@asynccontextmanager
async def halted(order: Callable[[], Any]) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A request that has used its code and waits, before it writes the order, until the block ends."""
    there, go_on = asyncio.Event(), asyncio.Event()
    noted = store.note_whereabouts

    async def wait(*given: Any) -> None:
        there.set()
        await go_on.wait()
        await noted(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "note_whereabouts", wait)
        task: asyncio.Task[httpx.Response] = asyncio.create_task(order())
        await asyncio.wait({task, asyncio.create_task(there.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert there.is_set(), task.result().text
    yield task
    go_on.set()
    await asyncio.wait({task})


@contextmanager
def stalling() -> Iterator[None]:
    """While in it, no order can be written: the store is away."""

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "settled", away)
        yield


async def test_a_repetition_at_the_deadline_keeps_the_use(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    await dead(shopper, promo_code=code, key=KEY)
    stall.running.clock.advance(minutes=4, seconds=50)
    async with halted(lambda: ordered(shopper, promo_code=code, key=KEY)) as again:
        stall.running.clock.advance(seconds=15)
        await dog.sweep()
        assert await uses(stall, code) == 1
    await goes_on(stall, again.result())
    assert await uses(stall, code) == 1
    stall.running.clock.advance(minutes=5)
    await dog.sweep()
    assert await uses(stall, code) == 1


async def test_a_repetition_after_the_deadline_counts_anew(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    await dead(shopper, promo_code=code, key=KEY)
    stall.running.clock.advance(minutes=5, seconds=1)
    await dog.sweep()
    assert await uses(stall, code) == 0
    assert (await ordered(shopper, promo_code=code, key=KEY)).status_code == 201
    assert await uses(stall, code) == 1


async def test_a_repetition_that_dies_too_gives_the_use_back_at_its_own_deadline(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    await dead(shopper, promo_code=code, key=KEY)
    stall.running.clock.advance(minutes=3)
    await dead(shopper, promo_code=code, key=KEY)
    stall.running.clock.advance(minutes=3)
    await dog.sweep()
    assert await uses(stall, code) == 1
    stall.running.clock.advance(minutes=3)
    await dog.sweep()
    assert await uses(stall, code) == 0


@pytest.mark.parametrize("minutes", [0, 2])
async def test_an_order_with_another_code_gives_the_first_one_back(stall: Shop, dog: Watchdog, minutes: int) -> None:
    shopper, first, second = await with_cart(stall), await once(stall), await once(stall)
    await dead(shopper, promo_code=first)
    stall.running.clock.advance(minutes=minutes)
    await goes_on(stall, await ordered(shopper, promo_code=second))
    stall.running.clock.advance(minutes=5, seconds=1)
    await dog.sweep()
    assert (await uses(stall, first), await uses(stall, second)) == (0, 1)


async def test_who_fails_takes_nothing_from_who_goes_on(stall: Shop, dog: Watchdog) -> None:
    """Two requests order the same cart: the store is away for the first, the second places the order."""
    shopper, code = await with_cart(stall), await once(stall)
    async with halted(lambda: ordered(shopper, promo_code=code)) as second:
        with stalling():
            assert (await ordered(shopper, promo_code=code)).status_code == 503
        assert await uses(stall, code) == 1
    await goes_on(stall, second.result())
    assert await uses(stall, code) == 1
    stall.running.clock.advance(minutes=5, seconds=1)
    await dog.sweep()
    assert await uses(stall, code) == 1


async def test_when_the_store_was_away_the_use_comes_back_in_time(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    with stalling():
        assert (await ordered(shopper, promo_code=code)).status_code == 503
    stall.running.clock.advance(minutes=5, seconds=1)
    await dog.sweep()
    assert await uses(stall, code) == 0


async def test_who_comes_after_the_order_has_ended_uses_nothing(stall: Shop, dog: Watchdog) -> None:
    """The order of this cart was placed and cancelled while a second request was on its way."""
    shopper, code = await with_cart(stall), await once(stall)
    async with halted(lambda: ordered(shopper, promo_code=code)) as second:
        placed = await ordered(shopper, promo_code=code)
        assert placed.status_code == 201, placed.text
        order_id = placed.json()["order_id"]
        assert (await shopper.call("POST", f"/api/orders/{order_id}/cancel")).status_code == 200
        # What `OrderCancelled` does, and then the second request counts anew.
        await promotions.release(stall.services.store, code, order_id)
        await promotions.redeem(stall.services.store, code, order_id, shopper.user_id)
    assert (second.result().status_code, rule_of(second.result())) == (409, "cart_changed")
    assert await uses(stall, code) == 0


async def test_who_dies_after_the_order_has_ended_gives_the_use_back(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    placed = await ordered(shopper, promo_code=code)
    order_id = placed.json()["order_id"]
    assert (await shopper.call("POST", f"/api/orders/{order_id}/cancel")).status_code == 200
    await promotions.release(stall.services.store, code, order_id)
    await promotions.redeem(stall.services.store, code, order_id, shopper.user_id)
    stall.running.clock.advance(minutes=5, seconds=1)
    await dog.sweep()
    assert await uses(stall, code) == 0


async def test_an_attempt_older_than_any_request_places_nothing(stall: Shop, dog: Watchdog) -> None:
    """A process that slept through the deadline would place an order whose use was given back."""
    shopper, code = await with_cart(stall), await once(stall)
    async with halted(lambda: ordered(shopper, promo_code=code)) as late:
        stall.running.clock.advance(minutes=5, seconds=1)
        await dog.sweep()
        assert await uses(stall, code) == 0
    assert late.result().status_code == 503
    assert await uses(stall, code) == 0
    assert (await ordered(shopper, promo_code=code)).status_code == 201
    assert await uses(stall, code) == 1


@pytest.mark.parametrize("limit", [{"once_per_customer": True}, {"max_redemptions": 1}])
async def test_the_cart_keeps_the_code_that_its_own_order_uses(stall: Shop, dog: Watchdog, limit: Json) -> None:
    """The order of this cart died half-way, and the shopper looks at the cart, changes it, and orders again."""
    shopper, code = await with_cart(stall), await promotion(stall, "percentage", 10, **limit)
    assert (await shopper.call("POST", "/api/checkout/promo", {"code": code})).status_code == 200
    await dead(shopper)
    cart = await shopper.cart()
    assert (cart["promo_code"], cart["notices"], cart["totals"]["discount"]) == (code, [], 3.0)
    assert (await shopper.quote(shipping_method="standard")).json()["totals"]["discount"] == 3.0
    changed = await shopper.has(await priced(stall, 10.0))
    assert (changed["promo_code"], changed["notices"], changed["totals"]["discount"]) == (code, [], 4.0)
    cart = await shopper.cart()
    assert (cart["promo_code"], cart["notices"]) == (code, [])
    order = await ordered(shopper)
    assert (order.status_code, order.json()["totals"]["discount"]) == (201, 4.0), order.text
    assert await uses(stall, code) == 1
    # The next cart is another order: there the code is used.
    await shopper.has(await priced(stall, 10.0))
    refused = await shopper.call("POST", "/api/checkout/promo", {"code": code})
    assert rule_of(refused) in ("promo_code_used", "promo_code_exhausted")


async def test_another_cart_of_the_customer_does_not_keep_it(stall: Shop, dog: Watchdog) -> None:
    shopper, code = await with_cart(stall), await once(stall)
    assert (await shopper.call("POST", "/api/checkout/promo", {"code": code})).status_code == 200
    await promotions.redeem(stall.services.store, code, "order-of-another-cart", shopper.user_id)
    cart = await shopper.cart()
    assert (cart["promo_code"], [notice["code"] for notice in cart["notices"]]) == (None, ["promo_code_removed"])


async def test_a_cart_that_was_changed_after_it_was_ordered_is_not_ordered_twice(stall: Shop, dog: Watchdog) -> None:
    """The process died between the order and the emptied cart; the shopper, who has seen neither, adds something."""
    shopper, product = await customer(stall), await priced(stall, 30.0)
    await shopper.has(product, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "take_ordered", _dies)
        assert (await ordered(shopper)).status_code == 500
    other = await priced(stall, 10.0)
    await shopper.has(other)
    again = await ordered(shopper)
    assert (again.status_code, rule_of(again)) == (409, "cart_changed")
    left = (await shopper.cart())["items"]
    assert [(line["product_id"], line["quantity"]) for line in left] == [(other["product_id"], 1)]
    assert (await ordered(shopper)).status_code == 201
    assert len(await orders_of(stall, shopper.user_id)) == 2
