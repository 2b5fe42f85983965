"""Facets over HTTP: their counts are those of the lists they stand beside."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.products.reference import matches, values_of
from tests.products.test_lists import FILTERS
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
FACETS = "/api/products/filters"


async def total(shop: Shop, filters: Json, **query: Any) -> int:
    """How many products the list with the filters has."""
    answer = await shop.get("/api/products/search" if "q" in query else "/api/products", filters=filters, **query)
    count: int = answer["total"]
    return count


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters=FILTERS, category=st.sampled_from([None, "toys", "electronics-laptops"]))
async def test_counts_add_up_to_the_list(shop: Shop, filters: Json, category: str | None) -> None:
    query = {"category": category} if category else {}
    facets = await shop.get(FACETS, filters=filters, **query)
    assert facets["total"] == await total(shop, filters, **query)
    assert sum(facet["count"] for facet in facets["price_ranges"]) == facets["total"]
    assert sum(facet["count"] for facet in facets["availability"]) == facets["total"]
    if len(facets["brands"]) < 50:
        assert sum(facet["count"] for facet in facets["brands"]) == facets["total"]
    reach = [facet["count"] for facet in facets["ratings"]]
    assert [facet["minimum"] for facet in facets["ratings"]] == [4, 3, 2, 1]
    assert reach == sorted(reach)


@pytest.mark.parametrize("category", ["electronics", "home", "toys-plush"])
async def test_each_value_counts_what_its_filter_finds(shop: Shop, category: str) -> None:
    facets = await shop.get(FACETS, category=category)
    assert facets["category"] == category
    for facet in facets["price_ranges"]:
        bounds = {name: facet[name] for name in ("min", "max", "currency") if name in facet}
        assert await total(shop, {"price": bounds}, category=category) == facet["count"]
    for facet in facets["brands"]:
        assert await total(shop, {"brand": [facet["value"]]}, category=category) == facet["count"]
    for facet in facets["ratings"]:
        assert await total(shop, {"rating": facet["minimum"]}, category=category) == facet["count"]
    for attribute in facets["attributes"]:
        for value in attribute["values"]:
            wanted = {"attributes": {attribute["name"]: [value["value"]]}}
            assert await total(shop, wanted, category=category) == value["count"]


async def test_price_ranges_have_no_gaps(shop: Shop) -> None:
    ranges = (await shop.get(FACETS))["price_ranges"]
    assert ranges[0]["min"] == 0
    assert "max" not in ranges[-1]
    for below, above in itertools.pairwise(ranges):
        assert round(above["min"] - below["max"], 2) == 0.01


async def test_categories_one_level_below(shop: Shop) -> None:
    facets = await shop.get(FACETS, category="electronics")
    children = {facet["slug"]: facet["count"] for facet in facets["categories"]}
    assert sum(children.values()) == facets["total"]
    assert children["electronics-laptops"] == await total(shop, {}, category="electronics-laptops")
    top = (await shop.get(FACETS))["categories"]
    assert {facet["slug"] for facet in top} >= {"electronics", "toys", "home", "fashion"}


async def test_attributes_and_values_against_the_store(shop: Shop) -> None:
    filters = {"in_stock": True}
    products = [p for p in await shop.products() if p["category_slug"].startswith("fashion") and matches(p, filters)]
    facets = await shop.get(FACETS, category="fashion", filters=filters)
    for attribute in facets["attributes"]:
        for value in attribute["values"]:
            having = [p for p in products if value["value"].lower() in values_of(p, attribute["name"])]
            assert value["count"] == len(having)


async def test_facets_of_a_search(shop: Shop) -> None:
    facets = await shop.get(FACETS, q="christmas")
    assert facets["total"] == await total(shop, {}, q="christmas") > 0
    assert sum(facet["count"] for facet in facets["price_ranges"]) == facets["total"]


async def test_facets_of_nothing(shop: Shop) -> None:
    facets = await shop.get(FACETS, q="qqqqxxzz")
    assert facets["total"] == 0
    assert facets["price_ranges"] == facets["brands"] == facets["attributes"] == facets["categories"] == []


async def test_facets_follow_writes(shop: Shop) -> None:
    before = await shop.get(FACETS, category="toys-building")
    product = await shop.created(brand="Facetmaker")
    after = await shop.get(FACETS, category="toys-building")
    assert after["total"] == before["total"] + 1
    assert {"value": "Facetmaker", "count": 1} in after["brands"]
    assert (await shop.as_admin("DELETE", f"/api/admin/products/{product['product_id']}")).status_code == 204
    assert await shop.get(FACETS, category="toys-building") == before
