"""Conformance: what is past its time is gone at once, for every kind of access."""

from __future__ import annotations

import pytest

from handlers.platform.store.port import (
    Create,
    Delete,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Exists,
    Operation,
    Patch,
    Query,
    Replace,
    Upsert,
)
from tests.platform.store.adapters import TestClock, thing


@pytest.fixture(autouse=True)
def time_moves(adapter: str) -> None:
    """The time of a real account is nobody's to move."""
    if adapter == "cosmos-account":
        pytest.skip("a test cannot move an account's clock")


async def test_expired_is_invisible_to_all_reads(store: DocumentStore, clock: TestClock) -> None:
    await store.write("things", Create(thing("short", ttl=60, n=1)))
    await store.write("things", Create(thing("long", ttl=600, n=1)))
    await store.write("things", Create(thing("ever", n=1)))
    await store.write("things", Create(thing("explicit", ttl=-1, n=1)))
    clock.advance(59)
    assert await store.read("things", "ann", "short") is not None
    clock.advance(1)
    assert await store.read("things", "ann", "short") is None
    assert await store.read_many([("things", "ann", "short")]) == [None]
    page = await store.query(Query("things", "ann"))
    assert [document.data["id"] for document in page.items] == ["ever", "explicit", "long"]
    assert await store.count(Query("things", "ann", Exists("n"))) == 3


@pytest.mark.parametrize(
    "operation", [Replace(thing()), Delete("t1"), Patch("t1", increments={"n": 1}), Patch("t1", sets={"ttl": 60})]
)
async def test_expired_cannot_be_changed(store: DocumentStore, clock: TestClock, operation: Operation) -> None:
    await store.write("things", Create(thing(ttl=60)))
    clock.advance(60)
    with pytest.raises(DocumentMissing):
        await store.write("things", operation, partition="ann")


async def test_expired_makes_room(store: DocumentStore, clock: TestClock) -> None:
    await store.write("things", Create(thing(ttl=60)))
    with pytest.raises(DocumentExists):
        await store.write("things", Create(thing()))
    clock.advance(60)
    await store.write("things", Create(thing(n=2)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert found.data["n"] == 2


async def test_an_expired_unique_key_is_free(store: DocumentStore, clock: TestClock) -> None:
    await store.write("unique", Create({"id": "1", "owner": "ann", "sku": "A", "x": "x", "y": 1, "ttl": 60}))
    clock.advance(60)
    await store.write("unique", Create({"id": "2", "owner": "ann", "sku": "A", "x": "x", "y": 1}))


async def test_every_write_starts_the_time_anew(store: DocumentStore, clock: TestClock) -> None:
    await store.write("things", Create(thing(ttl=60, n=0)))
    for operation in (Patch("t1", increments={"n": 1}), Replace(thing(ttl=60)), Upsert(thing(ttl=60))):
        clock.advance(59)
        await store.write("things", operation, partition="ann")
    clock.advance(59)
    assert await store.read("things", "ann", "t1") is not None
    await store.write("things", Patch("t1", removes=["ttl"]), partition="ann")
    clock.advance(10**6)
    assert await store.read("things", "ann", "t1") is not None


async def test_the_containers_default(store: DocumentStore, clock: TestClock) -> None:
    base = {"entity": "order", "month": "2026-01"}
    await store.write("months", Create({**base, "id": "default"}))
    await store.write("months", Create({**base, "id": "own", "ttl": 7200}))
    await store.write("months", Create({**base, "id": "ever", "ttl": -1}))
    clock.advance(3600)
    page = await store.query(Query("months", ("order", "2026-01")))
    assert [document.data["id"] for document in page.items] == ["ever", "own"]


async def test_service_rows_have_the_time_of_their_kind(store: DocumentStore, clock: TestClock) -> None:
    await store.write("things", Create(thing("event", kind="outbox")))
    await store.write("things", Create(thing("hold", kind="hold")))
    clock.advance(604_800)
    assert await store.count(Query("things", "ann", kind="outbox")) == 0
    assert await store.count(Query("things", "ann", kind="hold")) == 1
