"""Moves that others get in the way of, and events that change what a product shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from generated import models as m
from handlers.contract.services import Services
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.ids import new_id
from handlers.platform.store.claims import get_lookup
from handlers.platform.store.port import Document, DocumentStore, Operation, Patch, Replace
from handlers.products import documents, events, move, store, write
from handlers.products.catalogue import Catalogue
from tests.support.shop import Shop

Json = dict[str, Any]
AUTHOR = write.Author("user-demo-admin", "request-move")
OLD, NEW = "toys-building", "toys-plush"


class BusyStore:
    """A store in which somebody else writes right behind the first batch."""

    def __init__(self, inner: DocumentStore, others: Callable[[], Awaitable[Any]]) -> None:
        self._inner = inner
        self._others: Callable[[], Awaitable[Any]] | None = others

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def batch(self, container: str, partition: Any, operations: Sequence[Operation]) -> list[Document | None]:
        """The batch, and the first time what the others do."""
        written = await self._inner.batch(container, partition, operations)
        others, self._others = self._others, None
        if others is not None:
            await others()
        return written


@contextmanager
def busy(services: Services, others: Callable[[], Awaitable[Any]]) -> Iterator[None]:
    """Puts the busy store in the place of the store."""
    inner = services.store
    services.store = BusyStore(inner, others)
    try:
        yield
    finally:
        services.store = inner


async def begun(shop: Shop) -> tuple[Document, Json, list[str]]:
    """A product, and what it will be in its new category."""
    product = await shop.created(category_slug=OLD)
    before = await shop.services.room(Catalogue).find(product["product_id"])
    assert before is not None
    body = m.ProductUpdate(category_slug=NEW, name="Moved")
    moved, changed = documents.changed_product(before.data, body, [], timestamp(shop.services.clock.now()))
    return before, moved, changed


async def copies(shop: Shop, product_id: str) -> list[str]:
    """The categories in which the product lies."""
    found = [await store.read(shop.services.store, slug, product_id) for slug in (OLD, NEW)]
    return [document.data["category_slug"] for document in found if document is not None]


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_counted_during_a_move_moves_along(shop: Shop) -> None:
    before, moved, changed = await begun(shop)
    product_id, inner = moved["product_id"], shop.services.store
    patch = Patch(product_id, increments={"analytics.views": 5, "variants.0.stock": -2}, sets={"rating.count": 4})
    with busy(shop.services, lambda: inner.write(store.CONTAINER, patch, partition=OLD)):
        written = await write.change(shop.services, before, moved, changed, AUTHOR)
    assert await copies(shop, product_id) == [NEW]
    assert written.data["analytics"]["views"] == 5
    assert written.data["rating"]["count"] == 4
    assert [variant["stock"] for variant in written.data["variants"]] == [5, 0]
    assert await shop.get(f"/api/products/{product_id}") == written.data


@pytest.mark.asyncio(loop_scope="session")
async def test_a_change_made_during_a_move_counts_too(shop: Shop) -> None:
    before, moved, changed = await begun(shop)
    product_id, inner = moved["product_id"], shop.services.store
    other = {**before.data, "brand": "Rebranded meanwhile", "updated_at": timestamp(shop.services.clock.now())}
    with busy(shop.services, lambda: inner.write(store.CONTAINER, Replace(other))):
        written = await write.change(shop.services, before, moved, changed, AUTHOR)
    assert await copies(shop, product_id) == [NEW]
    assert (written.data["name"], written.data["brand"]) == ("Moved", "Rebranded meanwhile")
    assert await get_lookup(inner, store.LOOKUP, product_id) == {"category_slug": NEW}
    assert await shop.get(f"/api/products/{product_id}") == written.data


@pytest.mark.asyncio(loop_scope="session")
async def test_of_two_movers_one_wins(shop: Shop) -> None:
    before, moved, changed = await begun(shop)
    product_id = moved["product_id"]
    body = m.ProductUpdate(category_slug="home-kitchen")
    other, fields = documents.changed_product(before.data, body, [], timestamp(shop.services.clock.now()))
    results = await asyncio.gather(
        write.change(shop.services, before, moved, changed, AUTHOR),
        write.change(shop.services, before, other, fields, AUTHOR),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Document", "VersionConflict"]
    everywhere = [*await copies(shop, product_id)]
    if await store.read(shop.services.store, "home-kitchen", product_id) is not None:
        everywhere.append("home-kitchen")
    target = await get_lookup(shop.services.store, store.LOOKUP, product_id)
    assert target == {"category_slug": everywhere[0]}
    assert len(everywhere) == 1


@pytest.mark.asyncio(loop_scope="session")
async def test_administrators_who_move_at_the_same_time(shop: Shop) -> None:
    product = await shop.created(category_slug=OLD)
    path = f"/api/admin/products/{product['product_id']}"
    slugs = [NEW, "home-kitchen", "books-fiction", NEW, OLD]
    answers = await asyncio.gather(*(shop.as_admin("PUT", path, {"category_slug": slug}) for slug in slugs))
    assert {answer.status_code for answer in answers} == {200}
    shown = await shop.get(f"/api/products/{product['product_id']}")
    places = [slug for slug in {*slugs} if await store.read(shop.services.store, slug, product["product_id"])]
    assert places == [shown["category_slug"]]


def test_what_is_merged() -> None:
    variants = [{"variant_id": "a", "stock": 1}, {"variant_id": "b", "stock": 1}]
    old = {
        **dict.fromkeys(documents.EDITABLE, "old"),
        "rating": {"count": 5},
        "analytics": {"views": 1},
        "variants": variants,
        "updated_at": "2026-01-02",
    }
    new = {
        **old,
        **dict.fromkeys(documents.EDITABLE, "new"),
        "rating": {"count": 4},
        "analytics": {"views": 7},
        "variants": [{"variant_id": "a", "stock": 2}, {"variant_id": "b", "stock": 2}, {"variant_id": "c", "stock": 9}],
        "updated_at": "2026-01-01",
    }
    note = {"moved": {"from": "old", "version": "1", "fields": ["name", "variants", "category_slug"]}}
    made = move.merged(old, {"stock_versions": {"a": 3}}, new, {**note, "stock_versions": {"a": 2, "b": 8}})
    assert (made["name"], made["brand"], made["category_slug"]) == ("new", "old", "new")
    assert (made["rating"], made["analytics"], made["updated_at"]) == ({"count": 5}, {"views": 7}, "2026-01-02")
    assert [variant["stock"] for variant in made["variants"]] == [1, 2, 9]


def review(product_id: str, average: float, count: int) -> Event[Any]:
    """A review that was published, with the rating of its product."""
    data = {"product_id": product_id, "product_rating": {"average": average, "count": count}}
    return Event(
        id=new_id("event"),
        type="ReviewPublished",
        version="1.0",
        timestamp="2026-01-01T00:00:00.000Z",
        source="crud-service",
        data=data,
        correlation_id="request-review",
        causation_id="request-review",
        group="crud-products",
        topic="product-events",
        key=product_id,
    )


@pytest.mark.asyncio(loop_scope="session")
async def test_ratings_follow_reviews(shop: Shop) -> None:
    product = await shop.created()
    product_id = product["product_id"]
    second, first = review(product_id, 4.5, 2), review(product_id, 5.0, 1)
    for event in (second, second, first, review("product-gone", 3.0, 1)):
        await events.on_review_published(event, shop.services)
    shown = await shop.get(f"/api/products/{product_id}")
    assert shown["rating"] == {"average": 4.5, "count": 2}
    found = await shop.get("/api/products", category=OLD, filters={"rating": 4.5}, limit=100)
    assert product_id in {item["product_id"] for item in found["items"]}


@pytest.mark.asyncio(loop_scope="session")
async def test_stock_of_what_is_no_longer_there_is_no_news(shop: Shop) -> None:
    product = await shop.created()
    data = {"product_id": product["product_id"], "variant_id": "variant-gone", "version": 1, "level": {"available": 9}}
    event = review(product["product_id"], 1.0, 1)
    stock: Event[Any] = Event(**{name: getattr(event, name) for name in event.__slots__} | {"data": data})
    await events.on_stock_level_changed(stock, shop.services)
    assert await shop.get(f"/api/products/{product['product_id']}") == product
