"""Pages of sets in order, whichever way the index takes: walking the whole order, giving up, arranging the set."""

from __future__ import annotations

import random
from itertools import islice
from typing import Any

import pytest

from handlers.products.index.bits import union
from handlers.products.index.entry import reading
from handlers.products.index.index import SORTS, Index, SortKey
from handlers.products.index.select import page
from infra.local.demo.synthetic import products

COUNT = 1200


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    """Products to index."""
    return list(products(COUNT))


def filled(documents: list[dict[str, Any]]) -> Index:
    """An index of its own."""
    index = Index()
    index.put_many(reading(document, "1") for document in documents)
    return index


def paged(index: Index, slots: set[int], sort: SortKey, *, descending: bool, limit: int) -> list[int]:
    """The whole set, page after page by its positions."""
    bits, seen, after = union(slots, len(index)), [], None
    while True:
        selection = page(index, [bits], sort, descending=descending, limit=limit, after=after)
        seen += selection.slots
        after = selection.next
        if after is None:
            return seen


def expected(index: Index, slots: set[int], sort: SortKey, *, descending: bool) -> list[int]:
    """The set sorted the plain way."""
    return sorted(slots, key=lambda slot: index.key(slot, sort), reverse=descending)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 30, 400, COUNT])
def test_any_set_comes_in_order(documents: list[dict[str, Any]], sort: SortKey, descending: bool, size: int) -> None:
    index = filled(documents)
    slots = set(random.Random(size).sample(range(COUNT), size))
    assert paged(index, slots, sort, descending=descending, limit=7) == expected(
        index, slots, sort, descending=descending
    )


def test_a_set_that_lies_together_at_the_far_end(documents: list[dict[str, Any]]) -> None:
    index = filled(documents)
    slots = set(list(index.order("price"))[-150:])
    assert paged(index, slots, "price", descending=False, limit=20) == expected(index, slots, "price", descending=False)


def test_an_arranged_set_follows_changes(documents: list[dict[str, Any]]) -> None:
    index = filled(documents)
    slots = set(range(0, COUNT, 40))
    before = paged(index, slots, "price", descending=False, limit=20)
    for number, document in enumerate(islice(documents, 0, COUNT, 40)):
        changed = {**document, "price": {**document["price"], "amount": 900.0 - number}}
        index.put(reading(changed, "2"))
    after = paged(index, slots, "price", descending=False, limit=20)
    assert after != before
    assert after == expected(index, slots, "price", descending=False)
