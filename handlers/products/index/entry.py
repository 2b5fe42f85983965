"""What the index keeps of a product document: the columns lists are sorted by, and the terms it is found by.

Everything that is true or false about a product is a term, a text whose first letter says of what kind:
`c` category, `s` status, `k` stock status, `b` brand, `a` attribute and value, `h` has the attribute, `r` rating in
tenths, `p` a bit of the price (see `Index.price_below`), `n` word of the name, `w` word of brand, attributes, SKUs and
category, `d` word of the description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from handlers.platform.clock import moment
from handlers.platform.money import minor_units
from handlers.platform.texts import folded
from handlers.products.index.words import words

Json = Mapping[str, Any]

LOW_STOCK: Final = 5
PURCHASE_WEIGHT: Final = 20
PRICE_BITS: Final = 34  # 2^34 minor units are more than the contract's highest amount
# So much of the name counts in the order by name, for it goes into cursors; then the id decides.
NAME_KEY: Final = 80
# Between key and value of an attribute; neither can contain it (the contract's texts are for people).
SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stays of a product. `price` in minor units, `rating` in tenths, `created_at` in milliseconds."""

    id: str
    slug: str
    category: str
    status: str
    version: str
    name: str
    price: int
    rating: int
    created_at: int
    popularity: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A product document read for the index: its entry, its terms, and how people write the values behind terms."""

    entry: Entry
    terms: set[str]
    labels: Mapping[str, str]


def reading(document: Json, version: str) -> Reading:
    """Reads a product document; `version` is its etag."""
    price = minor_units(document["price"]["amount"], document["price"]["currency"])
    rating = round(document["rating"]["average"] * 10)
    labels: dict[str, str] = {}
    terms = set(_facts(document, price, rating))
    terms.update(_attributes(document, labels))
    terms.update(_words(document))
    brand = brand_term(document["brand"])
    labels[brand] = document["brand"].strip()
    terms.add(brand)
    entry = Entry(
        id=document["product_id"],
        slug=document["slug"],
        category=document["category_slug"],
        status=document["status"],
        version=version,
        name=folded(document["name"])[:NAME_KEY],
        price=price,
        rating=rating,
        created_at=int(moment(document["created_at"]).timestamp() * 1000),
        popularity=popularity(document["analytics"]),
        updated_at=document["updated_at"],
    )
    return Reading(entry, terms, labels)


def popularity(analytics: Json) -> int:
    """Purchases and views as one number: a purchase weighs as much as twenty views."""
    return int(analytics["purchases"]) * PURCHASE_WEIGHT + int(analytics["views"])


def stock_status(available: int) -> str:
    """Availability in a word (contract: StockStatus)."""
    if available <= 0:
        return "out_of_stock"
    return "low_stock" if available <= LOW_STOCK else "in_stock"


def attribute_term(key: str, value: str) -> str:
    """The term of an attribute's value."""
    return f"a{key}{SEPARATOR}{folded(value.strip())}"


def brand_term(brand: str) -> str:
    """The term of a brand."""
    return f"b{folded(brand.strip())}"


def _facts(document: Json, price: int, rating: int) -> Iterator[str]:
    yield f"c{document['category_slug']}"
    yield f"s{document['status']}"
    yield f"k{stock_status(max(variant['stock'] for variant in document['variants']))}"
    yield f"r{rating:02d}"
    for bit in range(price.bit_length()):
        if price >> bit & 1:
            yield f"p{bit}"


def _attributes(document: Json, labels: dict[str, str]) -> Iterator[str]:
    for holder in (document, *document["variants"]):
        for key, value in holder["attributes"].items():
            term = attribute_term(key, value)
            labels.setdefault(term, value.strip())
            yield term
            yield f"h{key}"


def _words(document: Json) -> list[str]:
    texts = [document["brand"], document["sku"], document["category_slug"], *document["attributes"].values()]
    for variant in document["variants"]:
        texts.append(variant["sku"])
        texts += variant["attributes"].values()
    found = ["n" + word for word in words(document["name"])]
    found += ["w" + word for word in words(" ".join(texts))]
    found += ["d" + word for word in words(document["description"])]
    return found
