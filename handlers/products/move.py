"""Moving a product to another category, which is another partition: no crash and no other writer loses or doubles it.

1. The product is written in its new partition, with its prices, the event, and the note `moved` (from where, in which
   version, which fields its mover changed), in one batch.
2. `settle`: the look-up is turned from the old place to the new one, if it still says the old one: of two movers one
   wins, and the other's copy goes. Then the old one is removed, guarded by its etag; what others wrote on it meanwhile
   is first taken over to the new one.

A copy is removed only where the look-up says that the other one counts, and this never turns the look-up back; so the
mover, and the consumer of the event (which comes at once, and again after a crash), may both settle at the same time.
Until it is done both are there: readers take the one they are led to, the index the newer one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.platform.concurrency import retrying, settled
from handlers.platform.store.claims import LOOKUPS, get_lookup, key_of, put_lookup
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    Eq,
    Exists,
    Operation,
    Patch,
    Replace,
    Upsert,
    VersionConflict,
)
from handlers.products.documents import EDITABLE
from handlers.products.store import CONTAINER, LOOKUP, history_id, read

Json = dict[str, Any]

NOTE: Final = "moved"


async def move(
    services: EventServices, before: Document, product: Json, changed: Sequence[str], *, history: Json, event: Create
) -> Document:
    """Writes the product in its new category and removes it from the old one."""
    note = {"from": before.data["category_slug"], "version": before.etag, "fields": list(changed)}
    # An older copy may lie there from a move that was cut short.
    batch: list[Operation] = [Upsert(product), Upsert({**history, NOTE: note}), event]
    await settled(services.store, CONTAINER, product["category_slug"], batch)
    moved = await settle(services, product["product_id"], before.data["category_slug"], product["category_slug"])
    if moved is None:
        raise VersionConflict("the product was moved or removed in the same moment")
    return moved


async def settle(services: EventServices, product_id: str, old_category: str, new_category: str) -> Document | None:
    """Ends a move, whoever began it; answers the product in its new place. May be done twice, or not be needed."""
    return await retrying(lambda: _settle(services, product_id, old_category, new_category))


async def finish_earlier(services: EventServices, product: Mapping[str, Any], history: Mapping[str, Any]) -> None:
    """Ends the move that brought the product to where it is, before it goes on from here."""
    note = history.get(NOTE)
    if note is not None:
        await settle(services, product["product_id"], note["from"], product["category_slug"])


async def note_place(services: EventServices, product: Mapping[str, Any]) -> None:
    """Notes in which category the product of this id is."""
    await put_lookup(services.store, LOOKUP, product["product_id"], {"category_slug": product["category_slug"]})


async def _settle(services: EventServices, product_id: str, old_category: str, new_category: str) -> Document | None:
    store = services.store
    new = await read(store, new_category, product_id)
    history = await store.read(CONTAINER, new_category, history_id(product_id))
    old = await read(store, old_category, product_id)
    note = history.data.get(NOTE) if history is not None else None
    if new is None or history is None or note is None or note["from"] != old_category:
        if old is not None and await get_lookup(store, LOOKUP, product_id) is None:
            await _remove(services, old)  # deleted while it moved
        return new  # done, or it has moved on
    if not await _turned(services, product_id, old_category, new_category):
        await _remove(services, new)
        return None
    if old is not None:
        if old.etag != note["version"]:
            new = await _take_over(services, old, new, history)
        await _remove(services, old)
    await _forget_note(services, new_category, product_id)
    return new


async def _turned(services: EventServices, product_id: str, old_category: str, new_category: str) -> bool:
    """Turns the look-up from the old to the new place. Whether it says the new one now."""
    target = {"category_slug": new_category}
    patch = Patch(
        key_of(LOOKUP, product_id), sets={"target": target}, condition=Eq("target.category_slug", old_category)
    )
    try:
        await services.store.write(LOOKUPS, patch, partition=patch.id)
    except (VersionConflict, DocumentMissing):
        return await get_lookup(services.store, LOOKUP, product_id) == target
    return True


async def _take_over(services: EventServices, old: Document, new: Document, history: Document) -> Document:
    """Brings to the new one what was written on the old one since the move began. Raises `VersionConflict`."""
    old_history = await services.store.read(CONTAINER, old.data["category_slug"], history_id(old.data["product_id"]))
    before = old_history.data if old_history is not None else {}
    product = merged(old.data, before, new.data, history.data)
    versions = {**before.get("stock_versions", {}), **_newer(before, history.data)}
    note = {**history.data[NOTE], "version": old.etag}
    after = {**history.data, NOTE: note, **({"stock_versions": versions} if versions else {})}
    batch: list[Operation] = [Replace(product, if_match=new.etag), Replace(after, if_match=history.etag)]
    written = (await services.store.batch(CONTAINER, new.data["category_slug"], batch))[0]
    assert written is not None  # noqa: S101 - the first operation writes one
    return written


def merged(old: Json, old_history: Json, new: Json, new_history: Json) -> Json:
    """The product with what its mover changed and what others changed on the old one; of counts the higher ones."""
    product = dict(new)
    mine = set(new_history[NOTE]["fields"]) | {"category_slug"}
    product.update({name: old[name] for name in EDITABLE if name not in mine})
    if old["rating"]["count"] > new["rating"]["count"]:
        product["rating"] = old["rating"]
    if old["analytics"]["views"] > new["analytics"]["views"]:
        product["analytics"] = old["analytics"]
    product["variants"] = _with_stock(product["variants"], old, new, _newer(old_history, new_history))
    product["updated_at"] = max(old["updated_at"], new["updated_at"])
    return product


def _with_stock(variants: Sequence[Json], old: Json, new: Json, newer: Mapping[str, int]) -> list[Json]:
    """The variants with the stock of the old one, unless the new one has seen a later entry of the ledger."""
    before = {variant["variant_id"]: variant["stock"] for variant in old["variants"]}
    after = {variant["variant_id"]: variant["stock"] for variant in new["variants"]}
    known = {**after, **before, **{variant_id: after[variant_id] for variant_id in newer if variant_id in after}}
    return [{**variant, "stock": known.get(variant["variant_id"], variant["stock"])} for variant in variants]


def _newer(old_history: Json, new_history: Json) -> dict[str, int]:
    """The variants of whose ledger the new one has seen a later entry than the old one, each with its number."""
    seen = old_history.get("stock_versions", {})
    return {
        variant_id: version
        for variant_id, version in new_history.get("stock_versions", {}).items()
        if version > seen.get(variant_id, 0)
    }


async def _remove(services: EventServices, old: Document) -> None:
    """Removes the old one. Raises `VersionConflict` when it has changed."""
    product_id: str = old.data["product_id"]
    removal = [Delete(product_id, if_match=old.etag), Delete(history_id(product_id))]
    try:
        await services.store.batch(CONTAINER, old.data["category_slug"], removal)
    except DocumentMissing:
        return  # somebody else has done it


async def _forget_note(services: EventServices, category: str, product_id: str) -> None:
    patch = Patch(history_id(product_id), removes=[NOTE], condition=Exists(NOTE))
    try:
        await services.store.write(CONTAINER, patch, partition=category)
    except (VersionConflict, DocumentMissing):
        return  # somebody else has
