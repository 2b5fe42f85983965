"""Operations of the tag `products`: those that the shop asks. Those of administrators are in `admin.py`."""

from __future__ import annotations

from typing import Final

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.categories.rules import Tree
from handlers.categories.store import Categories
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.errors import not_found
from handlers.products import rules
from handlers.products.admin import (
    create_product,
    delete_product,
    get_admin_product,
    list_admin_products,
    update_product,
)
from handlers.products.catalogue import Catalogue
from handlers.products.choice import chosen
from handlers.products.counters import Counters
from handlers.products.index import facets
from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.related import by_likeness
from handlers.products.index.select import Conditions, matching, page
from handlers.products.lists import Listing, scope_of

__all__ = [
    "create_product",
    "delete_product",
    "get_admin_product",
    "get_product",
    "get_product_filters",
    "list_admin_products",
    "list_featured_products",
    "list_products",
    "list_related_products",
    "search_products",
    "update_product",
]

# The shop's own choice: well rated and in stock, best sellers first.
FEATURED: Final = Conditions(status="active", rating=40, in_stock=True)
# Agent and tool that are asked first (`x-agent` in the contract).
FEATURED_AGENT: Final = ("product-management-assortment-optimization", "/assortment/featured")
SEARCH_AGENT: Final = ("ecommerce-catalog-search", "/catalog/search")
RELATED_AGENT: Final = ("ecommerce-cart-intelligence", "/cart/recommendations")


async def list_products(params: p.ListProductsParameters, call: Call) -> Reply[v.ProductPage]:
    """Active products of a category and everything below it, or of the whole shop."""
    catalogue, index, tree = await _catalogue(call)
    wanted = _conditions(params.category, params.filters, tree, call)
    order = rules.order_of(params.sort, params.order, has_words=False)
    scope = scope_of("products", params.category, params.filters, order)
    listing = Listing(catalogue, index, call.services.cursors, order, scope)
    where = listing.place(params.page, params.limit, params.cursor)
    return Reply.raw(await listing.page([matching(index, wanted)], where), v.ProductPage)


async def list_featured_products(params: p.ListFeaturedProductsParameters, call: Call) -> Reply[v.ProductPage]:
    """Products for the homepage: the agent's choice, else the shop's own."""
    catalogue, index, _ = await _catalogue(call)
    order = rules.Order("popularity", descending=True, tiered=True)
    listing = Listing(catalogue, index, call.services.cursors, order, scope_of("featured"))
    where = listing.place(params.page, params.limit, params.cursor, params.offset)
    tiers = await chosen(call.services, index, index.having("sactive"), *FEATURED_AGENT)
    return Reply.raw(await listing.page(tiers or [matching(index, FEATURED)], where), v.ProductPage)


async def search_products(params: p.SearchProductsParameters, call: Call) -> Reply[v.ProductSearchPage]:
    """Active products that match words, the best matches first unless sorted otherwise."""
    catalogue, index, tree = await _catalogue(call)
    wanted = _conditions(params.category, params.filters, tree, call)
    order = rules.order_of(params.sort, params.order, has_words=True)
    scope = scope_of("search", params.q, params.category, params.filters, order)
    listing = Listing(catalogue, index, call.services.cursors, order, scope)
    where = listing.place(params.page, params.limit, params.cursor)
    within = matching(index, wanted)
    if order.tiered and order.descending:
        tiers = await chosen(call.services, index, within, *SEARCH_AGENT, query=params.q, category=params.category)
        if tiers is not None:
            return Reply.raw(await listing.page(tiers, where, query=params.q), v.ProductSearchPage)
    found = await catalogue.search.find(index, params.q)
    more = {"query": params.q, **({"corrected_query": found.corrected} if found.corrected else {})}
    return Reply.raw(await listing.page(found.within(within), where, **more), v.ProductSearchPage)


async def get_product_filters(params: p.GetProductFiltersParameters, call: Call) -> v.ProductFacets:
    """What a list can be narrowed down by, with counts over the products that it shows."""
    catalogue, index, tree = await _catalogue(call)
    within = matching(index, _conditions(params.category, params.filters, tree, call))
    if params.q is not None:
        within &= (await catalogue.search.find(index, params.q)).all
    return _facets(index, tree, within, params.category, call.services.settings.shop_currency)


async def get_product(params: p.GetProductParameters, call: Call) -> Reply[v.Product]:
    """One active product, by id or slug, as it is in the store."""
    catalogue = call.services.room(Catalogue)
    document = await catalogue.active(params.product_id)
    known = (await catalogue.index()).find(params.product_id)
    if document is None or known is None:
        raise not_found("Product", product_id=params.product_id)
    call.services.room(Counters).viewed(known.id)
    return Reply.raw(document.raw, v.Product, etag=document.etag)


async def list_related_products(params: p.ListRelatedProductsParameters, call: Call) -> v.RelatedProducts:
    """Products like this one: of its category first, then of those around it."""
    catalogue, index, tree = await _catalogue(call)
    document = await catalogue.find(params.product_id)
    if document is None or document.data["status"] == "draft":
        raise not_found("Product", product_id=params.product_id)
    product_id: str = document.data["product_id"]
    others = index.having("sactive") & ~_only(index, product_id)
    tiers = await chosen(call.services, index, others, *RELATED_AGENT, product_id=product_id)
    tiers = tiers or _likeness(index, tree, product_id)
    selection = page(index, tiers, "popularity", descending=True, limit=params.limit)
    documents = await catalogue.documents(selection.slots)
    return {"items": [rules.summary(each.data) for each in documents]}


async def _catalogue(call: Call) -> tuple[Catalogue, Index, Tree]:
    catalogue = call.services.room(Catalogue)
    return catalogue, await catalogue.index(), await call.services.room(Categories).tree()


def _conditions(category: str | None, filters: m.ProductFilters | None, tree: Tree, call: Call) -> Conditions:
    """What active products have to meet. Raises `Problem` 404 for an unknown category."""
    if category is not None and category not in tree:
        raise not_found("Category", category=category)
    within = tree.subtree(category) if category is not None else None
    return rules.conditions(filters, within, "active", call.services.settings.shop_currency)


def _facets(index: Index, tree: Tree, within: Bits, category: str | None, currency: str) -> v.ProductFacets:
    tally = facets.Tally(index, within)
    children = [(slug, tree.name(slug), tree.subtree(slug)) for slug in tree.children(category)]
    found: v.ProductFacets = {
        "total": tally.total,
        "categories": facets.category_facets(tally, children),
        "price_ranges": facets.price_facets(tally, currency),
        "brands": facets.brand_facets(tally),
        "ratings": facets.rating_facets(tally),
        "availability": facets.availability_facets(tally),
        "attributes": facets.attribute_facets(tally),
    }
    if category is not None:
        found["category"] = category
    return found


def _only(index: Index, product_id: str) -> Bits:
    slot = index.slot_of(product_id)
    return 1 << slot if slot is not None else 0


def _likeness(index: Index, tree: Tree, product_id: str) -> list[Bits]:
    """Active products in sets, the closest first: of the same category, then of all below its parent."""
    slot = index.slot_of(product_id)
    if slot is None:
        return []
    category = index.at(slot).category
    others = index.having("sactive") & ~_only(index, product_id)
    near = others & index.having(f"c{category}")
    above = tree.path(category) if category in tree else []
    around = others & index.having_any(f"c{slug}" for slug in tree.subtree(above[-1])) & ~near if above else 0
    return by_likeness(index, slot, near) + by_likeness(index, slot, around)
