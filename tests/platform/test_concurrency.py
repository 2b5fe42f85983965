"""Bounded retries, lost answers, `If-Match`; and the keys of repeated requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from generated.containers import CONTAINERS
from handlers.platform.concurrency import ATTEMPTS, change, retrying, settled
from handlers.platform.errors import Problem
from handlers.platform.idempotency import GRACE, Key, Once, Replayed, digest_of
from handlers.platform.store.port import (
    Create,
    DocumentMissing,
    Json,
    Operation,
    OutcomeUnknown,
    StoreMisuse,
    StoreUnavailable,
    VersionConflict,
)
from handlers.platform.store.sqlite import SqliteStore
from tests.platform.key_child import requests_on
from tests.platform.store.adapters import TestClock


@pytest.fixture
def clock() -> TestClock:
    """The store's clock."""
    return TestClock()


@pytest.fixture
async def store(tmp_path: Path, clock: TestClock) -> AsyncIterator[SqliteStore]:
    """A store with the real containers."""
    opened = SqliteStore.open(tmp_path / "store", CONTAINERS, clock=clock)
    yield opened
    await opened.close()


class Lossy:
    """A store that loses the answer to a batch: before or after it was carried out, and reads badly then."""

    def __init__(self, store: SqliteStore, *, written: bool, deaf: int = 0) -> None:
        self._store = store
        self._written = written
        self._deaf = deaf

    async def batch(self, container: str, partition: str, operations: Sequence[Operation]) -> list[Any]:
        """Loses the answer."""
        if self._written:
            await self._store.batch(container, partition, operations)
        raise OutcomeUnknown("lost")

    async def read(self, container: str, partition: str, id: str) -> Any:
        """Reads, after a few failures."""
        if self._deaf:
            self._deaf -= 1
            raise StoreUnavailable("away")
        return await self._store.read(container, partition, id)


ORDER: Json = {"id": "order-1", "user_id": "ann", "total": 1}
ROW: Json = {"id": "event-1", "user_id": "ann", "kind": "outbox"}


async def test_a_lost_answer_is_settled_by_the_row(store: SqliteStore) -> None:
    operations = [Create(ORDER), Create(ROW)]
    lossy: Any = Lossy(store, written=False)
    with pytest.raises(StoreUnavailable) as refused:
        await settled(lossy, "orders", "ann", operations)
    assert not isinstance(refused.value, OutcomeUnknown)
    lossy = Lossy(store, written=True, deaf=3)
    assert await settled(lossy, "orders", "ann", operations) == []
    lossy = Lossy(store, written=False, deaf=100)
    with pytest.raises(OutcomeUnknown):
        await settled(lossy, "orders", "ann", operations)
    with pytest.raises(OutcomeUnknown):
        await settled(lossy, "orders", "ann", [Create(ORDER)])


async def test_retries_are_bounded() -> None:
    tries = 0

    async def contested() -> None:
        nonlocal tries
        tries += 1
        raise VersionConflict("faster")

    with pytest.raises(VersionConflict):
        await retrying(contested)
    assert tries == ATTEMPTS


async def test_parallel_changes_all_count(store: SqliteStore) -> None:
    await store.write("orders", Create(ORDER))

    def add(document: Json) -> Sequence[Operation]:
        document["total"] += 1
        return ()

    await asyncio.gather(*(change(store, "orders", "ann", "order-1", add) for _ in range(6)))
    found = await store.read("orders", "ann", "order-1")
    assert found is not None
    assert found.data["total"] == 7


async def test_a_change_based_on_another_version_is_412(store: SqliteStore) -> None:
    written = await store.write("orders", Create(ORDER))
    assert written is not None

    def add(document: Json) -> Sequence[Operation]:
        document["total"] += 1
        return ()

    changed = await change(store, "orders", "ann", "order-1", add, if_match=f'"{written.etag}"')
    assert changed.data["total"] == 2
    with pytest.raises(Problem) as refused:
        await change(store, "orders", "ann", "order-1", add, if_match=f'"{written.etag}"')
    assert refused.value.status == 412
    with pytest.raises(DocumentMissing):
        await change(store, "orders", "ann", "order-2", add)


