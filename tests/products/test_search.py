"""Search over HTTP: words, prefixes, plurals, misspellings, ranking."""

from __future__ import annotations

from typing import Any

import pytest

from tests.products.test_lists import all_by_cursor, all_pages, ids
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEARCH = "/api/products/search"


def names(answer: dict[str, Any]) -> list[str]:
    """The names of the items, in order."""
    return [product["name"] for product in answer["items"]]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("macbook air", "MacBook Air 13-inch"),
        ("LEGO station", "Winter Village Station"),
        ("teddy", "Teddy Bear Benny"),
        ("blocks of maple", "Castle Blocks"),
        ("wusthof knife", "Chef's Knife 20 cm"),
        ("casserole le creuset", "Round Casserole 24 cm"),
        ("TOYS-BRIGHTWOOD-WOODEN-TRAIN", "Wooden Train Set"),
        ("gingerbread hazelnuts", "Nuremberg Gingerbread"),
        ("headphones sony", "WH-1000XM5 Headphones"),
    ],
)
async def test_words_find_products(shop: Shop, words: str, name: str) -> None:
    assert name in names(await shop.get(SEARCH, q=words))[:3]


@pytest.mark.parametrize(
    ("words", "corrected", "name"),
    [
        ("makbook air", "macbook air", "MacBook Air 13-inch"),
        ("gingerbraed", "gingerbread", "Creator Gingerbread House"),
        ("nutcraker", "nutcracker", "Nutcracker Guard"),
    ],
)
async def test_misspellings_are_corrected_and_said_so(shop: Shop, words: str, corrected: str, name: str) -> None:
    answer = await shop.get(SEARCH, q=words)
    assert answer["query"] == words
    assert answer["corrected_query"] == corrected
    assert name in names(answer)


async def test_what_matches_is_not_corrected(shop: Shop) -> None:
    assert "corrected_query" not in await shop.get(SEARCH, q="bear")


async def test_plurals_find_the_singular_and_the_other_way_round(shop: Shop) -> None:
    assert "Wooden Sledge Davos" in names(await shop.get(SEARCH, q="sledges"))
    assert "Hue Festive String Lights" in names(await shop.get(SEARCH, q="string light"))


async def test_a_beginning_finds_words_and_whole_words_come_first(shop: Shop) -> None:
    answer = await shop.get(SEARCH, q="bear")
    assert "Teddy Bear Benny" in names(answer)[:3]
    assert len(names(await shop.get(SEARCH, q="penguin", limit=100))) >= len(
        names(await shop.get(SEARCH, q="penguin pip"))
    )


async def test_names_come_before_descriptions(shop: Shop) -> None:
    found = names(await shop.get(SEARCH, q="knife"))
    assert found[0] == "Chef's Knife 20 cm"


async def test_every_word_has_to_match(shop: Shop) -> None:
    both = ids((await shop.get(SEARCH, q="bear steiff", limit=100))["items"])
    bears = ids((await shop.get(SEARCH, q="bear", limit=100))["items"])
    assert set(both) < set(bears)


@pytest.mark.parametrize("words", ["qqqqxxzz", "!!!", "%", "‽", "a" * 200])
async def test_nothing_found_is_an_empty_page(shop: Shop, words: str) -> None:
    answer = await shop.get(SEARCH, q=words)
    assert (answer["items"], answer["total"], answer["next_cursor"]) == ([], 0, None)


@pytest.mark.parametrize("query", [{}, {"sort": "price"}, {"order": "asc"}, {"sort": "name", "order": "desc"}])
async def test_pages_and_cursors_of_a_search_agree(shop: Shop, query: dict[str, str]) -> None:
    pages = ids(await all_pages(shop, SEARCH, q="set", limit=3, **query))
    assert len(pages) > 6
    assert len(set(pages)) == len(pages)
    assert ids(await all_by_cursor(shop, SEARCH, q="set", limit=3, **query)) == pages


async def test_ascending_relevance_is_descending_turned_round(shop: Shop) -> None:
    best_first = ids(await all_pages(shop, SEARCH, q="set", limit=50))
    assert ids(await all_pages(shop, SEARCH, q="set", limit=50, order="asc")) == best_first[::-1]


async def test_search_within_a_category_and_filters(shop: Shop) -> None:
    everywhere = await shop.get(SEARCH, q="christmas", limit=100)
    books = await shop.get(SEARCH, q="christmas", category="books", limit=100)
    assert 0 < books["total"] < everywhere["total"]
    cheap = await shop.get(SEARCH, q="christmas", category="books", filters={"price": {"max": 15}}, limit=100)
    assert {product["price"]["amount"] <= 15 for product in cheap["items"]} == {True}


async def test_search_follows_writes(shop: Shop) -> None:
    product = await shop.created(name="Zweiundzwanzig Quokka")
    path = f"/api/admin/products/{product['product_id']}"
    assert names(await shop.get(SEARCH, q="quokka")) == ["Zweiundzwanzig Quokka"]
    assert (await shop.get(SEARCH, q="quokk zweiundzwanzgi"))["corrected_query"] == "quokk zweiundzwanzig"
    assert (await shop.as_admin("PUT", path, {"name": "Einundzwanzig Wolpertinger"})).status_code == 200
    assert names(await shop.get(SEARCH, q="wolpertinger")) == ["Einundzwanzig Wolpertinger"]
    assert (await shop.get(SEARCH, q="quokka"))["total"] == 0
    assert (await shop.as_admin("DELETE", path)).status_code == 204
    assert (await shop.get(SEARCH, q="wolpertinger"))["total"] == 0
