"""Agents first, the shop's own choice when they do not answer: against a small HTTP server that plays them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.partners.agents import Agents
from tests.support.shop import Shop
from tests.support.stage import Stage, on_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def ids(answer: Json) -> list[str]:
    """The ids of a list."""
    return [item["product_id"] for item in answer["items"]]


async def test_the_agents_choice_is_shown_in_its_order(shop: Shop) -> None:
    products = await shop.products()
    draft = await shop.created(status="draft")
    stage = Stage()
    picked = [products[7]["product_id"], products[3]["product_id"], products[50]["product_id"]]
    stage.answer = lambda: {"product_ids": [picked[0], "product-unknown", *picked, draft["product_id"], 7]}
    async with on_stage(shop.services, stage):
        featured = await shop.get("/api/products/featured", limit=2)
        found = await shop.get("/api/products/search", q="agent asked first")
        related = await shop.get(f"/api/products/{picked[0]}/related", limit=9)
    assert ids(featured) == picked[:2]
    assert featured["total"] == 3
    assert ids(found) == picked
    assert ids(related) == picked[1:]
    assert [path for path, _ in stage.asked] == [
        "/product-management-assortment-optimization/assortment/featured",
        "/ecommerce-catalog-search/catalog/search",
        "/ecommerce-cart-intelligence/cart/recommendations",
    ]
    assert stage.asked[1][1] == {"query": "agent asked first", "category": None, "limit": 200}


async def test_answers_are_kept(shop: Shop) -> None:
    stage = Stage()
    stage.answer = lambda: {"product_ids": []}
    async with on_stage(shop.services, stage) as asked:
        for _ in range(3):
            assert await asked.ask("crm-profile-aggregation", "/profile/summary", {"user": "kept"}) == {
                "product_ids": []
            }
    assert len(stage.asked) == 1


@pytest.mark.parametrize("trouble", ["status", "slow", "nonsense", "empty", "text"])
async def test_a_silent_agent_costs_no_answer(shop: Shop, trouble: str) -> None:
    stage = Stage()
    if trouble == "status":
        stage.status = 500
    if trouble == "slow":
        stage.delay = 2.0
    stage.answer = {"nonsense": lambda: [1], "empty": lambda: {"product_ids": []}}.get(trouble, lambda: {"x": "y"})
    words = f"teddy {trouble} bear"
    async with on_stage(shop.services, stage):
        started = asyncio.get_running_loop().time()
        answer = await shop.get("/api/products/search", q=words)
        assert asyncio.get_running_loop().time() - started < 1.5
    assert answer["query"] == words
    assert stage.asked


async def test_an_agent_that_keeps_failing_is_left_alone(shop: Shop) -> None:
    stage = Stage()
    stage.status = 503
    async with on_stage(shop.services, stage) as asked:
        for number in range(12):
            assert await asked.ask("inventory-health-check", "/inventory/health", {"number": number}) is None
        assert await asked.ask("logistics-eta-computation", "/logistics/eta", {}) is None
    assert len([path for path, _ in stage.asked if path.startswith("/inventory")]) == 5
    assert len(stage.asked) == 6


async def test_without_agents_nobody_is_asked(shop: Shop) -> None:
    assert await Agents("", shop.services.cache).ask("ecommerce-catalog-search", "/catalog/search", {}) is None
