"""What an order leaves behind in the store, and that none of it lies in the index of somebody's list."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import orjson
import pytest

from generated.containers import CONTAINERS
from handlers.inventory import events as inventory_events
from handlers.orders import events
from handlers.platform.store.cosmos_indexing import composite_indexes
from handlers.platform.store.values import value_at
from tests.orders.test_process import event, levels, paid, reserved_order, scheduled
from tests.support.shop import Shop
from tests.support.shopper import priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
# Of an order of one line, from the order to its completion, with a payment and a parcel that others report.
ROWS: Final = 28
LASTING: Final = 3  # of these, those that no time to live ends: the order, and two ways to find it


def rows(shop: Shop) -> Iterator[tuple[str, Json]]:
    """Every document there is, with its container."""
    path = shop.services.settings.data_dir / "documents.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for container in CONTAINERS:
            for (raw,) in connection.execute(f"SELECT doc FROM c_{container}"):
                yield container, orjson.loads(raw)


def mentions(document: Json, order_id: str) -> bool:
    """Whether a row is there because of an order."""
    return order_id in orjson.dumps(document).decode()


def lasts(container: str, document: Json) -> bool:
    """Whether no time to live ends it."""
    spec, kind = CONTAINERS[container], document.get("kind")
    default = spec.ttl if kind is None else spec.kinds[kind]
    return document.get("ttl") is None and (default is None or default < 0)


async def completed(shop: Shop, product: Json) -> Json:
    """An order that has gone all the way."""
    _, order = await reserved_order(shop, product)
    await events.on_payment_processed(paid(order), shop.services)
    await events.on_shipment_scheduled(scheduled(order, "crud-orders"), shop.services)
    await inventory_events.on_shipment_scheduled(scheduled(order, "crud-inventory"), shop.services)
    for status in ("picked_up", "delivered"):
        data = {"order_id": order["order_id"], "user_id": order["user_id"], "status": status}
        await events.on_shipment_status_updated(event("ShipmentStatusUpdated", data), shop.services)
    data = {"order_id": order["order_id"], "user_id": order["user_id"], "delivered_at": "2026-01-30T15:20:00.000Z"}
    await events.on_delivery_completed(event("DeliveryCompleted", data), shop.services)
    return order


async def test_a_complete_order_leaves_no_holds_and_few_rows(shop: Shop) -> None:
    product = await priced(shop, 20.0, on_hand=5)
    before = {(container, each["id"]) for container, each in rows(shop)}
    order = await completed(shop, product)

    def holds() -> list[Json]:
        found = (each for container, each in rows(shop) if container == "inventory" and each.get("kind") == "hold")
        return [each for each in found if each["order_id"] == order["order_id"]]

    async def forgotten() -> bool:
        return [each["state"] for each in holds()] == ["ended"]

    await eventually(forgotten)
    assert await levels(shop, product) == (3, 0)
    assert all("ttl" in each for each in holds())
    left = [
        (container, each)
        for container, each in rows(shop)
        if (container, each["id"]) not in before and (mentions(each, order["order_id"]) or each.get("kind") == "inbox")
    ]
    counted = Counter(f"{container}/{each.get('kind', 'own')}" for container, each in left)
    lasting = Counter(f"{container}/{each.get('kind', 'own')}" for container, each in left if lasts(container, each))
    assert len(left) <= ROWS, counted
    assert lasting.total() <= LASTING, lasting


async def test_service_rows_are_in_no_index_of_a_list(shop: Shop) -> None:
    await completed(shop, await priced(shop, 20.0, on_hand=5))
    seen: Counter[str] = Counter()
    for container, document in rows(shop):
        kind = document.get("kind")
        if kind is None:
            continue
        seen[kind] += 1
        for keys in composite_indexes(CONTAINERS[container]):
            own = [key.path for key in keys if key.path not in ("id", *CONTAINERS[container].partition_key)]
            indexed = own and all(value_at(document, path.split(".")) is not None for path in own)
            assert not indexed, f"{container}: a row of kind {kind} lies in the index of {own}"
    assert seen["outbox"] > 0
    assert seen["hold"] > 0
