"""Writing products. The order of steps, so that no crash loses or doubles anything:

create   claims (pending), stock, look-ups, then **product, prices and event in one batch**, then claims confirmed
change   new claims, stock of new variants, then **product, prices, event**, then stock settled, old claims released
move     as change; see `move.py`
delete   claims in doubt, then **product and prices removed, event**, then stock, look-ups and claims

What a crash leaves behind is harmless: pending claims are settled by verification, stock without a product is asked for
by nobody, and the consumers of the event (`crud-inventory`, `crud-search`) do what comes after the bold step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.contract.services import EventServices
from handlers.inventory import store as stock_store
from handlers.platform.concurrency import settled
from handlers.platform.errors import conflict
from handlers.platform.store.claims import drop_lookup, put_lookup
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentMissing,
    Operation,
    Replace,
    Upsert,
)
from handlers.products import documents
from handlers.products.catalogue import Catalogue
from handlers.products.claims import claims_of, doubt_all, held, release_all
from handlers.products.move import NOTE, finish_earlier, move, note_place
from handlers.products.store import CONTAINER, HISTORY, LOOKUP, history_id, read

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and in the course of which request. `id` is None for imports."""

    id: str | None
    correlation_id: str


async def create(services: EventServices, product: Json, author: Author) -> Document:
    """Writes a new product with its stock. Raises `Problem` 409 when its slug or a SKU is taken."""
    product_id: str = product["product_id"]
    async with held(services, product_id, claims_of(product)):
        await _open_stocks(services, product, product["variants"])
        await _note_places(services, product)
        history = new_history(product, author)
        event = created_event(services, history, product, author)
        written = await _batch(services, product, [Create(product), Create(history), event])
    services.room(Catalogue).learn(written)
    return written


async def change(
    services: EventServices, before: Document, product: Json, changed: Sequence[str], author: Author
) -> Document:
    """Writes a changed product. Raises `Problem` 409 (`slug_taken`, `sku_taken`, `in_use`), and `VersionConflict`."""
    old, product_id = before.data, product["product_id"]
    given_up = claims_of(old) - claims_of(product)
    known = {variant["variant_id"] for variant in old["variants"]}
    await _check_unreserved(services, product_id, known - {variant["variant_id"] for variant in product["variants"]})
    async with held(services, product_id, claims_of(product) - claims_of(old)):
        await doubt_all(services, product_id, given_up)
        added = [variant for variant in product["variants"] if variant["variant_id"] not in known]
        if added:
            await _open_stocks(services, product, added)
        written = await _write(services, before, product, changed, author)
    services.room(Catalogue).learn(written)
    if "variants" in changed or "status" in changed:
        await stock_store.settle(services.store, card_of(product))
    await release_all(services, product_id, given_up)
    return written


async def delete(services: EventServices, before: Document, author: Author) -> None:
    """Removes a product. Raises `Problem` 409 `in_use` while units are reserved, and `VersionConflict`."""
    product = before.data
    product_id: str = product["product_id"]
    variant_ids = [variant["variant_id"] for variant in product["variants"]]
    await _check_unreserved(services, product_id, variant_ids)
    await doubt_all(services, product_id, claims_of(product))
    history = await history_of(services, product)
    event = _event(services, history, "ProductDeleted", _deleted(product), author)
    category: str = product["category_slug"]
    removal: list[Operation] = [Delete(product_id, if_match=before.etag), Delete(history["id"]), event]
    await settled(services.store, CONTAINER, category, removal)
    services.room(Catalogue).forget(product_id)
    await clear_up(services, product_id, variant_ids)
    await release_all(services, product_id, claims_of(product))


async def clear_up(services: EventServices, product_id: str, variant_ids: Sequence[str]) -> None:
    """Removes what belonged to a product that is gone. May be done twice."""
    await stock_store.close(services.store, product_id)
    await drop_lookup(services.store, LOOKUP, product_id)
    await asyncio.gather(*(drop_lookup(services.store, stock_store.VARIANT_LOOKUP, each) for each in variant_ids))


