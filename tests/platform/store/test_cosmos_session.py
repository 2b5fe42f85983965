"""Session consistency, and what the SDK does not do by itself: seen on a replica that is one commit behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.platform.store import charges
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import (
    Create,
    Delete,
    DocumentExists,
    Eq,
    Patch,
    Query,
    Replace,
    Sort,
    StoreMisuse,
    Upsert,
    VersionConflict,
)
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import DATABASE, stand_in, store_on

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server() -> Server:
    """A server whose reads lag for who has no session token."""
    found = stand_in(CONTAINERS, TestClock(), partitions=4)
    found.lagging = True
    return found


@pytest.fixture
async def store(server: Server) -> AsyncIterator[CosmosStore]:
    """A store on it."""
    opened = store_on(server, CONTAINERS)
    yield opened
    await opened.close()


async def n_of(store: CosmosStore, id: str = "t1") -> int | None:
    """What a read sees."""
    found = await store.read("things", "ann", id)
    return None if found is None else found.data["n"]


async def test_the_replica_does_lag(server: Server, store: CosmosStore) -> None:
    """The control: another session does not see the last write, as long as it has no token of that range."""
    things = server.collection(DATABASE, "things")
    range_of = {owner: things.physical((owner,)).id for owner in ("nobody", *map(str, range(9)))}
    owner = next(owner for owner in range_of if range_of[owner] != range_of["nobody"])
    await store.write("things", Create(thing("t1", owner, n=1)))
    await store.write("things", Replace(thing("t1", owner, n=2)))
    other = store_on(server, CONTAINERS)
    for session, seen in ((other, 1), (store, 2)):
        found = await session.read("things", owner, "t1")
        assert found is not None
        assert found.data["n"] == seen
    await other.close()


async def test_own_writes_are_seen_whatever_kind_they_are(store: CosmosStore) -> None:
    await store.write("things", Create(thing(n=1)))
    assert await n_of(store) == 1
    await store.write("things", Upsert(thing(n=2)))
    assert await n_of(store) == 2
    await store.write("things", Patch("t1", increments={"n": 1}), partition="ann")
    assert await n_of(store) == 3
    await store.batch("things", "ann", [Patch("t1", increments={"n": 1}), Create(thing("t2", n=9))])
    assert (await n_of(store), await n_of(store, "t2")) == (4, 9)


async def test_what_a_refusal_was_based_on_is_seen(server: Server, store: CosmosStore) -> None:
    """Somebody else wrote; we are refused, read, and see why."""
    other = store_on(server, CONTAINERS)
    await other.write("things", Create(thing(n=5)))
    with pytest.raises(DocumentExists):
        await store.write("things", Create(thing(n=1)))
    assert await n_of(store) == 5
    await other.write("things", Upsert(thing(n=6)))
    with pytest.raises(VersionConflict):
        await store.batch("things", "ann", [Patch("t1", increments={"n": 1}, condition=Eq("n", 5))])
    assert await n_of(store) == 6
    await other.close()


async def test_tokens_of_containers_are_kept_apart(store: CosmosStore) -> None:
    """A first write that answers no document must not file its token under another container's."""
    for number in range(30):
        await store.write("plain", Create({"id": str(number), "owner": "ann"}))
    await store.write("plain", Delete("0"), partition="ann")
    with pytest.raises(VersionConflict):
        await store.write("things", Patch("t1", increments={"n": 1}, condition=Eq("n", 5)), partition="ann") if (
            await store.write("things", Create(thing(n=1)))
        ) else None
    assert await n_of(store) == 1
    assert await store.read("unique", "ann", "nothing") is None


async def test_a_hierarchical_key_has_sessions_too(store: CosmosStore) -> None:
    row = {"id": "1", "entity": "order", "month": "2026-01", "at": "1"}
    await store.write("months", Create(row))
    await store.write("months", Upsert({**row, "at": "2"}))
    found = await store.read("months", ("order", "2026-01"), "1")
    assert found is not None
    assert found.data["at"] == "2"


async def test_the_adapters_own_fields_are_nobodys(store: CosmosStore, server: Server) -> None:
    row = thing("event", kind="outbox")
    written = await store.write("things", Create(row))
    found = await store.read("things", "ann", "event")
    page = await store.query(Query("things", "ann", kind="outbox"))
    assert written is not None
    assert found is not None
    assert written.data == found.data == page.items[0].data == row
    stored = server.collection(DATABASE, "things").physical(("ann",)).items[("ann",)]["event"].document
    assert (stored["ttl"], stored["_t"]) == (604_800, True)
    patched = await store.write("things", Patch("event", sets={"ttl": 60}), partition="ann")
    assert patched is not None
    assert patched.data == {**row, "ttl": 60}
    for name in ("_etag", "_ts", "_w"):
        with pytest.raises(StoreMisuse, match="belong to the store"):
            await store.write("things", Create(thing(**{name: "x"})))


async def test_letters_take_the_bytes_they_have(store: CosmosStore) -> None:
    """Escaped, this document would be over the service's limit three times."""
    await store.write("things", Create(thing(text="é" * 900_000)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert len(found.raw) > 1_800_000


async def test_ids_that_the_service_does_not_take(store: CosmosStore) -> None:
    for name in ("a/b", "a\\b", "a?b", "a#b", "x" * 256):
        with pytest.raises(StoreMisuse):
            await store.write("things", Create(thing(name)))
        with pytest.raises(StoreMisuse):
            await store.read("things", "ann", name)
    for name in ("hold|order-1|variant", "a b", "é+%&=", "~2f"):
        await store.write("things", Create(thing(name)))
        assert await store.read("things", "ann", name) is not None
        await store.write("things", Delete(name), partition="ann")


async def test_an_order_needs_an_index_that_was_provisioned(server: Server, store: CosmosStore) -> None:
    """The stand-in refuses an order without its composite index, as the service does."""
    policy = {**server.collection(DATABASE, "things").definition}
    policy["indexingPolicy"] = {"includedPaths": [{"path": "/*"}], "excludedPaths": [], "compositeIndexes": []}
    server.collection(DATABASE, "things").define(policy)
    with pytest.raises(StoreMisuse, match="composite"):
        await store.query(Query("things", "ann", sort=(Sort("n"),)))


async def test_every_answer_to_an_operation_is_paid_for(store: CosmosStore) -> None:
    bill = charges.begin()
    await store.write("things", Create(thing(n=1)))
    written = bill.units
    assert bill.operations == 1
    await store.query(Query("things", purpose="everything", sort=(Sort("n"),)))
    assert bill.units - written > 4 * 2.3
    assert bill.operations == 2
    before = bill.units
    with pytest.raises(DocumentExists):
        await store.batch("things", "ann", [Create(thing("new")), Create(thing())])
    assert bill.units > before


def test_the_sdk_is_loaded_only_where_it_is_needed() -> None:
    code = "import sys, handlers.app; sys.exit(any(name.startswith('azure.cosmos') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
