"""Where words lead: the port that a search service can take over.

Lists, filters and facets are sets of the index in memory, whoever searches. So an adapter answers with sets of slots;
one that asks a service turns the ids that it is given into sets with `ranked`. A composition root that has such an
adapter sets it as `Catalogue.search`; without, the index searches itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.search import Found, search


class SearchIndex(Protocol):
    """Finds products by words."""

    async def find(self, index: Index, text: str) -> Found:
        """The products that match, of every status, the best first; and the words, when they were corrected."""
        ...


class InMemorySearch:
    """Searches the index itself: decision 69."""

    async def find(self, index: Index, text: str) -> Found:
        """See `SearchIndex`. Under a millisecond for most words, so it waits for nothing."""
        return search(index, text)


def ranked(index: Index, ids: Iterable[object]) -> tuple[Bits, ...]:
    """Ids, the best first, as sets of one product each; without what is no id of a product, or was there before."""
    slots = dict.fromkeys(index.slot_of(each) for each in ids if isinstance(each, str))
    return tuple(1 << slot for slot in slots if slot is not None)
