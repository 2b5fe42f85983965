"""From conditions to a set of products, and from a set to a page in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from handlers.products.index.bits import Bits, contents
from handlers.products.index.entry import attribute_term, brand_term
from handlers.products.index.index import Index, Key, SortKey

# Arranging a slot costs about as much as looking at three of the order.
_ARRANGE_COST: Final = 3


@dataclass(frozen=True, slots=True)
class Conditions:
    """What products have to meet, all of it; None and empty ask for nothing.

    Prices in minor units, both ends included; rating in tenths. `attributes` are pairs of a key and its wanted values.
    """

    categories: tuple[str, ...] | None = None
    status: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    brands: tuple[str, ...] = ()
    rating: int | None = None
    in_stock: bool | None = None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    nothing: bool = False


def matching(index: Index, wanted: Conditions) -> Bits:
    """The products that meet the conditions."""
    if wanted.nothing:
        return 0
    found = index.all()
    if wanted.categories is not None:
        found &= index.having_any(f"c{slug}" for slug in wanted.categories)
    if wanted.status is not None:
        found &= index.having(f"s{wanted.status}")
    if wanted.brands:
        found &= index.having_any({brand_term(brand) for brand in wanted.brands})
    if wanted.rating is not None:
        found &= index.having_any(f"r{tenths:02d}" for tenths in range(wanted.rating, 51))
    if wanted.in_stock is not None:
        sold_out = index.having("kout_of_stock")
        found = found & ~sold_out if wanted.in_stock else found & sold_out
    for key, values in wanted.attributes:
        found &= index.having_any({attribute_term(key, value) for value in values})
    if wanted.price_max is not None:
        found = index.price_below(wanted.price_max + 1, found)
    if wanted.price_min is not None:
        found ^= index.price_below(wanted.price_min, found)
    return found


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: its last product's tier, key and id."""

    tier: int
    key: int | str
    id: str


@dataclass(frozen=True, slots=True)
class Selection:
    """A page of slots, and where to go on from (None: this was the last)."""

    slots: list[int]
    next: Position | None


def page(
    index: Index,
    tiers: Sequence[Bits],
    sort: SortKey,
    *,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: Position | None = None,
) -> Selection:
    """One page of the products in `tiers`, sets without overlap, the first tier before the second and so on."""
    way = _Way(index, sort, descending, offset + limit + 1)
    found = list(islice(way.through(tiers, after), offset, way.wanted))
    slots = [slot for _, slot in found[:limit]]
    if len(found) <= limit:
        return Selection(slots, None)
    tier, last = found[limit - 1]
    return Selection(slots, Position(tier, *index.key(last, sort)))


@dataclass(frozen=True, slots=True)
class _Way:
    """An order to go through sets in; `wanted` is how many slots will be asked for."""

    index: Index
    sort: SortKey
    descending: bool
    wanted: int

    def through(self, tiers: Sequence[Bits], after: Position | None) -> Iterator[tuple[int, int]]:
        """Tier and slot of everything behind a position."""
        for tier, bits in enumerate(tiers):
            if after is not None and tier < after.tier:
                continue
            start = (after.key, after.id) if after is not None and tier == after.tier else None
            for slot in self._sorted(bits, start):
                yield tier, slot

    def _sorted(self, bits: Bits, after: Key | None) -> Iterator[int]:
        """The slots of a set in order, those after a key only.

        Either by walking the order of all products past those that are not in the set, or by arranging the set;
        walking gives up when the set lies together far away, such as the dear category in the order of prices.
        """
        index, count = self.index, bits.bit_count()
        patience = count * _ARRANGE_COST
        if self.wanted * len(index) < patience * count:
            data = contents(bits)
            length = len(data) * 8
            for slot in islice(self._from(index.order(self.sort), after), patience):
                if slot < length and data[slot >> 3] >> (slot & 7) & 1:
                    after = index.key(slot, self.sort)
                    yield slot
        yield from self._from(index.arranged(bits, self.sort), after)

    def _from(self, order: Sequence[int], after: Key | None) -> Iterator[int]:
        if after is None:
            return reversed(order) if self.descending else iter(order)
        if self.descending:
            end = bisect_left(order, after, key=self._key)
            return (order[i] for i in range(end - 1, -1, -1))
        return islice(order, bisect_right(order, after, key=self._key), None)

    def _key(self, slot: int) -> Key:
        return self.index.key(slot, self.sort)
