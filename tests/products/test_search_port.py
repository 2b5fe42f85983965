"""The search port: what every adapter has to do, and that another one can take over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from handlers.platform.texts import folded
from handlers.products.catalogue import Catalogue
from handlers.products.index.index import Index
from handlers.products.index.port import InMemorySearch, SearchIndex, ranked
from handlers.products.index.search import Found
from tests.products.test_lists import all_pages
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Service:
    """A search service of its own: knows names, ids and how well they fit, and nothing of the index's slots."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self.asked: list[str] = []

    async def find(self, index: Index, text: str) -> Found:
        """Products whose name holds every word, the shortest name first; an id that is gone is among them."""
        self.asked.append(text)
        words = folded(text).split()
        hits = [each for each, name in self._names.items() if words and all(word in name for word in words)]
        return Found(ranked(index, [*sorted(hits, key=lambda each: (len(self._names[each]), each)), "product-gone"]))


async def adapters(shop: Shop) -> list[SearchIndex]:
    """Every adapter over the shop's products."""
    names = {each["product_id"]: folded(each["name"]) for each in await shop.products(status=None)}
    return [InMemorySearch(), Service(names)]


@contextmanager
def searching(shop: Shop, adapter: SearchIndex) -> Iterator[None]:
    """Has an adapter search, as the composition root would."""
    catalogue = shop.services.room(Catalogue)
    before, catalogue.search = catalogue.search, adapter
    shop.services.responses.changed("products")
    try:
        yield
    finally:
        catalogue.search = before
        shop.services.responses.changed("products")


async def test_whoever_searches_filters_facets_and_pages_agree(shop: Shop) -> None:
    for adapter in await adapters(shop):
        with searching(shop, adapter):
            found = await all_pages(shop, "/api/products/search", q="wooden", limit=100)
            assert len(found) > 2
            assert all("wooden" in folded(str(each)) for each in found)
            assert (await shop.get("/api/products/filters", q="wooden"))["total"] == len(found)
            bound = found[0]["price"]["amount"]
            filters = {"price": {"min": bound}}
            dear = await all_pages(shop, "/api/products/search", q="wooden", limit=100, filters=filters)
            wanted = {each["product_id"] for each in found if each["price"]["amount"] >= bound}
            assert {each["product_id"] for each in dear} == wanted
            first = await shop.get("/api/products/search", q="wooden", limit=2)
            second = await shop.get("/api/products/search", q="wooden", limit=2, cursor=first["next_cursor"])
            ids = [each["product_id"] for each in (*first["items"], *second["items"])]
            assert ids == [each["product_id"] for each in found[:4]]


async def test_every_adapter_finds_nothing_without_words_and_slots_once(shop: Shop) -> None:
    index = await shop.services.room(Catalogue).index()
    for adapter in await adapters(shop):
        assert (await adapter.find(index, " ")).all == 0
        found = await adapter.find(index, "wooden")
        assert sum(tier.bit_count() for tier in found.tiers) == found.all.bit_count() > 2
        assert found.all & ~index.all() == 0


async def test_the_service_ranks(shop: Shop) -> None:
    service = (await adapters(shop))[1]
    assert isinstance(service, Service)
    with searching(shop, service):
        found = await shop.get("/api/products/search", q="wooden", limit=100)
        assert service.asked == ["wooden"]
        lengths = [len(folded(each["name"])) for each in found["items"]]
        assert lengths == sorted(lengths)
        admin = await shop.as_admin("GET", "/api/admin/products?q=wooden&limit=100")
        assert {each["product_id"] for each in admin.json()["items"]} >= {each["product_id"] for each in found["items"]}
    assert service.asked == ["wooden", "wooden"]
