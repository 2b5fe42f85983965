"""Two processes on one store: each learns within seconds what the other has written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from generated import models as m
from handlers.app import build_services
from handlers.contract.services import Services
from handlers.platform.clock import timestamp
from handlers.platform.ids import new_id
from handlers.platform.store.port import Document
from handlers.products import documents, write
from handlers.products.catalogue import Catalogue
from handlers.products.store import CONTAINER
from handlers.settings import Settings
from tests.support.shop import Shop, new_product

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTHOR = write.Author("user-demo-admin", "request-elsewhere")


@asynccontextmanager
async def another_process(shop: Shop, settings: Settings | None = None) -> AsyncIterator[Services]:
    """Services of their own on the same files, as another process has them."""
    services = build_services(settings or shop.services.settings, clock=shop.running.clock)
    try:
        yield services
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.responses.close()
        await services.cache.close()
        await services.store.close()


async def created_elsewhere(services: Services, name: str) -> Document:
    """A product that another process has made."""
    body = m.ProductCreate.model_validate(new_product(name=name))
    ids = [new_id("variant") for _ in body.variants]
    product = documents.new_product(body, new_id("product"), ids, timestamp(services.clock.now()))
    return await write.create(services, product, AUTHOR)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    """Waits until something holds."""
    end = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < end, "not within time"
        await asyncio.sleep(0.1)


async def test_what_another_process_writes_is_found(shop: Shop) -> None:
    async with another_process(shop) as elsewhere:
        made = await created_elsewhere(elsewhere, "Zirbel Quarkdose")
        product_id = made.data["product_id"]

        async def total(words: str) -> int:
            found: int = (await shop.get("/api/products/search", q=words))["total"]
            return found

        # A detail needs no waiting: what the index does not know is looked up.
        assert (await shop.get(f"/api/products/{made.data['slug']}"))["product_id"] == product_id

        async def found() -> bool:
            return await total("quarkdose") == 1

        await until(found)
        body = m.ProductUpdate(name="Zirbel Murmeldose", category_slug="home-kitchen")
        before = await elsewhere.room(Catalogue).find(product_id)
        assert before is not None
        after, changed = documents.changed_product(before.data, body, [], timestamp(elsewhere.clock.now()))
        moved = await write.change(elsewhere, before, after, changed, AUTHOR)

        async def renamed() -> bool:
            return await total("murmeldose") == 1

        await until(renamed)
        assert (await shop.get(f"/api/products/{product_id}"))["category_slug"] == "home-kitchen"
        await write.delete(elsewhere, moved, AUTHOR)

        async def gone() -> bool:
            return not (await shop.get("/api/products/search", q="zirbel murmeldose"))["items"]

        await until(gone, 40.0)
        assert (await shop.client.get(f"/api/products/{product_id}")).status_code == 404


@pytest.mark.parametrize("redis", [True, False])
async def test_eight_processes_learn_of_a_product_whoever_reads_its_event(shop: Shop, redis: bool) -> None:
    """There is no reader of the bus for each: Event Hubs lets five read a partition."""
    settings = shop.services.settings
    if not redis:
        settings = settings.model_copy(update={"redis_url": None})
    async with AsyncExitStack() as stack:
        others = [await stack.enter_async_context(another_process(shop, settings)) for _ in range(8)]
        for services in others:
            await services.room(Catalogue).start()
        made = await created_elsewhere(others[0], f"Achtling Laterne {redis}")
        product_id = made.data["product_id"]

        async def known() -> bool:
            indices = [await services.room(Catalogue).index() for services in others]
            for services in others:
                await services.responses.generations.settle((CONTAINER,))
            return all(index.find(product_id) is not None for index in indices)

        await until(known, 20.0)
