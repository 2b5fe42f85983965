"""Lists of products over HTTP: filters, orders, pages, cursors, against the store read past the index."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.products.reference import matches, ordered
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
SORTS = ("price", "name", "created_at", "rating", "popularity", "relevance")


async def all_pages(shop: Shop, path: str, **query: Any) -> list[Json]:
    """Every item of a list, page by page."""
    items: list[Json] = []
    page = 1
    while True:
        answer = await shop.get(path, page=page, **query)
        assert answer["page"] == page
        items += answer["items"]
        if answer["next_cursor"] is None:
            assert len(items) == answer["total"]
            return items
        page += 1


async def all_by_cursor(shop: Shop, path: str, **query: Any) -> list[Json]:
    """Every item of a list, cursor by cursor."""
    items: list[Json] = []
    cursor: Json = {}
    while True:
        answer = await shop.get(path, **cursor, **query)
        items += answer["items"]
        if answer["next_cursor"] is None:
            return items
        cursor = {"cursor": answer["next_cursor"]}


def ids(products: list[Json]) -> list[str]:
    """The ids, in order."""
    return [product["product_id"] for product in products]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc", None])
async def test_pages_cursors_and_the_reference_agree(shop: Shop, sort: str, order: str | None) -> None:
    query = {"category": "toys", "sort": sort, "limit": 7, **({"order": order} if order else {})}
    expected = ids(ordered([p for p in await shop.products() if p["category_slug"].startswith("toys")], sort, order))
    assert ids(await all_pages(shop, "/api/products", **query)) == expected
    assert ids(await all_by_cursor(shop, "/api/products", **query)) == expected


async def test_items_are_the_stored_documents(shop: Shop) -> None:
    stored = {product["product_id"]: product for product in await shop.products()}
    for product in (await shop.get("/api/products", limit=100))["items"]:
        assert product == stored[product["product_id"]]


async def test_a_parent_category_shows_its_descendants(shop: Shop) -> None:
    found = await all_pages(shop, "/api/products", category="electronics", limit=100)
    slugs = {product["category_slug"] for product in found}
    assert {"electronics-laptops", "electronics-laptops-gaming", "electronics-audio"} <= slugs
    laptops = await shop.get("/api/products", category="electronics-laptops", limit=100)
    assert {p["category_slug"] for p in laptops["items"]} == {"electronics-laptops", "electronics-laptops-gaming"}


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "price": st.fixed_dictionaries(
            {},
            optional={"min": st.sampled_from([0, 9.99, 50, 129.95]), "max": st.sampled_from([34.9, 80, 1199, 20.005])},
        ).filter(bool),
        "brand": st.lists(
            st.sampled_from(["Apple", "lego", "JELLYCAT", "Sony", "Brightwood", "nobody"]), min_size=1, max_size=4
        ),
        "rating": st.sampled_from([1, 3.5, 4, 4.25, 5]),
        "in_stock": st.booleans(),
        "attributes": st.dictionaries(
            st.sampled_from(["color", "size", "age", "ram", "nothing"]),
            st.lists(st.sampled_from(["black", "Red", "S", "16gb", "From 3 years"]), min_size=1, max_size=3),
            max_size=2,
        ),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=FILTERS, sort=st.sampled_from(SORTS))
async def test_any_filters(shop: Shop, filters: Json, sort: str) -> None:
    expected = ids(ordered([p for p in await shop.products() if matches(p, filters)], sort, None))
    answer = await shop.get("/api/products", filters=filters, sort=sort, limit=100)
    assert answer["total"] == len(expected)
    assert ids(answer["items"]) == expected[:100]


async def test_filters_in_a_currency_that_nothing_is_sold_in(shop: Shop) -> None:
    answer = await shop.get("/api/products", filters={"price": {"min": 1, "currency": "EUR"}})
    assert answer["total"] == 0
    assert answer["items"] == []
    assert answer["next_cursor"] is None


async def test_a_swapped_price_range_matches_nothing(shop: Shop) -> None:
    assert (await shop.get("/api/products", filters={"price": {"min": 100, "max": 10}}))["total"] == 0


async def test_what_is_not_active_is_not_shown(shop: Shop) -> None:
    draft = await shop.created(status="draft")
    archived = await shop.created(status="archived")
    shown = ids(await all_pages(shop, "/api/products", category="toys-building", limit=100))
    assert draft["product_id"] not in shown
    assert archived["product_id"] not in shown
    for product in (draft, archived):
        assert (await shop.refused(f"/api/products/{product['product_id']}"))["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    "query",
    [
        {"page": 101, "limit": 100},
        {"page": 10_000, "limit": 2},
        {"cursor": "nonsense"},
        {"cursor": "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"filters": {"colour": ["red"]}},
        {"filters": {"price": {}}},
        {"sort": "weight"},
        {"limit": 0},
    ],
)
async def test_what_does_not_fit_the_contract_is_refused(shop: Shop, query: Json) -> None:
    error = await shop.refused("/api/products", **query)
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"]["faults"]


async def test_ten_thousand_is_the_reach_of_pages(shop: Shop) -> None:
    assert (await shop.get("/api/products", page=100, limit=100))["items"] == []


async def test_a_cursor_belongs_to_its_list(shop: Shop) -> None:
    cursor = (await shop.get("/api/products", category="toys", limit=3, sort="price"))["next_cursor"]
    for other in ({"category": "home"}, {"category": "toys", "sort": "name"}, {"category": "toys", "order": "desc"}):
        error = await shop.refused("/api/products", cursor=cursor, **{"sort": "price", **other})
        assert error["code"] == "INVALID_REQUEST"
    again = await shop.get("/api/products", category="toys", limit=5, sort="price", cursor=cursor)
    assert again["page"] == 2


async def test_a_cursor_goes_on_where_it_was_when_products_come_and_go(shop: Shop) -> None:
    first = await shop.get("/api/products", category="home-kitchen", sort="price", limit=4)
    last = first["items"][-1]
    await shop.created(category_slug="home-kitchen", price={"amount": 1.0, "currency": "USD", "tax_rate": 0.08})
    second = await shop.get(
        "/api/products", category="home-kitchen", sort="price", limit=4, cursor=first["next_cursor"]
    )
    assert all(product["price"]["amount"] >= last["price"]["amount"] for product in second["items"])
    assert not set(ids(first["items"])) & set(ids(second["items"]))


async def test_an_unknown_category_is_404(shop: Shop) -> None:
    for path in ("/api/products", "/api/products/filters"):
        assert (await shop.refused(path, category="nothing-here"))["code"] == "RESOURCE_NOT_FOUND"


async def test_featured_is_well_rated_in_stock_and_sells(shop: Shop) -> None:
    answer = await shop.get("/api/products/featured", limit=100)
    assert answer["items"]
    for product in answer["items"]:
        assert product["rating"]["average"] >= 4
        assert any(variant["stock"] for variant in product["variants"])
    by_offset = await shop.get("/api/products/featured", limit=3, offset=3)
    assert ids(by_offset["items"]) == ids(answer["items"])[3:6]
    assert ids(by_offset["items"]) == ids((await shop.get("/api/products/featured", limit=3, page=2))["items"])
