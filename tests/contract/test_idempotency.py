"""`Idempotency-Key` from the contract to the store: one effect, one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from handlers.platform.store.port import Query
from tests.contract.conftest import Small
from tests.support.small.shop import api

KEY = "7f9c24e5-3c1f-4a8e-9f43-0f6a2f3f8f11"


@pytest.fixture(autouse=True)
def gate() -> Iterator[None]:
    """Open again, whatever a test did."""
    yield
    api.GATE.set()


async def refund(small: Small, name: str = "x", *, key: str | None = KEY, order: str = "order-1") -> httpx.Response:
    """A refund, which is a new one each time it takes effect."""
    headers = {"Idempotency-Key": key} if key else {}
    return await small.client.post(f"/orders/{order}/refunds", json={"name": name}, headers=headers)


async def refunds(small: Small, order: str = "order-1") -> int:
    """How many took effect."""
    return await small.services.store.count(Query("payments", order))


def rule_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and broken rule."""
    return answer.status_code, answer.json()["error"]["details"]["rule"]


async def test_a_repetition_gets_the_first_answer(small: Small) -> None:
    first, again = await refund(small), await refund(small)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert await refunds(small) == 1


async def test_another_request_with_the_key_is_refused(small: Small) -> None:
    await refund(small)
    assert rule_of(await refund(small, "y")) == (422, "idempotency_key_reused")
    assert await refunds(small) == 1


async def test_two_at_once_have_one_effect(small: Small) -> None:
    api.GATE.clear()
    first = asyncio.create_task(refund(small))
    await asyncio.sleep(0.05)
    assert rule_of(await refund(small)) == (409, "idempotency_in_progress")
    api.GATE.set()
    assert (await first).status_code == 201
    assert (await refund(small)).content == (await first).content
    assert await refunds(small) == 1


async def test_what_had_no_effect_may_be_tried_again(small: Small) -> None:
    assert (await refund(small, "refused")).status_code == 404
    assert (await refund(small, "forgotten")).status_code == 201
    assert (await refund(small)).status_code == 201
    assert await refunds(small) == 1


async def test_without_a_key_each_one_counts(small: Small) -> None:
    first, again = await refund(small, key=None), await refund(small, key=None)
    assert first.content != again.content
    assert await refunds(small) == 2


async def test_a_key_that_does_not_fit_is_refused(small: Small) -> None:
    assert (await refund(small, key="short")).status_code == 400
