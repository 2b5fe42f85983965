"""What a set of products can be narrowed down by, with counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

from generated import views as v
from handlers.platform.money import decimals, major_units
from handlers.products.index.bits import Bits
from handlers.products.index.index import Index

MAX_VALUES: Final = 50
MAX_ATTRIBUTES: Final = 20
MAX_RANGES: Final = 8
_STATUSES: Final = ("in_stock", "low_stock", "out_of_stock")


def price_facets(index: Index, within: Bits, currency: str) -> list[v.PriceFacet]:
    """Ranges of prices without gaps. Both ends belong to a range, as in `filters`; the last one has no end."""
    edges = _edges(index, within, 10 ** decimals(currency))
    found: list[v.PriceFacet] = []
    below = 0
    for start, end in zip([0, *edges], [*edges, None], strict=True):
        upto = index.price_below(end, within).bit_count() if end is not None else within.bit_count()
        facet: v.PriceFacet = {
            "min": major_units(start, currency),
            "currency": currency,
            "count": upto - below,
        }
        if end is not None:
            facet["max"] = major_units(end - 1, currency)
        found.append(facet)
        below = upto
    return found if within else []


def _edges(index: Index, within: Bits, unit: int) -> list[int]:
    """Round prices between the cheapest and the dearest product, at most one less than there may be ranges."""
    ladder = [step * 10**power * unit for power in range(8) for step in (10, 25, 50)]
    total = within.bit_count()
    counts = [(edge, index.price_below(edge, within).bit_count()) for edge in ladder]
    inner = [edge for edge, below in counts if 0 < below < total]
    while len(inner) >= MAX_RANGES:
        inner = inner[1::2]
    return inner


def brand_facets(index: Index, within: Bits, data: bytes) -> list[v.FacetValue]:
    """Brands, the most frequent first."""
    return _values(index, index.terms("b"), within, data)


def rating_facets(index: Index, within: Bits) -> list[v.RatingFacet]:
    """How many products reach 4, 3, 2 and 1."""
    found: list[v.RatingFacet] = []
    reach: Bits = 0
    for minimum in (4, 3, 2, 1):
        top = 51 if minimum == 4 else (minimum + 1) * 10
        reach |= index.having_any(f"r{tenths:02d}" for tenths in range(minimum * 10, top)) & within
        found.append({"minimum": minimum, "count": reach.bit_count()})
    return found


def availability_facets(index: Index, within: Bits) -> list[v.AvailabilityFacet]:
    """How many products have each stock status."""
    counts = [(status, (index.having(f"k{status}") & within).bit_count()) for status in _STATUSES]
    return [cast("v.AvailabilityFacet", {"status": status, "count": count}) for status, count in counts]


def attribute_facets(index: Index, within: Bits, data: bytes) -> list[v.AttributeFacet]:
    """The attributes most products have, each with its values."""
    shared = [(term, count) for term, count in index.counts(index.terms("h"), within, data) if count > 1]
    keys = [term[1:] for term, _ in sorted(shared, key=lambda pair: (-pair[1], pair[0]))[:MAX_ATTRIBUTES]]
    return [{"name": key, "values": _values(index, index.terms(f"a{key}"), within, data)} for key in keys]


def category_facets(
    index: Index, within: Bits, children: Iterable[tuple[str, str, Sequence[str]]]
) -> list[v.CategoryFacet]:
    """How many products each of the categories holds; a child is slug, name, and the slugs of itself and all below."""
    found: list[v.CategoryFacet] = []
    for slug, name, below in children:
        count = (index.having_any(f"c{other}" for other in below) & within).bit_count()
        if count:
            found.append({"slug": slug, "name": name, "count": count})
    return found


def _values(index: Index, terms: Sequence[str], within: Bits, data: bytes) -> list[v.FacetValue]:
    counted = [(index.labels[term], count) for term, count in index.counts(terms, within, data)]
    counted.sort(key=lambda pair: (-pair[1], pair[0]))
    return [{"value": label, "count": count} for label, count in counted[:MAX_VALUES]]
