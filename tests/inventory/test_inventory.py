"""Stock over HTTP: adjustments, their ledger, and what the product shows of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from handlers.inventory import store
from handlers.platform.events import Event
from handlers.platform.store.port import Patch, Query, Upsert
from handlers.products.events import on_stock_level_changed
from handlers.products.store import history_id
from tests.support.shop import Shop
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


def path(variant: Json) -> str:
    """Where the stock of a variant is adjusted."""
    return f"/api/admin/inventory/{variant['variant_id']}/adjustments"


async def adjusted(shop: Shop, variant: Json, delta: int, **more: Any) -> Json:
    """An adjustment that succeeds."""
    answer = await shop.as_admin("POST", path(variant), {"delta": delta, "reason": "recount", **more})
    assert answer.status_code == 201, answer.text
    adjustment: Json = answer.json()
    return adjustment


async def rows(shop: Shop, product: Json) -> list[Json]:
    """The outbox rows of a product's stock."""
    query = Query(store.CONTAINER, partition=product["product_id"], kind="outbox", limit=100)
    return [item.data for item in (await shop.services.store.query(query)).items]


async def history(shop: Shop, product: Json) -> Json:
    """What is kept of a product beside it."""
    row = await shop.services.store.read("products", product["category_slug"], history_id(product["product_id"]))
    assert row is not None
    return row.data


async def test_an_adjustment_changes_the_level(shop: Shop) -> None:
    product = await shop.created()
    first = product["variants"][0]
    adjustment = await adjusted(shop, first, 40, note="Delivery note 4711")
    assert adjustment["created_by"] == "user-demo-admin"
    assert adjustment["note"] == "Delivery note 4711"
    assert (adjustment["level"]["on_hand"], adjustment["level"]["available"]) == (47, 47)
    down = await adjusted(shop, first, -45)
    assert (down["level"]["on_hand"], down["level"]["status"]) == (2, "low_stock")
    inventory = await shop.get(f"/api/products/{product['product_id']}/inventory")
    assert (inventory["available"], inventory["status"]) == (2, "low_stock")
    assert inventory["updated_at"] == down["created_at"]


async def test_stock_never_falls_below_what_is_reserved(shop: Shop) -> None:
    product = await shop.created()
    variant = product["variants"][0]
    held = Patch(variant["variant_id"], increments={"reserved": 3})
    await shop.services.store.write(store.CONTAINER, held, partition=product["product_id"])
    answer = await shop.as_admin("POST", path(variant), {"delta": -5, "reason": "lost"})
    assert (answer.status_code, answer.json()["error"]["details"]["rule"]) == (422, "stock_negative")
    assert (await adjusted(shop, variant, -4))["level"]["available"] == 0
    refusals = {
        "DELETE": None,
        "PUT": {
            "variants": [{"variant_id": product["variants"][1]["variant_id"], "sku": product["variants"][1]["sku"]}]
        },
    }
    for method, body in refusals.items():
        answer = await shop.as_admin(method, f"/api/admin/products/{product['product_id']}", body)
        assert (answer.status_code, answer.json()["error"]["details"]["rule"]) == (409, "in_use")


async def test_there_is_a_most(shop: Shop) -> None:
    variant = (await shop.created())["variants"][0]
    for _ in range(9):
        await adjusted(shop, variant, 1_000_000)
    answer = await shop.as_admin("POST", path(variant), {"delta": 1_000_000, "reason": "received"})
    assert (answer.status_code, answer.json()["error"]["details"]["rule"]) == (422, "limit_reached")


async def test_adjustments_at_the_same_time_all_count(shop: Shop) -> None:
    product = await shop.created()
    variant = product["variants"][0]
    await asyncio.gather(*(adjusted(shop, variant, 1) for _ in range(6)))
    assert (await adjusted(shop, variant, 0))["level"]["on_hand"] == 13
    versions = [row["envelope"]["data"]["version"] for row in await rows(shop, product) if "envelope" in row]
    assert sorted(versions) == list(range(1, 8))


