"""Operations of the tag `products` that administrators ask."""

from __future__ import annotations

from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.categories.store import Categories
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.clock import timestamp
from handlers.platform.errors import not_found, precondition_failed, unavailable, unprocessable
from handlers.platform.etags import expected
from handlers.platform.ids import new_id
from handlers.platform.store.port import Document, DocumentMissing, VersionConflict
from handlers.products import documents, rules, write
from handlers.products.catalogue import Catalogue
from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.select import matching
from handlers.products.lists import Listing, scope_of
from handlers.products.store import CONTAINER, history_id

Json = dict[str, Any]

_ATTEMPTS: Final = 5


async def list_admin_products(params: p.ListAdminProductsParameters, call: Call) -> Reply[v.ProductPage]:
    """Products of every status."""
    catalogue = call.services.room(Catalogue)
    index = await catalogue.index()
    within = await _subtree(params.category, call) if params.category is not None else None
    wanted = rules.conditions(None, within, params.status, call.services.settings.shop_currency)
    order = rules.order_of(params.sort, params.order, has_words=params.q is not None)
    scope = scope_of("admin products", params.category, params.status, params.q, order)
    listing = Listing(catalogue, index, call.services.cursors, order, scope)
    where = listing.place(params.page, params.limit, params.cursor)
    tiers = [matching(index, wanted)]
    if params.q is not None:
        tiers = await _found(catalogue, index, params.q, tiers[0])
    return Reply.raw(await listing.page(tiers, where), v.ProductPage)


async def get_admin_product(params: p.GetAdminProductParameters, call: Call) -> Reply[v.AdminProduct]:
    """A product of any status with the history of its price. Its version is that of what administrators set."""
    document = await _find(params.product_id, call)
    history = await call.services.store.read(
        CONTAINER, document.data["category_slug"], history_id(document.data["product_id"])
    )
    prices = history.data["prices"] if history is not None else []
    return Reply({"product": document.data, "price_history": prices}, etag=documents.content_tag(document.data))  # type: ignore[typeddict-item]  # stored as published


async def create_product(body: m.ProductCreate, call: Call) -> Reply[v.Product]:
    """Adds a product with its variants and their stock."""
    services = call.services
    product = documents.new_product(
        body, new_id("product"), [new_id("variant") for _ in body.variants], timestamp(services.clock.now())
    )
    await _check(product, call)
    written = await write.create(services, product, _author(call))
    return _answer(written)


async def update_product(params: p.UpdateProductParameters, body: m.ProductUpdate, call: Call) -> Reply[v.Product]:
    """Changes a product; decides anew when somebody else was faster, unless the caller named a version."""
    services = call.services
    new_ids = [new_id("variant") for _ in (body.variants if body.variants is not MISSING else ())]
    for _ in range(_ATTEMPTS):
        before = await _find(params.product_id, call)
        _check_version(params.if_match, before)
        now = timestamp(services.clock.now())
        product, changed = documents.changed_product(before.data, body, new_ids, now)
        if not changed:
            return _answer(before)
        await _check(product, call)
        try:
            return _answer(await write.change(services, before, product, changed, _author(call)))
        except (VersionConflict, DocumentMissing):
            continue
    raise unavailable("Others keep changing this product")


async def delete_product(params: p.DeleteProductParameters, call: Call) -> None:
    """Removes a product, its stock with it, unless units are reserved."""
    for _ in range(_ATTEMPTS):
        before = await _find(params.product_id, call)
        _check_version(params.if_match, before)
        try:
            await write.delete(call.services, before, _author(call))
        except (VersionConflict, DocumentMissing):
            continue
        return
    raise unavailable("Others keep changing this product")


async def _found(catalogue: Catalogue, index: Index, words: str, within: Bits) -> list[Bits]:
    """The products that an id or words lead to."""
    slot = index.slot_of(words.strip())
    if slot is not None:
        return [within & (1 << slot)]
    return (await catalogue.search.find(index, words)).within(within)


async def _find(product_id: str, call: Call) -> Document:
    document = await call.services.room(Catalogue).find(product_id)
    if document is None:
        raise not_found("Product", product_id=product_id)
    return document


async def _subtree(category: str, call: Call) -> list[str]:
    tree = await call.services.room(Categories).tree()
    if category not in tree:
        raise not_found("Category", category=category)
    return tree.subtree(category)


async def _check(product: Json, call: Call) -> None:
    documents.check_prices(product, call.services.settings.shop_currency)
    documents.skus_of(product)
    if await call.services.room(Categories).read(product["category_slug"]) is None:
        raise unprocessable("The category does not exist", "category_not_found", slug=product["category_slug"])


def _check_version(if_match: str | None, before: Document) -> None:
    """Raises `Problem` 412 unless the caller's version is that of the content, or that of the shop's page."""
    wanted = expected(if_match)
    if wanted is not None and wanted not in (documents.content_tag(before.data), before.etag):
        raise precondition_failed()


def _author(call: Call) -> write.Author:
    return write.Author(call.principal.id, call.request_id)


def _answer(document: Document) -> Reply[v.Product]:
    return Reply.raw(document.raw, v.Product, etag=documents.content_tag(document.data))
