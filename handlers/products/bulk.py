"""Many new products in one go: the steps of `write.create`, in an order that a second run may simply repeat.

Claims stay pending: who wants one of the names later looks whether the product carries it, as after a crash.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from handlers.contract.services import EventServices
from handlers.inventory import store as stock_store
from handlers.platform.errors import Problem
from handlers.platform.store.claims import ClaimTaken, claim, get_lookup, put_lookup
from handlers.platform.store.port import Create, DocumentExists, Operation, Upsert
from handlers.products.claims import carries, claims_of, taken_problem
from handlers.products.store import CONTAINER, LOOKUP, read
from handlers.products.write import Author, card_of, created_event, new_history

Json = dict[str, Any]
Outcome = Literal["created", "there"]


async def add(services: EventServices, product: Json, author: Author) -> Outcome:
    """Writes a new product, unless this very one is there. Raises `Problem` 409 when one of its names is another's."""
    store, product_id, category = services.store, product["product_id"], product["category_slug"]
    known = await get_lookup(store, LOOKUP, product_id)
    if known is not None and await read(store, known["category_slug"], product_id) is not None:
        return "there"
    await _claim(services, product)
    variants = product["variants"]
    now = product["updated_at"]
    stocks: list[Operation] = [
        Create(stock_store.stock(product_id, each["variant_id"], each["sku"], each["stock"], now)) for each in variants
    ]
    history = new_history(product, author)
    event = created_event(services, history, product, author)
    await asyncio.gather(
        _open(services, product, stocks),
        put_lookup(store, LOOKUP, product_id, {"category_slug": category}),
        *(
            put_lookup(store, stock_store.VARIANT_LOOKUP, each["variant_id"], {"product_id": product_id})
            for each in variants
        ),
    )
    try:
        await store.batch(CONTAINER, category, [Create(product), Create(history), event])
    except DocumentExists:
        return "there"
    return "created"


async def _claim(services: EventServices, product: Json) -> None:
    async def one(kind: str, value: str) -> None:
        async def holds(owner: str) -> bool:
            return await carries(services, owner, kind, value)

        try:
            await claim(services.store, kind, value, product["product_id"], clock=services.clock, holds=holds)
        except ClaimTaken as taken:
            raise taken_problem(kind, value) from taken

    results = await asyncio.gather(*(one(*each) for each in claims_of(product)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    if refused:
        # What was claimed beside it stays pending, and is free for others once it is a minute old.
        raise next((each for each in refused if isinstance(each, Problem)), refused[0])


async def _open(services: EventServices, product: Json, stocks: list[Operation]) -> None:
    product_id = product["product_id"]
    try:
        await services.store.batch(stock_store.CONTAINER, product_id, [Upsert(card_of(product)), *stocks])
    except DocumentExists:
        return  # from a run that was cut short
