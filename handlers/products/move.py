"""Moving a product to another category, which is another partition: no crash and no other writer loses it.

1. The product is written in its new partition, with its prices and the event, in one batch.
2. The look-up turns to the new one.
3. The old one is removed, guarded by its etag: whoever has changed it meanwhile decides. Counters, ratings and stock
   are taken over; an administrator's change wins, the move is undone, and its caller tries again on what is there now.

Between 1 and 3 both are there. Readers take the one they are led to; the index takes the newer one. After a crash
`finish` does the rest: the event that was written with the new product leads to it.
"""

from __future__ import annotations

from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.platform.concurrency import settled
from handlers.platform.errors import unavailable
from handlers.platform.store.claims import put_lookup
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    Operation,
    Replace,
    Upsert,
    VersionConflict,
)
from handlers.products.documents import content_tag
from handlers.products.store import CONTAINER, LOOKUP, history_id, read

Json = dict[str, Any]

_ATTEMPTS: Final = 5


async def move(services: EventServices, before: Document, product: Json, history: Json, event: Create) -> Document:
    """Writes the product in its new category and removes it from the old one. Raises `VersionConflict` when undone."""
    # An older copy may lie there from a move that was cut short.
    batch: list[Operation] = [Upsert(product), Upsert(history), event]
    await settled(services.store, CONTAINER, product["category_slug"], batch)
    written = await read(services.store, product["category_slug"], product["product_id"])
    if written is None:
        raise DocumentMissing("the product was removed in the same moment")
    await note_place(services, product)
    return await _retire(services, before, written)


async def finish(services: EventServices, product_id: str, old_category: str, new_category: str) -> None:
    """Ends a move that was cut short. May be done twice, or not be needed.

    When the old one was changed after the new one was written, the move never was answered: it is undone.
    """
    old = await read(services.store, old_category, product_id)
    new = await read(services.store, new_category, product_id)
    if old is None or new is None:
        return
    if old.data["updated_at"] > new.data["updated_at"]:
        await _undo(services, old, new)
        return
    await note_place(services, new.data)
    await _remove(services, old)


async def note_place(services: EventServices, product: Json) -> None:
    """Notes in which category the product of this id is."""
    await put_lookup(services.store, LOOKUP, product["product_id"], {"category_slug": product["category_slug"]})


async def _retire(services: EventServices, before: Document, written: Document) -> Document:
    """Removes the old one as it was when the move began. What was counted on it meanwhile goes to the new one."""
    old, new = before, written
    for _ in range(_ATTEMPTS):
        try:
            await _remove(services, old)
        except VersionConflict:
            there = await read(services.store, old.data["category_slug"], old.data["product_id"])
            if there is None:
                return new
            if content_tag(there.data) != content_tag(before.data):
                await _undo(services, there, new)
                raise
            new = await _taken_over(services, there.data, new)
            old = there
        else:
            return new
    raise unavailable("Others keep changing this product")


async def _remove(services: EventServices, old: Document) -> None:
    product_id: str = old.data["product_id"]
    removal = [Delete(product_id, if_match=old.etag), Delete(history_id(product_id))]
    try:
        await services.store.batch(CONTAINER, old.data["category_slug"], removal)
    except DocumentMissing:
        return  # somebody else has ended the move


async def _undo(services: EventServices, old: Document, new: Document) -> None:
    await note_place(services, old.data)
    await _remove(services, new)


async def _taken_over(services: EventServices, old: Json, new: Document) -> Document:
    stock = {variant["variant_id"]: variant["stock"] for variant in old["variants"]}
    variants = [
        {**variant, "stock": stock.get(variant["variant_id"], variant["stock"])} for variant in new.data["variants"]
    ]
    product = {**new.data, "rating": old["rating"], "analytics": old["analytics"], "variants": variants}
    written = await services.store.write(CONTAINER, Replace(product, if_match=new.etag))
    assert written is not None  # noqa: S101 - only a delete answers nothing
    return written
