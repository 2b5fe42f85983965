"""Details and related products over HTTP."""

from __future__ import annotations

import pytest

from tests.products.reference import values_of
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_by_id_and_by_slug(shop: Shop) -> None:
    by_slug = await shop.client.get("/api/products/apple-macbook-air-13-inch")
    by_id = await shop.client.get(f"/api/products/{by_slug.json()['product_id']}")
    assert by_slug.content == by_id.content
    assert by_slug.headers["etag"] == by_id.headers["etag"]


@pytest.mark.parametrize("name", ["nothing", "product-0000000000000000", "a" * 64])
async def test_an_unknown_product_is_404(shop: Shop, name: str) -> None:
    for path in (f"/api/products/{name}", f"/api/products/{name}/related", f"/api/products/{name}/inventory"):
        assert (await shop.refused(path))["code"] == "RESOURCE_NOT_FOUND"


async def test_every_stored_product_can_be_read(shop: Shop) -> None:
    for product in (await shop.products())[:40]:
        assert await shop.get(f"/api/products/{product['slug']}") == product


async def test_related_are_of_the_same_category_the_most_alike_first(shop: Shop) -> None:
    laptop = await shop.get("/api/products/apple-macbook-air-13-inch")
    related = (await shop.get(f"/api/products/{laptop['product_id']}/related", limit=6))["items"]
    assert len(related) == 6
    assert laptop["product_id"] not in {item["product_id"] for item in related}
    details = [await shop.get(f"/api/products/{item['product_id']}") for item in related]
    same = [p["category_slug"] == laptop["category_slug"] for p in details]
    assert same == sorted(same, reverse=True)
    keys = ("color", "ram", "storage", "screen_size", "processor")
    shared = [
        sum(len(values_of(p, key) & values_of(laptop, key)) for key in keys) + (p["brand"] == laptop["brand"])
        for p, same_category in zip(details, same, strict=True)
        if same_category
    ]
    assert shared == sorted(shared, reverse=True)


async def test_related_go_on_around_a_small_category(shop: Shop) -> None:
    related = (await shop.get("/api/products/razer-blade-16/related", limit=12))["items"]
    assert len(related) == 12


async def test_a_draft_has_no_related_products(shop: Shop) -> None:
    draft = await shop.created(status="draft")
    assert (await shop.refused(f"/api/products/{draft['product_id']}/related"))["code"] == "RESOURCE_NOT_FOUND"


async def test_answers_from_memory_say_so_and_are_the_same(shop: Shop) -> None:
    answers = [await shop.client.get("/api/products?category=sports&limit=9") for _ in range(3)]
    assert answers[2].headers["x-cache"] == "HIT"
    assert len({answer.content for answer in answers}) == 1