async def test_a_change_whose_answer_was_lost_is_read_back(store: SqliteStore) -> None:
    await store.write("orders", Create(ORDER))
    lossy: Any = Lossy(store, written=True)
    changed = await change(lossy, "orders", "ann", "order-1", lambda _: [Create(ROW)])
    assert changed.data["id"] == "order-1"


def key(**more: str) -> Key:
    """The key of a request."""
    return Key(**{"operation": "createOrder", "caller": "ann", "value": "key-12345", "digest": "d", **more})


async def first(store: SqliteStore, clock: TestClock, own: Key | None) -> Once:
    """Begins a request, each in a process of its own."""
    return await requests_on(store, clock).begin("orders", "ann", key=own, status=201)


async def test_the_first_answer_is_replayed(store: SqliteStore, clock: TestClock) -> None:
    once = await first(store, clock, key())
    await store.batch("orders", "ann", [Create(ORDER), *once.remember({"order_id": "order-1"})])
    await once.release()  # has no effect any more
    with pytest.raises(Replayed) as before:
        await first(store, clock, key())
    assert (before.value.status, before.value.body) == (201, {"order_id": "order-1"})
    with pytest.raises(Problem) as refused:
        await first(store, clock, key(digest="other"))
    assert (refused.value.status, refused.value.rule) == (422, "idempotency_key_reused")
    for other in (key(caller="bob"), key(operation="refund"), key(value="key-54321")):
        await first(store, clock, other)
    clock.advance(24 * 3600)
    await first(store, clock, key())


async def test_while_the_first_runs_it_is_409(store: SqliteStore, clock: TestClock) -> None:
    once = await first(store, clock, key())
    with pytest.raises(Problem) as refused:
        await first(store, clock, key())
    assert (refused.value.status, refused.value.rule) == (409, "idempotency_in_progress")
    await once.release()
    await once.release()
    await first(store, clock, key())


async def test_who_was_only_slow_has_no_effect_after_another_took_over(store: SqliteStore, clock: TestClock) -> None:
    slow = await first(store, clock, key())
    clock.advance(GRACE.total_seconds() + 1)
    quick = await first(store, clock, key())
    with pytest.raises(VersionConflict):
        await store.batch("orders", "ann", [Create(ORDER), *slow.remember({"by": "slow"})])
    await slow.release()
    await store.batch("orders", "ann", [Create(ORDER), *quick.remember({"by": "quick"})])
    with pytest.raises(Replayed) as before:
        await first(store, clock, key())
    assert before.value.body == {"by": "quick"}


async def test_the_key_of_a_process_that_died_is_taken_over_at_once(store: SqliteStore, clock: TestClock) -> None:
    await first(store, clock, key())
    found = await store.read("orders", "ann", key().row_id)
    assert found is not None
    host, namespace, pid, started, chance = found.data["owner"].split("~")
    dead = {**found.data, "owner": "~".join((host, namespace, pid, started + "1", chance))}
    await store.write("orders", Create({**dead, "id": key(value="key-of-dead").row_id}))
    await first(store, clock, key(value="key-of-dead"))


async def test_without_a_key_nothing_is_kept(store: SqliteStore, clock: TestClock) -> None:
    once = await first(store, clock, None)
    assert once.remember({"order_id": "order-1"}) == []
    await once.release()
    with pytest.raises(StoreMisuse):
        await requests_on(store, clock).begin("lookups", "x", key=key(), status=201)


def test_the_digest_covers_path_and_body() -> None:
    assert len({digest_of("/a", b"1"), digest_of("/a", b"2"), digest_of("/b", b"1")}) == 3