async def test_a_repeated_key_changes_once(shop: Shop) -> None:
    variant = (await shop.created())["variants"][0]
    key = f"key-{uuid4().hex}"
    body = {"delta": 5, "reason": "received"}
    answers = await asyncio.gather(*(shop.as_admin("POST", path(variant), body, Idempotency_Key=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    again = await shop.as_admin("POST", path(variant), body, Idempotency_Key=key)
    assert again.status_code == 201
    assert {answer.content for answer in answers if answer.status_code == 201} == {again.content}
    assert (await adjusted(shop, variant, 0))["level"]["on_hand"] == 12
    other = await shop.as_admin("POST", path(variant), {**body, "delta": 6}, Idempotency_Key=key)
    assert (other.status_code, other.json()["error"]["details"]["rule"]) == (422, "idempotency_key_reused")


async def test_an_adjustment_is_audited_and_told(shop: Shop) -> None:
    product = await shop.created()
    await adjusted(shop, product["variants"][0], 3, note="found behind the shelf")
    written = await rows(shop, product)
    [told] = [row["envelope"] for row in written if "envelope" in row]
    assert told["event_type"] == "StockLevelChanged"
    assert told["data"]["adjustment_reason"] == "recount"
    assert (told["data"]["on_hand_change"], told["data"]["version"]) == (3, 1)
    assert len(written) == 2


async def test_the_product_shows_its_stock(shop: Shop) -> None:
    product = await shop.created()
    small, large = product["variants"]
    await adjusted(shop, small, -7)
    await adjusted(shop, large, 2)
    events = [event_of(row["envelope"]) for row in await rows(shop, product) if "envelope" in row]
    for event in [*events, *reversed(events)]:
        await on_stock_level_changed(event, shop.services)
    shown = await shop.get(f"/api/products/{product['product_id']}")
    assert [variant["stock"] for variant in shown["variants"]] == [0, 2]
    facets = await shop.get("/api/products/filters", q=product["name"].rsplit(" ", maxsplit=1)[-1])
    assert {facet["status"]: facet["count"] for facet in facets["availability"]}["low_stock"] == 1
    query = Query("products", partition=product["category_slug"], kind="outbox", limit=1000)
    told = [item.data["envelope"] for item in (await shop.services.store.query(query)).items]
    mine = [each["data"] for each in told if each["event_type"] == "InventoryUpdated"]
    available = [each["inventory"]["available"] for each in mine if each["product_id"] == product["product_id"]]
    assert sorted(available) == [0, 2]


async def test_an_old_stock_event_that_is_sent_again_changes_nothing(shop: Shop) -> None:
    product = await shop.created()
    variant = product["variants"][0]
    await adjusted(shop, variant, -3)
    await adjusted(shop, variant, 3)
    events = [event_of(row["envelope"]) for row in await rows(shop, product) if "envelope" in row]
    first, second = sorted(events, key=lambda event: event.data["version"])

    async def shown() -> int:
        return int((await shop.get(f"/api/products/{product['product_id']}"))["variants"][0]["stock"])

    async def applied() -> bool:
        marks = (await history(shop, product)).get("stock_versions", {})
        return bool(marks.get(variant["variant_id"]) == second.data["version"])

    await eventually(applied)  # the shop's own consumer has heard of both
    # As if the first had become a dead letter: the second says what the product shows already, and leaves no mark.
    unmarked = {**await history(shop, product), "stock_versions": {}}
    await shop.services.store.write("products", Upsert(unmarked))
    for again in (replace(first, replayed=True), replace(second, replayed=True)):
        await on_stock_level_changed(again, shop.services)
        assert await shown() == 7


async def test_an_unknown_variant_is_404(shop: Shop) -> None:
    answer = await shop.as_admin("POST", path({"variant_id": "variant-none"}), {"delta": 1, "reason": "recount"})
    assert answer.status_code == 404
    assert (await shop.client.post(path({"variant_id": "variant-none"}), json={})).status_code == 401


def event_of(envelope: Json) -> Event[Any]:
    """An outbox row's event as the consumer of the products room gets it."""
    key = envelope["data"]["product_id"]
    return Event.of(envelope, group="crud-products", topic="inventory-events", key=key)
