"""A process that ends between any two writes loses no product, doubles none, and blocks no name.

The store ends the process (as far as the code can tell) instead of making its n-th write, for every n. Then the events
that were written are handled, as the worker does after a restart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import pytest

from generated import models as m
from handlers.contract.services import Services
from handlers.inventory import events as stock_events
from handlers.inventory import store as stock_store
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.ids import new_id
from handlers.platform.store.claims import get_lookup
from handlers.platform.store.port import Document, DocumentStore, Operation, Query
from handlers.products import documents, events, store, write
from handlers.products.catalogue import Catalogue
from tests.support.shop import Shop, new_product

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
AUTHOR = write.Author("user-demo-admin", "request-crash")
PARTITIONS = ("toys-building", "toys-plush")


class Crash(BaseException):
    """The process has ended; nothing behind it runs, not even `except Exception`."""


# Set where the process shall end. What runs beside it, such as consumers of events, is of another process then.
_ENDING: ContextVar[bool] = ContextVar("ending", default=False)


class EndingStore:
    """A store that ends the process instead of making its n-th write, and every one after it."""

    def __init__(self, inner: DocumentStore, writes: int) -> None:
        self._inner = inner
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, container: str, operation: Operation, **more: Any) -> Document | None:
        """One write, or the end."""
        self._count()
        return await self._inner.write(container, operation, **more)

    async def batch(self, container: str, partition: Any, operations: Sequence[Operation]) -> list[Document | None]:
        """One batch, or the end."""
        self._count()
        return await self._inner.batch(container, partition, operations)

    def _count(self) -> None:
        if not _ENDING.get():
            return
        if self._left <= 0:
            raise Crash
        self._left -= 1


@contextmanager
def ending_after(services: Services, writes: int) -> Any:
    """Puts the ending store in the place of the store."""
    inner = services.store
    services.store = EndingStore(inner, writes)
    token = _ENDING.set(True)
    try:
        yield
    finally:
        _ENDING.reset(token)
        services.store = inner


async def crashes(shop: Shop, writes: int, action: Callable[[], Awaitable[Any]]) -> bool:
    """Whether the action came to the end of the process before its own."""
    with ending_after(shop.services, writes):
        try:
            await action()
        except Crash:
            return True
    return False


async def copies(shop: Shop, product_id: str) -> list[Json]:
    """Every document of the product, in whatever partition."""
    found = [await shop.services.store.read(store.CONTAINER, slug, product_id) for slug in PARTITIONS]
    return [document.data for document in found if document is not None]


async def restart(shop: Shop, product_id: str) -> None:
    """Handles the events of the product that were written, and fills the index anew."""
    for slug in PARTITIONS:
        page = await shop.services.store.query(Query(store.CONTAINER, partition=slug, kind="outbox", limit=5000))
        for row in (item.data for item in page.items):
            if row["envelope"]["data"]["product_id"] == product_id:
                await _handle(shop, row["envelope"])
    await shop.services.room(Catalogue).start()


async def _handle(shop: Shop, envelope: Json) -> None:
    for room in (stock_events, events):
        key = envelope["data"]["product_id"]
        event: Event[Any] = Event.of(envelope, group=room.__name__, topic="product-events", key=key)
        name = {"ProductCreated": "created", "ProductUpdated": "updated", "ProductDeleted": "deleted"}.get(event.type)
        if name:
            await getattr(room, f"on_product_{name}")(event, shop.services)


async def later(shop: Shop) -> None:
    """Claims that were left pending may be questioned now. The clock never goes back."""
    shop.running.clock.advance(seconds=61)
    await shop.sign_in()


async def found(shop: Shop, product_id: str) -> Document:
    """The product as the catalogue finds it."""
    document = await shop.services.room(Catalogue).find(product_id)
    assert document is not None
    return document


async def test_moving_at_every_step(shop: Shop) -> None:
    steps = 0
    while True:
        product = await shop.created(category_slug="toys-building")
        product_id = product["product_id"]
        before = await found(shop, product_id)
        now = timestamp(shop.services.clock.now())
        body = m.ProductUpdate(category_slug="toys-plush", name=f"Moved {steps}", slug=f"moved-{uuid4().hex[:8]}")
        moved, changed = documents.changed_product(before.data, body, [], now)
        crashed = await crashes(shop, steps, lambda: write.change(shop.services, before, moved, changed, AUTHOR))  # noqa: B023
        answer = await shop.client.get(f"/api/products/{product_id}")
        assert answer.status_code == 200, f"not found after {steps} writes"
        await restart(shop, product_id)
        [only] = await copies(shop, product_id)
        target = await get_lookup(shop.services.store, store.LOOKUP, product_id)
        assert target == {"category_slug": only["category_slug"]}
        assert (await shop.get(f"/api/products/{product_id}")) == only
        assert [v["available"] for v in (await shop.get(f"/api/products/{product_id}/inventory"))["variants"]] == [7, 0]
        again = await shop.as_admin(
            "PUT", f"/api/admin/products/{product_id}", {"category_slug": "toys-plush", "slug": moved["slug"]}
        )
        assert again.status_code == 200, again.text
        assert [copy["category_slug"] for copy in await copies(shop, product_id)] == ["toys-plush"]
        await later(shop)
        reused = await shop.as_admin("POST", "/api/admin/products", new_product(slug=product["slug"]))
        assert reused.status_code == 201, f"after {steps} writes: {reused.text}"
        if not crashed:
            break
        steps += 1
    assert steps >= 5


async def test_creating_at_every_step(shop: Shop) -> None:
    steps = 0
    while True:
        body = new_product(category_slug="toys-plush")
        product_id = new_id("product")
        variants = [new_id("variant") for _ in body["variants"]]
        now = timestamp(shop.services.clock.now())
        product = documents.new_product(m.ProductCreate.model_validate(body), product_id, variants, now)
        crashed = await crashes(shop, steps, lambda: write.create(shop.services, product, AUTHOR))  # noqa: B023
        await restart(shop, product_id)
        there = bool(await copies(shop, product_id))
        assert (await shop.client.get(f"/api/products/{product_id}")).status_code == (200 if there else 404)
        assert crashed or there
        await later(shop)
        again = await shop.as_admin("POST", "/api/admin/products", body)
        assert again.status_code == (409 if there else 201), again.text
        if not crashed:
            break
        steps += 1
    assert steps >= 8


async def test_deleting_at_every_step(shop: Shop) -> None:
    steps = 0
    while True:
        product = await shop.created(category_slug="toys-building")
        product_id = product["product_id"]
        before = await found(shop, product_id)
        crashed = await crashes(shop, steps, lambda: write.delete(shop.services, before, AUTHOR))  # noqa: B023
        await restart(shop, product_id)
        if await copies(shop, product_id):
            assert (await shop.client.get(f"/api/products/{product_id}")).status_code == 200
            assert (await shop.as_admin("DELETE", f"/api/admin/products/{product_id}")).status_code == 204
        assert await stock_store.read_stocks(shop.services.store, product_id) == []
        assert (await shop.client.get(f"/api/products/{product_id}")).status_code == 404
        await later(shop)
        names = {"slug": product["slug"], "sku": product["sku"]}
        again = await shop.as_admin("POST", "/api/admin/products", new_product(**names))
        assert again.status_code == 201, f"after {steps} writes: {again.text}"
        if not crashed:
            break
        steps += 1
    assert steps >= 6
