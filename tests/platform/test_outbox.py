"""Outbox rows: in the batch of the change, in its partition, counted by the aggregate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generated.containers import CONTAINERS
from handlers.platform.outbox import KIND, TTL, Outbox
from handlers.platform.store.port import (
    Create,
    DocumentExists,
    Json,
    Query,
    Replace,
    StoreMisuse,
    VersionConflict,
)
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.store.adapters import TestClock


@pytest.fixture
def clock() -> TestClock:
    """The outbox's and the store's clock."""
    return TestClock()


@pytest.fixture
async def store(tmp_path: Path, clock: TestClock) -> AsyncIterator[SqliteStore]:
    """An empty store with the real containers."""
    opened = SqliteStore.open(tmp_path / "store", CONTAINERS, clock=clock)
    yield opened
    await opened.close()


def order() -> Json:
    """The least of an order."""
    return {"id": "order-1", "user_id": "ann", "status": "pending", "created_at": "2026-01-25T10:45:00.000Z"}


def created(outbox: Outbox, guarded: Json, **more: Any) -> Create:
    """The row of an OrderCreated."""
    return outbox.row(
        "orders",
        guarded,
        **{
            "topic": "order-events",
            "event_type": "OrderCreated",
            "data": {"order_id": guarded["id"]},
            "key": guarded["id"],
            "correlation_id": "request-1",
            **more,
        },
    )


def test_the_row_and_its_envelope(clock: TestClock) -> None:
    guarded = order()
    row = created(Outbox(clock=clock), guarded, causation_id="event-0").document
    event_id = row["id"]
    assert row == {
        "id": event_id,
        "kind": KIND,
        "ttl": TTL,
        "user_id": "ann",
        "written_at": "2026-01-25T10:45:00.000Z",
        "topic": "order-events",
        "partition_key": "order-1",
        "sequence": 1,
        "envelope": {
            "event_id": event_id,
            "event_type": "OrderCreated",
            "event_version": "1.0",
            "timestamp": "2026-01-25T10:45:00.000Z",
            "source": "crud-service",
            "data": {"order_id": "order-1"},
            "correlation_id": "request-1",
            "causation_id": "event-0",
        },
    }
    assert guarded["event_sequence"] == 1


def test_a_request_is_its_own_cause(clock: TestClock) -> None:
    row = created(Outbox(clock=clock), order(), source="logistics-carrier-selection").document
    assert row["envelope"]["causation_id"] == "request-1"
    assert row["envelope"]["source"] == "logistics-carrier-selection"


def test_each_event_of_an_aggregate_has_the_next_number(clock: TestClock) -> None:
    outbox, guarded = Outbox(clock=clock), order()
    assert [created(outbox, guarded).document["sequence"] for _ in range(3)] == [1, 2, 3]
    assert guarded["event_sequence"] == 3


def test_the_row_has_all_parts_of_a_hierarchical_partition_key(clock: TestClock) -> None:
    tree = replace(CONTAINERS["orders"], partition_key=("a", "b.c"))
    guarded = {"id": "1", "a": "x", "b": {"c": "y", "d": "z"}}
    row = created(Outbox(clock=clock, containers={"orders": tree}), guarded).document
    assert (row["a"], row["b"]) == ("x", {"c": "y"})


async def test_change_and_event_are_one(store: SqliteStore, clock: TestClock) -> None:
    outbox, guarded = Outbox(clock=clock), order()
    row = created(outbox, guarded)
    await store.batch("orders", "ann", [Create(guarded), row])
    with pytest.raises(DocumentExists):
        await store.batch("orders", "ann", [Create(order()), created(outbox, order())])
    with pytest.raises(VersionConflict):
        await store.batch("orders", "ann", [Replace(guarded, if_match="old"), created(outbox, guarded)])
    relay = Query("orders", kind=KIND, purpose="outbox_relay")
    page = await store.query(relay)
    assert [document.data for document in page.items] == [row.document]
    stored = await store.read("orders", "ann", "order-1")
    assert stored is not None
    assert stored.data["event_sequence"] == 1
    clock.advance(TTL)
    assert (await store.query(relay)).items == []
    assert await store.read("orders", "ann", "order-1") is not None


def test_what_does_not_fit_the_contract_is_not_written(clock: TestClock) -> None:
    def refuse(envelope: Json) -> None:
        raise ValueError(envelope["event_type"])

    guarded = order()
    with pytest.raises(ValueError, match="OrderCreated"):
        created(Outbox(clock=clock, validate=refuse), guarded)
    assert "event_sequence" not in guarded


def test_only_where_outbox_rows_may_live(clock: TestClock) -> None:
    with pytest.raises(StoreMisuse, match="no outbox rows"):
        Outbox(clock=clock).row("lookups", order(), topic="t", event_type="E", data={}, key="k", correlation_id="c")
