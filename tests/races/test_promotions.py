"""Uses of promotions, counted while many orders are placed and cancelled at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.platform.errors import Problem
from handlers.platform.store.port import DocumentStore, Operation, OutcomeUnknown
from handlers.pricing import promotions
from tests.support.shop import Shop
from tests.support.shopper import promotion

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def uses(shop: Shop, code: str) -> int:
    """How often a code counts as used."""
    found = await promotions.read(shop.services.store, code)
    assert found is not None
    return int(found.data["redeemed"])


async def outcomes(*tries: Any) -> list[str | None]:
    """Why each try was refused, None where it was not."""
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(result is None or isinstance(result, Problem) for result in results), results
    return [result.rule if isinstance(result, Problem) else None for result in results]


async def test_a_code_that_works_once_counts_once(shop: Shop) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, once_per_customer=True)
    rules = await outcomes(*(promotions.redeem(store, code, f"order-{n}", "user-a") for n in range(10)))
    assert sorted(str(rule) for rule in rules) == ["None"] + ["promo_code_used"] * 9
    assert await uses(shop, code) == 1
    assert await outcomes(promotions.redeem(store, code, "order-b", "user-b")) == [None]
    assert await uses(shop, code) == 2


async def test_the_budget_is_never_exceeded(shop: Shop) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, max_redemptions=7)
    rules = await outcomes(*(promotions.redeem(store, code, f"order-{n}", f"user-{n}") for n in range(25)))
    assert rules.count(None) == 7
    assert set(rules) == {None, "promo_code_exhausted"}
    assert await uses(shop, code) == 7


async def test_both_are_the_same_again_for_one_order(shop: Shop) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, once_per_customer=True)
    for _ in range(2):
        assert set(await outcomes(*(promotions.redeem(store, code, "order-1", "user-a") for _ in range(5)))) == {None}
        assert await uses(shop, code) == 1
    for _ in range(2):
        await asyncio.gather(*(promotions.release(store, code, "order-1") for _ in range(5)))
        assert await uses(shop, code) == 0
    await promotions.redeem(store, code, "order-2", "user-a")
    assert await uses(shop, code) == 1


async def test_uses_and_releases_mixed_leave_the_right_count(shop: Shop) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, max_redemptions=100)
    for number in range(10):
        await promotions.redeem(store, code, f"old-{number}", f"user-{number}")
    tries = [promotions.release(store, code, f"old-{number}") for number in range(10)]
    tries += [promotions.redeem(store, code, f"new-{number}", f"user-{number}") for number in range(10)]
    await asyncio.gather(*tries)
    assert await uses(shop, code) == 10


async def test_codes_that_are_off_or_gone(shop: Shop) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20)
    await promotions.redeem(store, code, "order-1", "user-a")
    await shop.as_admin("PUT", f"/api/admin/promotions/{code}", {"active": False})
    assert await outcomes(promotions.redeem(store, code, "order-2", "user-b")) == ["promo_code_unknown"]
    await promotions.release(store, code, "order-1")
    assert await uses(shop, code) == 0
    assert await outcomes(promotions.redeem(store, "NOWHERE", "order-2", "user-b")) == ["promo_code_unknown"]
    await promotions.release(store, "NOWHERE", "order-2")


async def test_a_lost_answer_counts_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, once_per_customer=True)
    batch = store.batch
    lost: list[bool] = []

    async def losing(container: str, partition: Any, operations: list[Operation]) -> Any:
        result = await batch(container, partition, operations)
        if not lost:
            lost.append(True)
            raise OutcomeUnknown("the answer was lost")
        return result

    monkeypatch.setattr(store, "batch", losing)
    await promotions.redeem(store, code, "order-1", "user-a")
    assert (await uses(shop, code), len(lost)) == (1, 1)
    lost.clear()
    await promotions.release(store, code, "order-1")
    assert await uses(shop, code) == 0


async def test_a_promotion_made_anew_begins_afresh(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store, code = shop.services.store, await promotion(shop, "percentage", 20, once_per_customer=True)
    await promotions.redeem(store, code, "order-1", "user-a")

    async def crash(_: DocumentStore, __: str) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(promotions, "forget_uses", crash)
        assert (await shop.as_admin("DELETE", f"/api/admin/promotions/{code}")).status_code == 500
    body = {"code": code, "type": "percentage", "value": 5, "once_per_customer": True}
    assert (await shop.as_admin("POST", "/api/admin/promotions", body)).status_code == 201
    await promotions.release(store, code, "order-1")
    assert await uses(shop, code) == 0
    await promotions.redeem(store, code, "order-2", "user-a")
    assert await uses(shop, code) == 1
