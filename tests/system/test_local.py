"""What a developer sees and sets under `/local`, and that it is there on a developer's machine only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.inventory import store
from handlers.platform.store.claims import put_lookup
from handlers.platform.store.port import Patch, Query
from tests.support.app import RunningApp, running_app
from tests.support.people import rule_of, signed_up

PRODUCT, VARIANT = "product-1", "variant-1"


@pytest.fixture
async def local(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """The application as `make run` starts it, with one variant in stock."""
    async with running_app(tmp_path, redis_url, ENV="local") as app:
        card = store.card(PRODUCT, "active", [VARIANT], as_of="2026-01-01T00:00:00Z")
        stock = store.stock(PRODUCT, VARIANT, "SKU-1", 7, "2026-01-01T00:00:00Z")
        await store.open_stocks(app.services.store, card, [stock])
        await put_lookup(app.services.store, store.VARIANT_LOOKUP, VARIANT, {"product_id": PRODUCT})
        yield app


async def counted(local: RunningApp, body: Any, variant: str = VARIANT) -> Any:
    """Sets the stock of a variant."""
    return await local.client.put(f"/local/inventory/{variant}", json=body)


async def rows(local: RunningApp) -> list[dict[str, Any]]:
    """The events written for the stock."""
    page = await local.services.store.query(Query(store.CONTAINER, partition=PRODUCT, kind="outbox", limit=100))
    return [item.data["envelope"] for item in page.items]


async def test_stock_is_set_to_what_was_counted(local: RunningApp) -> None:
    answer = await counted(local, {"on_hand": 3})
    assert answer.status_code == 200, answer.text
    level = answer.json()
    assert (level["on_hand"], level["available"], level["status"]) == (3, 3, "low_stock")
    (event,) = await rows(local)
    assert event["event_type"] == "StockLevelChanged"
    assert event["data"]["on_hand_change"] == -4
    assert event["data"]["level"] == level
    assert (await counted(local, {"on_hand": 3})).json() == level
    assert len(await rows(local)) == 1


async def test_stock_that_is_held_stays(local: RunningApp) -> None:
    held = Patch(VARIANT, increments={"reserved": 2})
    await local.services.store.write(store.CONTAINER, held, partition=PRODUCT)
    assert rule_of(await counted(local, {"on_hand": 1})) == "stock_negative"
    assert (await counted(local, {"on_hand": 2})).json()["available"] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"on_hand": -1}',
        b'{"on_hand": 1.5}',
        b'{"on_hand": NaN}',
        b'{"on_hand": "1"}',
        b'{"on_hand": true}',
        b'{"on_hand": 1, "reserved": 0}',
        b'{"on_hand": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"\xff",
    ],
)
async def test_what_is_no_count_is_400(local: RunningApp, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await local.client.put(f"/local/inventory/{VARIANT}", content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"


async def test_other_bodies_paths_and_methods(local: RunningApp) -> None:
    path = f"/local/inventory/{VARIANT}"
    assert (await local.client.put(path, content=b"x" * 2_000_000)).status_code == 413
    assert (await local.client.put(path, content=b"{}")).status_code == 415
    for odd in ("variant-2", "", "a/b", "%00", "%ff", "%2e%2e"):
        assert (await counted(local, {"on_hand": 1}, odd)).status_code == 404
    assert (await local.client.get("/local/nothing")).status_code == 404
    for known, method in ((path, "PUT"), ("/local/messages", "GET")):
        answer = await local.client.post(known)
        assert (answer.status_code, answer.headers["allow"]) == (405, method)


async def test_messages_newest_first(local: RunningApp) -> None:
    first, second = await signed_up(local), await signed_up(local)
    found = (await local.client.get("/local/messages")).json()["items"]
    assert [message["to"] for message in found] == [second.email, first.email]
    found = (await local.client.get("/local/messages", params={"to": first.email.upper()})).json()["items"]
    assert [(message["channel"], message["to"]) for message in found] == [("email", first.email)]


async def test_elsewhere_there_is_no_such_path(running: RunningApp) -> None:
    assert (await running.client.get("/local/messages")).status_code == 404
    assert (await running.client.put("/local/inventory/variant-1", json={"on_hand": 1})).status_code == 404


async def test_the_gateway_has_no_stock(tmp_path: Path, redis_url: str) -> None:
    environ = {"ENV": "local", "ROLE": "gateway", "CRUD_SERVICE_URL": "http://127.0.0.1:1"}
    async with running_app(tmp_path, redis_url, **environ) as gateway:
        assert (await gateway.client.put("/local/inventory/variant-1", json={"on_hand": 1})).status_code == 404
