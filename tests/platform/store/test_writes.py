"""Conformance: single writes, etags, patches."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest

from handlers.platform.store.port import (
    MAX_DOCUMENT_BYTES,
    MAX_PATCH_FIELDS,
    Create,
    Delete,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    DocumentTooLarge,
    Eq,
    Exists,
    Operation,
    Patch,
    Range,
    Replace,
    StoreMisuse,
    Upsert,
    VersionConflict,
)
from tests.platform.store.adapters import thing


async def test_what_was_written_is_read_byte_for_byte(store: DocumentStore) -> None:
    document = thing(text="Käse \u2028 🎄 \\ \" '", number=1.0, nested={"b": [1, None, True]}, empty={})
    written = await store.write("things", Create(document))
    found = await store.read("things", "ann", "t1")
    assert written is not None
    assert found is not None
    assert found.raw == written.raw == orjson.dumps(document)
    assert found.etag == written.etag
    assert found.data == document


async def test_what_is_not_there_reads_as_none(store: DocumentStore) -> None:
    await store.write("things", Create(thing()))
    assert await store.read("things", "ann", "t2") is None
    assert await store.read("things", "ben", "t1") is None
    found = await store.read_many([("things", "ben", "t1"), ("things", "ann", "t1"), ("things", "ann", "t2")])
    assert [document is not None for document in found] == [False, True, False]


async def test_create_refuses_a_taken_id_in_the_partition_only(store: DocumentStore) -> None:
    await store.write("things", Create(thing(n=1)))
    with pytest.raises(DocumentExists):
        await store.write("things", Create(thing(n=2)))
    await store.write("things", Create(thing(owner="ben", n=3)))
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert found.data["n"] == 1


async def test_unique_keys_hold_within_a_partition(store: DocumentStore) -> None:
    def item(id: str, owner: str, sku: str, y: int) -> Create:
        return Create({"id": id, "owner": owner, "sku": sku, "x": "x", "y": y})

    await store.write("unique", item("1", "ann", "A", 1))
    await store.write("unique", item("1", "ben", "A", 1))
    with pytest.raises(DocumentExists):
        await store.write("unique", item("2", "ann", "A", 2))
    with pytest.raises(DocumentExists):
        await store.write("unique", item("2", "ann", "B", 1))
    await store.write("unique", item("2", "ann", "B", 2))
    with pytest.raises(DocumentExists):
        await store.write("unique", Patch("2", sets={"sku": "A"}), partition="ann")
    with pytest.raises(DocumentExists):
        await store.write("unique", Upsert({"id": "3", "owner": "ann", "sku": "B", "x": "x", "y": 9}))


async def test_replace_needs_the_document_and_its_etag(store: DocumentStore) -> None:
    with pytest.raises(DocumentMissing):
        await store.write("things", Replace(thing()))
    first = await store.write("things", Create(thing(n=1)))
    second = await store.write("things", Replace(thing(n=2)))
    assert first is not None
    assert second is not None
    assert first.etag != second.etag
    with pytest.raises(VersionConflict):
        await store.write("things", Replace(thing(n=3), if_match=first.etag))
    third = await store.write("things", Replace(thing(n=3), if_match=second.etag))
    assert third is not None
    assert third.data["n"] == 3


async def test_the_same_content_written_again_has_a_new_etag(store: DocumentStore) -> None:
    first = await store.write("things", Upsert(thing()))
    second = await store.write("things", Upsert(thing()))
    assert first is not None
    assert second is not None
    assert first.etag != second.etag


async def test_delete_needs_the_document_and_its_etag(store: DocumentStore) -> None:
    with pytest.raises(DocumentMissing):
        await store.write("things", Delete("t1"), partition="ann")
    written = await store.write("things", Create(thing()))
    assert written is not None
    with pytest.raises(VersionConflict):
        await store.write("things", Delete("t1", if_match="other"), partition="ann")
    assert await store.write("things", Delete("t1", if_match=written.etag), partition="ann") is None
    assert await store.read("things", "ann", "t1") is None
    await store.write("things", Create(thing()))


async def test_patch_sets_increments_and_removes(store: DocumentStore) -> None:
    await store.write("things", Create(thing(n=5, price={"amount": 1.5}, old="x", list=[1, {"q": 2}])))
    patch = Patch(
        "t1",
        sets={"s": "new", "price.amount": 2.5, "list.1.q": 9},
        increments={"n": -2, "fresh": 3, "list.0": 10},
        removes=["old"],
    )
    patched = await store.write("things", patch, partition="ann")
    found = await store.read("things", "ann", "t1")
    assert patched is not None
    assert found is not None
    assert patched.raw == found.raw
    assert patched.etag == found.etag
    expected = thing(n=3, price={"amount": 2.5}, list=[11, {"q": 9}], s="new", fresh=3)
    assert found.data == expected


async def test_patch_is_judged_on_the_stored_document(store: DocumentStore) -> None:
    created = await store.write("things", Create(thing(n=1, status="open")))
    assert created is not None
    with pytest.raises(VersionConflict):
        await store.write("things", Patch("t1", increments={"n": 1}, condition=Eq("status", "shut")), partition="ann")
    with pytest.raises(VersionConflict):
        await store.write("things", Patch("t1", increments={"n": 1}, if_match="other"), partition="ann")
    enough = Range("n", ge=1)
    await store.write(
        "things", Patch("t1", increments={"n": -1}, condition=enough, if_match=created.etag), partition="ann"
    )
    with pytest.raises(VersionConflict):
        await store.write("things", Patch("t1", increments={"n": -1}, condition=enough), partition="ann")
    with pytest.raises(DocumentMissing):
        await store.write("things", Patch("t2", increments={"n": 1}, condition=Exists("n")), partition="ann")


@pytest.mark.parametrize(
    "patch",
    [
        Patch("t1"),
        Patch("t1", sets={f"f{number}": 1 for number in range(MAX_PATCH_FIELDS + 1)}),
        Patch("t1", sets={"owner": "ben"}),
        Patch("t1", sets={"id": "t2"}),
        Patch("t1", sets={"kind": "outbox"}),
        Patch("t1", sets={"absent.leaf": 1}),
        Patch("t1", sets={"s.leaf": 1}),
        Patch("t1", sets={"list.7": 1}),
        Patch("t1", increments={"s": 1}),
        Patch("t1", increments={"n": 1.5}),  # type: ignore[dict-item]
        Patch("t1", increments={"n": True}),
        Patch("t1", removes=["absent"]),
    ],
)
async def test_a_patch_that_makes_no_sense_changes_nothing(store: DocumentStore, patch: Patch) -> None:
    document = thing(n=1, s="text", list=[1])
    await store.write("things", Create(document))
    with pytest.raises(StoreMisuse):
        await store.write("things", patch, partition="ann")
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert found.data == document


@pytest.mark.parametrize(
    "operation",
    [
        Create({"owner": "ann"}),
        Create({"id": "", "owner": "ann"}),
        Create({"id": "t1"}),
        Create({"id": "t1", "owner": 7}),
        Create(thing(at=datetime(2026, 1, 1))),  # noqa: DTZ001
        Create(thing(kind="unknown")),
        Create(thing(ttl=0)),
        Create(thing(ttl="60")),
        Patch("t1", increments={"n": 1}),
        Delete("t1"),
    ],
)
async def test_a_write_that_makes_no_sense_is_the_callers_fault(store: DocumentStore, operation: Operation) -> None:
    with pytest.raises(StoreMisuse):
        await store.write("things", operation)


async def test_wrong_places_are_the_callers_fault(store: DocumentStore) -> None:
    with pytest.raises(StoreMisuse, match="nowhere"):
        await store.read("nowhere", "ann", "t1")
    with pytest.raises(StoreMisuse):
        await store.read("months", "order", "t1")
    with pytest.raises(StoreMisuse):
        await store.read("things", ("ann", "ben"), "t1")
    with pytest.raises(StoreMisuse):
        await store.write("things", Create(thing(owner="ann")), partition="ben")
    with pytest.raises(StoreMisuse):
        await store.write("plain", Create(thing(ttl=60)))


async def test_too_large_a_document_is_refused(store: DocumentStore) -> None:
    with pytest.raises(DocumentTooLarge):
        await store.write("things", Create(thing(text="x" * MAX_DOCUMENT_BYTES)))
    await store.write("things", Create(thing(text="x" * (MAX_DOCUMENT_BYTES - 100))))
    with pytest.raises(DocumentTooLarge):
        await store.write("things", Patch("t1", sets={"more": "y" * 200}), partition="ann")
    found = await store.read("things", "ann", "t1")
    assert found is not None
    assert "more" not in found.data


async def test_a_nested_partition_key_cannot_be_patched(store: DocumentStore) -> None:
    await store.write("nested", Create({"id": "1", "who": {"owner": "ann", "age": 7}, "whole": 1}))
    for path, value in (("who", {"owner": "ben"}), ("who.owner", "ben"), ("who.owner.x", "ben")):
        with pytest.raises(StoreMisuse):
            await store.write("nested", Patch("1", sets={path: value}), partition="ann")
    patched = await store.write("nested", Patch("1", increments={"who.age": 1, "whole": 1}), partition="ann")
    assert patched is not None
    assert patched.data == {"id": "1", "who": {"owner": "ann", "age": 8}, "whole": 2}


async def test_hierarchical_partitions_are_apart(store: DocumentStore) -> None:
    for entity, month in [("order", "2026-01"), ("order", "2026-02"), ("user", "2026-01")]:
        await store.write("months", Create({"id": "1", "entity": entity, "month": month, "at": month}))
    found = await store.read("months", ("order", "2026-02"), "1")
    assert found is not None
    assert found.data["at"] == "2026-02"
    await store.write("months", Delete("1"), partition=("order", "2026-02"))
    assert await store.read("months", ("order", "2026-02"), "1") is None
    assert await store.read("months", ("order", "2026-01"), "1") is not None
