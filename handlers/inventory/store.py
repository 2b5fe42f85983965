"""The stock documents: container `inventory`, partition `/product_id`, one document for each variant.

Beside them lies the row `card|<product>`: what the stock needs to know of the product, so that one partition answers.
A variant's document: `variant_id` (its id), `product_id`, `sku`, `on_hand`, `reserved`, `version` (number of the last
entry of its ledger), `told` (version and units that the last event told of), `updated_at`, and `event_sequence`, the
counter of its events.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Query,
    Upsert,
    VersionConflict,
)

CONTAINER: Final = "inventory"
CARD: Final = "card"
VARIANT_LOOKUP: Final = "variant"
MAX_VARIANTS: Final = 90

Json = dict[str, Any]


async def read_card(store: DocumentStore, product_id: str) -> Document | None:
    """What the stock knows of a product: its `status` and its `variant_ids` in order."""
    return await store.read(CONTAINER, product_id, card_id(product_id))


async def read_stock(store: DocumentStore, product_id: str, variant_id: str) -> Document | None:
    """The stock of one variant."""
    return await store.read(CONTAINER, product_id, variant_id)


async def read_stocks(store: DocumentStore, product_id: str) -> list[Document]:
    """The stock of every variant of a product."""
    page = await store.query(Query(CONTAINER, partition=product_id, limit=MAX_VARIANTS))
    return page.items


def card_id(product_id: str) -> str:
    """The id of a product's card."""
    return f"{CARD}|{product_id}"


def card(product_id: str, status: str, variant_ids: Sequence[str], *, as_of: str) -> Json:
    """The card of a product; `as_of` is the moment of the product's change that it knows of."""
    return {
        "id": card_id(product_id),
        "kind": CARD,
        "product_id": product_id,
        "status": status,
        "variant_ids": list(variant_ids),
        "as_of": as_of,
    }


def stock(product_id: str, variant_id: str, sku: str, on_hand: int, now: str) -> Json:
    """The stock of a new variant."""
    return {
        "id": variant_id,
        "variant_id": variant_id,
        "product_id": product_id,
        "sku": sku,
        "on_hand": on_hand,
        "reserved": 0,
        "version": 0,
        "told": {"version": 0, "on_hand": on_hand, "reserved": 0},
        "updated_at": now,
    }


async def open_stocks(store: DocumentStore, product_card: Json, stocks: Sequence[Json]) -> None:
    """Writes the card and the stock of new variants, in one batch. What is there stays: a retry changes nothing."""
    product_id = product_card["product_id"]
    try:
        await store.batch(CONTAINER, product_id, [Upsert(product_card), *(Create(each) for each in stocks)])
    except DocumentExists:
        known = {document.data["variant_id"] for document in await read_stocks(store, product_id)}
        missing = [Create(each) for each in stocks if each["variant_id"] not in known]
        await store.batch(CONTAINER, product_id, [Upsert(product_card), *missing])


async def settle(store: DocumentStore, product_card: Json) -> None:
    """Brings card and stocks in line with a product that has changed.

    The stock of a variant that is no longer the product's goes, unless units of it are still reserved.
    """
    product_id = product_card["product_id"]
    stocks = await read_stocks(store, product_id)
    gone = [stock for stock in stocks if stock.data["variant_id"] not in product_card["variant_ids"]]
    await store.write(CONTAINER, Upsert(product_card))
    for document in gone:
        await _remove(store, document)


async def close(store: DocumentStore, product_id: str) -> None:
    """Removes the stock of a product that is gone; variants with units reserved stay until those are settled."""
    for document in await read_stocks(store, product_id):
        await _remove(store, document)
    with contextlib.suppress(DocumentMissing):
        await store.write(CONTAINER, Delete(card_id(product_id)), partition=product_id)


async def _remove(store: DocumentStore, document: Document) -> None:
    stock = document.data
    if stock["reserved"] > 0:
        return
    # Whoever reserves in this moment changes the etag, and the stock stays.
    with contextlib.suppress(VersionConflict, DocumentMissing):
        await store.write(CONTAINER, Delete(stock["id"], if_match=document.etag), partition=stock["product_id"])
