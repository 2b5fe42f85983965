"""Counters of products: gathered, then written together."""

from __future__ import annotations

import asyncio

import pytest

from handlers.products.counters import Counters
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_views_and_carts_are_counted_and_written_in_one_go(shop: Shop) -> None:
    product = await shop.created()
    counters = shop.services.room(Counters)
    await counters.flush()
    path = f"/api/products/{product['product_id']}"
    for name in (path, f"/api/products/{product['slug']}", path):
        assert (await shop.get(name))["analytics"]["views"] == 0
    counters.put_into_cart(product["product_id"])
    counters.viewed("product-that-is-gone")
    etag = (await shop.as_admin("GET", f"/api/admin/products/{product['product_id']}")).headers["etag"]
    await asyncio.gather(counters.flush(), counters.flush())
    analytics = (await shop.get(path))["analytics"]
    assert analytics == {"views": 3, "add_to_cart": 1, "purchases": 0, "conversion_rate": 0}
    # What administrators base a change on is not out of date because somebody looked.
    answer = await shop.as_admin("PUT", f"/api/admin/products/{product['product_id']}", {"name": "Seen"}, If_Match=etag)
    assert answer.status_code == 200


async def test_popular_products_come_first(shop: Shop) -> None:
    first, second = await shop.created(), await shop.created()
    counters = shop.services.room(Counters)
    for _ in range(3):
        await shop.get(f"/api/products/{second['product_id']}")
    await counters.flush()
    items = (await shop.get("/api/products", category="toys-building", limit=100))["items"]
    ids = [item["product_id"] for item in items]
    assert ids.index(second["product_id"]) < ids.index(first["product_id"])


async def test_what_is_looked_at_most_is_written_first_and_nothing_is_lost(shop: Shop) -> None:
    often, once = await shop.created(), await shop.created()
    counters = shop.services.room(Counters)
    await counters.flush()
    for product in (often, once, often):
        counters.viewed(product["product_id"])

    async def views() -> list[int]:
        return [(await shop.get(f"/api/products/{each['product_id']}"))["analytics"]["views"] for each in (often, once)]

    await counters.flush(1)
    assert await views() == [2, 0]  # which is a view of each
    await counters.flush()
    assert await views() == [3, 2]