def new_history(product: Json, author: Author) -> Json:
    """The row with the prices of a new product."""
    return {
        "id": history_id(product["product_id"]),
        "kind": HISTORY,
        "category_slug": product["category_slug"],
        "product_id": product["product_id"],
        "prices": [documents.price_now(product["price"], product["created_at"], author.id)],
        "event_sequence": 0,
    }


async def _write(
    services: EventServices, before: Document, product: Json, changed: Sequence[str], author: Author
) -> Document:
    """The batch with the product, or the whole move."""
    old = before.data
    history = {**await history_of(services, old), "category_slug": product["category_slug"]}
    if "price" in changed:
        history["prices"] = documents.priced(history["prices"], product["price"], product["updated_at"], author.id)
    data: Json = {
        "product_id": product["product_id"],
        "changed_fields": list(changed),
        "product": documents.snapshot(product),
    }
    if "category_slug" not in changed:
        event = _event(services, history, "ProductUpdated", data, author)
        return await _batch(services, product, [Replace(product, if_match=before.etag), Upsert(history), event])
    await finish_earlier(services, old, history)
    history.pop(NOTE, None)
    data["previous_category_slug"] = old["category_slug"]
    event = _event(services, history, "ProductUpdated", data, author)
    return await move(services, before, product, changed, history=history, event=event)


async def _batch(services: EventServices, product: Json, operations: Sequence[Operation]) -> Document:
    """Writes the product and what goes with it."""
    category: str = product["category_slug"]
    written = await settled(services.store, CONTAINER, category, operations)
    document = written[0] if written else await read(services.store, category, product["product_id"])
    if document is None:
        raise DocumentMissing("the product was removed in the same moment")
    return document


async def history_of(services: EventServices, product: Json) -> Json:
    """The row with the prices and the event counter of a product."""
    found = await services.store.read(CONTAINER, product["category_slug"], history_id(product["product_id"]))
    return found.data if found is not None else new_history(product, Author(None, ""))


async def _check_unreserved(services: EventServices, product_id: str, variant_ids: Sequence[str] | set[str]) -> None:
    """Raises `Problem` 409 when units of one of the variants are reserved for open orders."""
    if not variant_ids:
        return
    for stock in await stock_store.read_stocks(services.store, product_id):
        if stock.data["variant_id"] in variant_ids and stock.data["reserved"] > 0:
            raise conflict(
                "Units are reserved for open orders",
                "in_use",
                variant_id=stock.data["variant_id"],
                sku=stock.data["sku"],
            )


async def _open_stocks(services: EventServices, product: Json, variants: Sequence[Json]) -> None:
    product_id, now = product["product_id"], product["updated_at"]
    stocks = [
        stock_store.stock(product_id, variant["variant_id"], variant["sku"], variant["stock"], now)
        for variant in variants
    ]
    await stock_store.open_stocks(services.store, card_of(product), stocks)


def card_of(product: Json) -> Json:
    """What the stock keeps of the product."""
    variant_ids = [variant["variant_id"] for variant in product["variants"]]
    return stock_store.card(product["product_id"], product["status"], variant_ids, as_of=product["updated_at"])


async def _note_places(services: EventServices, product: Json) -> None:
    target = {"product_id": product["product_id"]}
    await asyncio.gather(
        note_place(services, product),
        *(
            put_lookup(services.store, stock_store.VARIANT_LOOKUP, variant["variant_id"], target)
            for variant in product["variants"]
        ),
    )


def created_event(services: EventServices, history: Json, product: Json, author: Author) -> Create:
    """The row of `ProductCreated`, for the batch that creates the product."""
    data = {"product_id": product["product_id"], "product": documents.snapshot(product)}
    return _event(services, history, "ProductCreated", data, author)


def _deleted(product: Json) -> Json:
    return {
        "product_id": product["product_id"],
        "category_slug": product["category_slug"],
        "sku": product["sku"],
        "variant_ids": [variant["variant_id"] for variant in product["variants"]],
    }


def _event(services: EventServices, history: Json, event_type: str, data: Json, author: Author) -> Create:
    return services.outbox.row(
        CONTAINER, history, event_type=event_type, data=data, correlation_id=author.correlation_id
    )
