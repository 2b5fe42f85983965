"""Cosmos DB, Event Hubs and Redis at once: two processes, a product and an order that walk through all of it.

The adapters and their SDKs are production's; the services behind the sockets are stand-ins (`infra/local`), Valkey and
Stripe's stand-in. `ENV` is `test`, for there is no stand-in for mail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from generated.containers import CONTAINERS
from generated.events import GROUPS, TOPICS
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.port import Query
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.http import serving as serving_documents
from infra.local.eventhubs.broker import Broker
from tests.orders.test_orders import placed
from tests.orders.test_process import document
from tests.support.paying import stripe_environ
from tests.support.processes import Process, running_process
from tests.support.shop import Shop, running_shop
from tests.support.shopper import customer, priced
from tests.support.wait import eventually

DATABASE: Final = "holiday-peak-hub"
PARTITIONS: Final = 1  # of a hub; the eight of the contract make two hundred links, each of which costs time
SECONDS: Final = 60.0  # the machine may be busy

Json = dict[str, Any]


@asynccontextmanager
async def azure() -> AsyncIterator[tuple[Broker, dict[str, str]]]:
    """The stand-ins on loopback, and the environment of a process that works on them."""
    broker = Broker.of(dict.fromkeys(TOPICS, PARTITIONS), [*GROUPS])
    async with serving_documents(partitions=2) as documents:
        documents.provide(DATABASE, [definition(container) for container in CONTAINERS.values()])
        await broker.start()
        environ = {
            "COSMOS_ACCOUNT_URI": documents.url,
            "COSMOS_DATABASE": DATABASE,
            "COSMOS_KEY": WELL_KNOWN_KEY,
            "EVENT_HUB_CONNECTION_STRING": broker.connection_string,
        }
        yield broker, environ
        await broker.stop()


@asynccontextmanager
async def worker_process(folder: Path, environ: dict[str, str]) -> AsyncIterator[Process]:
    """A process of its own, waited for in a thread: the stand-ins serve in this loop."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, running_process(folder, environ))


async def ready(base: str) -> bool:
    """Whether a process says that it can work."""
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{base}/readyz")).status_code == 200


async def owned(shop: Shop) -> int:
    """Partitions that have an owner, of the group that reads the most."""
    found = await shop.services.store.query(Query("checkpoints", "crud-orders", limit=100))
    return sum(1 for each in found.items if each.data["owner"])


async def test_a_product_and_an_order_walk_through_cosmos_event_hubs_and_redis(tmp_path: Path, redis_url: str) -> None:
    async with azure() as (broker, environ), running_shop(tmp_path, redis_url, ROLE="crud", **environ) as shop:
        assert isinstance(shop.services.store, CosmosStore)
        more = {"ROLE": "worker", "DATA_DIR": str(tmp_path), "REDIS_URL": redis_url, **stripe_environ(shop.stripe)}
        async with worker_process(tmp_path / "worker", {**environ, **more}) as worker:
            await eventually(lambda: ready(worker.base), SECONDS)
            product = await priced(shop, 25.0, on_hand=5)
            shopper = await customer(shop)
            saved = await shopper.call("POST", "/api/users/me/payment-methods", {"stripe_token": "pm_card_visa"})
            assert saved.status_code == 201, saved.text
            await shopper.has(product, 2)
            method = {"type": "saved_method", "payment_method_id": saved.json()["payment_method_id"]}
            order = await placed(shopper, payment_method=method)

            async def processed() -> bool:
                return bool((await document(shop, order))["status"] == "processing")

            await eventually(processed, SECONDS)
            assert broker.sends
            assert await owned(shop)
            assert await asyncio.to_thread(worker.terminate) == 0
            assert await owned(shop) == 0
