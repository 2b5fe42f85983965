"""The product documents: container `products`, partition `/category_slug`, as they are published (decision 54).

What is not published lies beside the product in its partition, in the row `history|<product>`: the prices so far and
the counter of its events. Ids lead to the category through `lookups`, slugs to the id through their claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from handlers.platform.store.claims import get_lookup, owner_of
from handlers.platform.store.port import Document, DocumentStore, Page, Query, Range, Scalar, Sort

CONTAINER: Final = "products"
HISTORY: Final = "history"
LOOKUP: Final = "product"
SLUG_CLAIM: Final = "product_slug"
SKU_CLAIM: Final = "sku"

Json = dict[str, Any]


async def read(store: DocumentStore, category: str, product_id: str) -> Document | None:
    """The product of an id in a category, in any status."""
    return await store.read(CONTAINER, category, product_id)


async def read_many(store: DocumentStore, keys: Sequence[tuple[str, str]]) -> list[Document | None]:
    """The products of (category, id) pairs, in their order."""
    return await store.read_many([(CONTAINER, *key) for key in keys])


async def locate(store: DocumentStore, id_or_slug: str) -> Document | None:
    """The product of an id or a slug when its category is not known: two or three point reads."""
    target = await get_lookup(store, LOOKUP, id_or_slug)
    if target is not None:
        return await read(store, target["category_slug"], id_or_slug)
    owner = await owner_of(store, SLUG_CLAIM, id_or_slug)
    target = await get_lookup(store, LOOKUP, owner) if owner is not None else None
    found = await read(store, target["category_slug"], owner) if target is not None and owner is not None else None
    # A claim may be ahead of its product, or behind it for a moment.
    return found if found is not None and found.data["slug"] == id_or_slug else None


async def changed(store: DocumentStore, since: str | None, after: tuple[Scalar, ...] | None, limit: int) -> Page:
    """Products of all categories changed at or after a moment, oldest change first; None: all there are."""
    where = Range("updated_at", ge=since) if since is not None else None
    return await store.query(
        Query(
            CONTAINER,
            where=where,
            sort=(Sort("updated_at"),),
            after=after,
            limit=limit,
            purpose="catalogue_index",
            slow=limit > 100,
        )
    )


async def any_in(store: DocumentStore, category: str) -> bool:
    """Whether the category has products, in whatever status."""
    return bool((await store.query(Query(CONTAINER, partition=category, limit=1))).items)


def history_id(product_id: str) -> str:
    """The id of the row with a product's prices."""
    return f"{HISTORY}|{product_id}"
