"""Many adds to one cart at once: every one counts, or says that it does not."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import customer, guest, priced

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_twenty_parallel_adds_count_twenty(shop: Shop) -> None:
    for shopper in (await guest(shop), await customer(shop)):
        product = await priced(shop, 10, on_hand=50)
        answers = await asyncio.gather(*(shopper.add(product) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        assert [each["quantity"] for each in (await shopper.cart())["items"]] == [20]


async def test_parallel_adds_of_many_variants_keep_every_line(shop: Shop) -> None:
    shopper = await guest(shop)
    products = [await priced(shop, 1 + number) for number in range(10)]
    answers = await asyncio.gather(*(shopper.add(product, 2) for product in products))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(each["quantity"] for each in (await shopper.cart())["items"]) == [2] * 10


async def test_parallel_adds_stop_at_the_stock(shop: Shop) -> None:
    shopper, product = await guest(shop), await priced(shop, 10, on_hand=12)
    answers = await asyncio.gather(*(shopper.add(product) for _ in range(20)))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {rule_of(answer) for answer in refused} == {"out_of_stock"}
    assert len(refused) == 8
    assert (await shopper.cart())["items"][0]["quantity"] == 12
