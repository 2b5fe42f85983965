"""What a set of products can be narrowed down by, with counts."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, cast

from generated import views as v
from handlers.platform.money import decimals, major_units
from handlers.products.index.bits import Bits, contents, positions
from handlers.products.index.index import Index

# So many products are looked at one by one faster than through the index.
FEW_PRODUCTS: Final = 400
MAX_VALUES: Final = 50
MAX_ATTRIBUTES: Final = 20
MAX_RANGES: Final = 8
_STATUSES: Final = ("in_stock", "low_stock", "out_of_stock")


class Tally:
    """How many of a set of products have what: by looking at each of them where they are few, else at the index."""

    def __init__(self, index: Index, within: Bits) -> None:
        self.index = index
        self.within = within
        self.total = within.bit_count()
        self._data = contents(within)
        self._tally: Counter[str] | None = None
        self._prices: list[int] | None = None
        if self.total <= FEW_PRODUCTS:
            slots = positions(within)
            self._tally = index.tally(slots)
            self._prices = sorted(index.at(slot).price for slot in slots)

    def of(self, terms: Sequence[str]) -> list[tuple[str, int]]:
        """The terms that at least one product has, each with how many have it."""
        if self._tally is None:
            return self.index.counts(terms, self.within, self._data)
        return [(term, self._tally[term]) for term in terms if term in self._tally]

    def below(self, units: int) -> int:
        """How many cost less than so many minor units."""
        if self._prices is None:
            return self.index.price_below(units, self.within).bit_count()
        return bisect_left(self._prices, units)


def price_facets(tally: Tally, currency: str) -> list[v.PriceFacet]:
    """Ranges of prices without gaps. Both ends belong to a range, as in `filters`; the last one has no end."""
    edges = _edges(tally, 10 ** decimals(currency))
    found: list[v.PriceFacet] = []
    below = 0
    for start, end in zip([0, *edges], [*edges, None], strict=True):
        upto = tally.below(end) if end is not None else tally.total
        facet: v.PriceFacet = {
            "min": major_units(start, currency),
            "currency": currency,
            "count": upto - below,
        }
        if end is not None:
            facet["max"] = major_units(end - 1, currency)
        found.append(facet)
        below = upto
    return found if tally.total else []


def _edges(tally: Tally, unit: int) -> list[int]:
    """Round prices between the cheapest and the dearest product, at most one less than there may be ranges."""
    ladder = [step * 10**power * unit for power in range(8) for step in (10, 25, 50)]
    inner = [edge for edge in ladder if 0 < tally.below(edge) < tally.total]
    while len(inner) >= MAX_RANGES:
        inner = inner[1::2]
    return inner


def brand_facets(tally: Tally) -> list[v.FacetValue]:
    """Brands, the most frequent first."""
    return _values(tally, tally.index.terms("b"))


def rating_facets(tally: Tally) -> list[v.RatingFacet]:
    """How many products reach 4, 3, 2 and 1."""
    found: list[v.RatingFacet] = []
    reach: Bits = 0
    for minimum in (4, 3, 2, 1):
        top = 51 if minimum == 4 else (minimum + 1) * 10
        reach |= tally.index.having_any(f"r{tenths:02d}" for tenths in range(minimum * 10, top)) & tally.within
        found.append({"minimum": minimum, "count": reach.bit_count()})
    return found


def availability_facets(tally: Tally) -> list[v.AvailabilityFacet]:
    """How many products have each stock status."""
    counts = [(status, (tally.index.having(f"k{status}") & tally.within).bit_count()) for status in _STATUSES]
    return [cast("v.AvailabilityFacet", {"status": status, "count": count}) for status, count in counts]


def attribute_facets(tally: Tally) -> list[v.AttributeFacet]:
    """The attributes most products have, each with its values."""
    shared = [(term, count) for term, count in tally.of(tally.index.terms("h")) if count > 1]
    keys = [term[1:] for term, _ in sorted(shared, key=lambda pair: (-pair[1], pair[0]))[:MAX_ATTRIBUTES]]
    return [{"name": key, "values": _values(tally, tally.index.terms(f"a{key}"))} for key in keys]


def category_facets(tally: Tally, children: Iterable[tuple[str, str, Sequence[str]]]) -> list[v.CategoryFacet]:
    """How many products each of the categories holds; a child is slug, name, and the slugs of itself and all below."""
    found: list[v.CategoryFacet] = []
    for slug, name, below in children:
        count = (tally.index.having_any(f"c{other}" for other in below) & tally.within).bit_count()
        if count:
            found.append({"slug": slug, "name": name, "count": count})
    return found


def _values(tally: Tally, terms: Sequence[str]) -> list[v.FacetValue]:
    counted = [(tally.index.labels[term], count) for term, count in tally.of(terms)]
    counted.sort(key=lambda pair: (-pair[1], pair[0]))
    return [{"value": label, "count": count} for label, count in counted[:MAX_VALUES]]
