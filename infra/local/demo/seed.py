"""Writes products without the events of their creation: for a shop that begins with them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.inventory import store as stock_store
from handlers.platform.store.claims import CLAIMS, LOOKUPS, key_of
from handlers.platform.store.port import Operation, Upsert
from handlers.products.claims import claims_of
from handlers.products.store import CONTAINER, LOOKUP
from handlers.products.write import Author, new_history

Json = dict[str, Any]

TOGETHER: Final = 256


async def seed_products(services: EventServices, products: Iterable[Json]) -> int:
    """Writes products with stock, look-ups and claims; what is there is replaced. Answers how many."""
    remaining, count = iter(products), 0
    while chunk := list(islice(remaining, TOGETHER)):
        await asyncio.gather(*(_seed(services, product) for product in chunk))
        count += len(chunk)
    return count


async def _seed(services: EventServices, product: Json) -> None:
    store, product_id = services.store, product["product_id"]
    history = new_history(product, Author(None, ""))
    await asyncio.gather(
        *(store.write(CLAIMS, Upsert(claim)) for claim in _claims(product)),
        *(store.write(LOOKUPS, Upsert(lookup)) for lookup in _lookups(product)),
        store.batch(stock_store.CONTAINER, product_id, _stock(product)),
        store.batch(CONTAINER, product["category_slug"], [Upsert(product), Upsert(history)]),
    )


def _claims(product: Json) -> Iterator[Json]:
    for kind, value in claims_of(product):
        key = key_of(kind, value)
        owner, since = product["product_id"], product["created_at"]
        yield {"id": key, "claim": key, "owner": owner, "state": "held", "claimed_at": since}


def _lookups(product: Json) -> Iterator[Json]:
    product_id = product["product_id"]
    targets = [(LOOKUP, product_id, {"category_slug": product["category_slug"]})]
    targets += [
        (stock_store.VARIANT_LOOKUP, variant["variant_id"], {"product_id": product_id})
        for variant in product["variants"]
    ]
    for kind, value, target in targets:
        key = key_of(kind, value)
        yield {"id": key, "key": key, "target": target}


def _stock(product: Json) -> list[Operation]:
    product_id, now = product["product_id"], product["updated_at"]
    variants = product["variants"]
    card = stock_store.card(product_id, product["status"], [variant["variant_id"] for variant in variants], as_of=now)
    stocks = [
        stock_store.stock(product_id, variant["variant_id"], variant["sku"], variant["stock"], now)
        for variant in variants
    ]
    return [Upsert(card), *(Upsert(stock) for stock in stocks)]
