"""Pages of products: from sets of the index to bytes that are ready to send."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import orjson
from pydantic import BaseModel

from handlers.platform.cursors import Cursors
from handlers.platform.paging import items_before
from handlers.platform.store.port import Document
from handlers.products.catalogue import Catalogue
from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.select import Position, Selection, page
from handlers.products.rules import Order


@dataclass(frozen=True, slots=True)
class Place:
    """The page that is asked for: its number and size, and where it starts."""

    number: int
    limit: int
    offset: int
    after: Position | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of products. `scope` tells it from all others, for its cursors."""

    catalogue: Catalogue
    index: Index
    cursors: Cursors
    order: Order
    scope: str

    def place(self, number: int, limit: int, cursor: str | None, offset: int | None = None) -> Place:
        """Where the page that is asked for starts. Raises `Problem` 400: beyond 10,000, or a foreign cursor."""
        if cursor is None:
            before = items_before(number, limit, offset)
            return Place(before // limit + 1, limit, before, None)
        of_page, tier, key, product_id = self.cursors.open(cursor, self.scope)
        position = Position(int(tier), key if isinstance(key, str) else int(key), str(product_id))
        return Place(int(of_page), limit, 0, position)

    async def page(self, tiers: Sequence[Bits], where: Place, **more: Any) -> bytes:
        """A page of the products in `tiers`, sets without overlap, as the contract's page object with `more` fields."""
        selection = self._select(tiers, where)
        following = selection.next
        cursor = None
        if following is not None:
            position = (where.number + 1, following.tier, following.key, following.id)
            cursor = self.cursors.seal(position, self.scope)
        total = sum(tier.bit_count() for tier in tiers)
        rest = {"page": where.number, "limit": where.limit, "total": total, "next_cursor": cursor, **more}
        return joined(await self.catalogue.documents(selection.slots), rest)

    def _select(self, tiers: Sequence[Bits], where: Place) -> Selection:
        """The page's slots. Tiers count only where the order says so."""
        if not self.order.tiered:
            tiers = [reduce(or_, tiers, 0)]
        elif not self.order.descending:
            tiers = tiers[::-1]
        return page(
            self.index,
            tiers,
            self.order.key,
            descending=self.order.descending,
            limit=where.limit,
            offset=where.offset,
            after=where.after,
        )


def scope_of(*parts: object) -> str:
    """What makes two lists the same one, in short."""
    text = "\0".join([part.model_dump_json() if isinstance(part, BaseModel) else repr(part) for part in parts])
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:12]).decode()


def joined(documents: Sequence[Document], rest: dict[str, Any]) -> bytes:
    """`items` with the documents as they are stored, and the other fields of the page."""
    return b'{"items":[' + b",".join([document.raw for document in documents]) + b"]," + orjson.dumps(rest)[1:]
