"""The index against plain Python: whatever was put in and taken out, it answers as a fresh look at it all does."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.products.index import facets
from handlers.products.index.bits import FEW, Postings, contents, positions, union
from handlers.products.index.entry import reading
from handlers.products.index.facets import Tally, price_facets
from handlers.products.index.index import SORTS, Index
from handlers.products.index.search import search
from handlers.products.index.select import Conditions, Position, matching, page
from handlers.products.index.words import Vocabulary, distance, singulars, words

Json = dict[str, Any]
WORDS = ("lamp", "lamps", "wool", "woollen", "oak", "red", "sledge", "quiet", "star", "starlight")


def document(number: int, chance: random.Random) -> Json:
    """A product that chance has made up."""
    name = " ".join(chance.choice(WORDS) for _ in range(3))
    return {
        "product_id": f"p{number:03d}",
        "slug": f"s{number:03d}",
        "category_slug": chance.choice(("a", "b", "c")),
        "sku": f"SKU-{number}",
        "name": name,
        "brand": chance.choice(("Nord", "Peak", "nord ")),
        "description": " ".join(chance.choice(WORDS) for _ in range(4)),
        "price": {"amount": chance.choice((0.0, 0.01, 9.99, 10.0, 250.5, 99_999_999.99)), "currency": "USD"},
        "status": chance.choice(("active", "active", "draft")),
        "rating": {"average": chance.choice((0, 1.0, 3.9, 4.0, 5.0)), "count": 1},
        "analytics": {"purchases": chance.randint(0, 2), "views": chance.randint(0, 30)},
        "created_at": f"2025-01-0{chance.randint(1, 9)}T00:00:00.000Z",
        "updated_at": "2025-02-01T00:00:00.000Z",
        "attributes": {"color": chance.choice(("Red", "Blue"))},
        "variants": [{"sku": f"SKU-{number}-1", "attributes": {}, "stock": chance.choice((0, 3, 50))}],
    }


def brute(documents: Json, wanted: Conditions) -> set[str]:
    """The ids that meet the conditions."""
    return {
        each["product_id"]
        for each in documents.values()
        if (wanted.categories is None or each["category_slug"] in wanted.categories)
        and wanted.status in (None, each["status"])
        and (wanted.price_min is None or round(each["price"]["amount"] * 100) >= wanted.price_min)
        and (wanted.price_max is None or round(each["price"]["amount"] * 100) <= wanted.price_max)
        and (not wanted.brands or each["brand"].strip().lower() in {brand.strip().lower() for brand in wanted.brands})
        and (wanted.rating is None or each["rating"]["average"] * 10 >= wanted.rating)
        and (wanted.in_stock is None or wanted.in_stock == (each["variants"][0]["stock"] > 0))
        and all(each["attributes"][key] in values for key, values in wanted.attributes)
    }


CONDITIONS = st.builds(
    Conditions,
    categories=st.none() | st.lists(st.sampled_from(["a", "b", "zz"]), max_size=2).map(tuple),
    status=st.none() | st.sampled_from(["active", "draft"]),
    price_min=st.none() | st.sampled_from([0, 1, 999, 1000, 25_050, 10**10]),
    price_max=st.none() | st.sampled_from([0, 1, 999, 1000, 25_050, 9_999_999_999, 10**12]),
    brands=st.lists(st.sampled_from(["NORD", "Peak", "x"]), max_size=2).map(tuple),
    rating=st.none() | st.sampled_from([10, 39, 40, 50]),
    in_stock=st.none() | st.booleans(),
    attributes=st.sampled_from([(), (("color", ("Red",)),), (("color", ("Red", "Blue")),)]),
)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), conditions=st.lists(CONDITIONS, min_size=3, max_size=6))
def test_any_history_of_changes(seed: int, conditions: list[Conditions]) -> None:
    chance, index = random.Random(seed), Index()
    documents = {f"p{number:03d}": document(number, chance) for number in range(40)}
    index.put_many(reading(each, "1") for each in documents.values())
    for step in range(60):
        number = chance.randint(0, 60)
        if chance.random() < 0.3:
            index.remove(f"p{number:03d}")
            documents.pop(f"p{number:03d}", None)
        else:
            changed = document(number, chance)
            index.put(reading(changed, f"v{step}"))
            documents[changed["product_id"]] = changed
        if step % 20 == 0:
            _check(index, documents, conditions, chance)
    _check(index, documents, conditions, chance)


def _check(index: Index, documents: Json, conditions: list[Conditions], chance: random.Random) -> None:
    assert len(index) == len(documents)
    for wanted in conditions:
        bits = matching(index, wanted)
        expected = brute(documents, wanted)
        assert {index.at(slot).id for slot in positions(bits)} == expected
        for sort in SORTS:
            descending = chance.random() < 0.5
            order = sorted(expected, key=lambda each: index.key(index.slot_of(each) or 0, sort), reverse=descending)
            shown: list[str] = []
            after: Position | None = None
            while True:
                selection = page(index, [bits], sort, descending=descending, limit=7, after=after)
                shown += [index.at(slot).id for slot in selection.slots]
                if selection.next is None:
                    break
                after = selection.next
            assert shown == order
            third = page(index, [bits], sort, descending=descending, limit=7, offset=14)
            assert [index.at(slot).id for slot in third.slots] == order[14:21]
    for each in documents.values():
        found = index.find(each["slug"])
        assert found is not None
        assert found.id == each["product_id"]


@given(seed=st.integers(0, 1000), query=st.lists(st.sampled_from([*WORDS, "sta", "lam"]), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_search_finds_what_has_every_word(seed: int, query: list[str]) -> None:
    chance = random.Random(seed)
    documents = [document(number, chance) for number in range(50)]
    index = Index()
    index.put_many(reading(each, "1") for each in documents)

    def has(each: Json, word: str) -> bool:
        texts = [each["name"], each["brand"], each["sku"], each["category_slug"], each["description"]]
        texts += [*each["attributes"].values(), each["variants"][0]["sku"]]
        forms = {word, *singulars(word)}
        return any(other in forms or other.startswith(word) for other in words(" ".join(texts)))

    expected = {each["product_id"] for each in documents if all(has(each, word) for word in query)}
    found = search(index, " ".join(query))
    if found.corrected is None:
        assert {index.at(slot).id for slot in positions(found.all)} == expected
    for number, tier in enumerate(found.tiers):
        for other in found.tiers[number + 1 :]:
            assert tier & other == 0


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_few_and_many_are_tallied_alike(seed: int) -> None:
    chance = random.Random(seed)
    index = Index()
    index.put_many(reading(document(number, chance), "1") for number in range(60))
    within = matching(index, Conditions(status="active"))
    with pytest.MonkeyPatch.context() as patch:
        one_by_one = Tally(index, within)
        patch.setattr(facets, "FEW_PRODUCTS", -1)
        through_index = Tally(index, within)
    for kind in ("b", "h", "acolor", "c", "s"):
        terms = index.terms(kind)
        assert sorted(one_by_one.of(terms)) == sorted(through_index.of(terms))
    for units in (0, 1, 999, 1000, 25_051, 10**10, 10**12):
        assert one_by_one.below(units) == through_index.below(units)
    assert price_facets(one_by_one, "USD") == price_facets(through_index, "USD")


def test_an_older_version_of_a_product_is_no_news() -> None:
    index, chance = Index(), random.Random(1)
    new = {**document(1, chance), "updated_at": "2025-03-01T00:00:00.000Z", "category_slug": "b"}
    old = {**new, "updated_at": "2025-02-01T00:00:00.000Z", "category_slug": "a"}
    for versions in ((old, new), (new, old)):
        index.put_many(reading(each, each["category_slug"]) for each in versions)
        entry = index.find("p001")
        assert entry is not None
        assert entry.category == "b"


@given(st.sets(st.integers(0, 700)))
def test_sets_and_postings(slots: set[int]) -> None:
    bits = union(slots, 701)
    assert positions(bits) == sorted(slots)
    assert bits.bit_count() == len(slots)
    postings = Postings()
    for slot in slots:
        postings.add(slot)
    assert postings.bits() == bits
    assert bool(postings) == bool(slots)
    within = union(range(0, 700, 3), 701)
    assert postings.count_in(within, contents(within)) == len([slot for slot in slots if slot % 3 == 0 and slot < 700])
    for slot in list(slots)[: FEW // 2]:
        postings.discard(slot)
    assert positions(postings.bits()) == sorted(list(slots)[FEW // 2 :])


@pytest.mark.parametrize(
    ("left", "right", "limit", "edits"),
    [("lamp", "lamp", 2, 0), ("lamp", "lapm", 2, 1), ("lamp", "lap", 1, 1), ("lamp", "oak", 2, 3), ("a", "abcd", 1, 2)],
)
def test_distance(left: str, right: str, limit: int, edits: int) -> None:
    assert distance(left, right, limit) == edits == distance(right, left, limit)


def test_corrections_prefer_near_then_frequent_words() -> None:
    vocabulary = Vocabulary()
    frequency = {"sledge": 3, "sledges": 1, "ledger": 9, "gone": 0, "12345": 4}
    for word in frequency:
        vocabulary.add(word)
    assert vocabulary.correction("slegde", frequency.__getitem__) == "sledge"
    assert vocabulary.correction("gonee", frequency.__getitem__) is None
    assert vocabulary.correction("12354", frequency.__getitem__) is None
    assert vocabulary.correction("sle", frequency.__getitem__) is None
    assert vocabulary.correction("xylophone", frequency.__getitem__) is None
