"""Operations of the tag `categories`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.categories import rules
from handlers.categories.rules import Tree
from handlers.categories.store import Categories, document_of
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.clock import timestamp
from handlers.platform.cursors import Cursors
from handlers.platform.errors import Problem, conflict, not_found, precondition_failed
from handlers.platform.etags import check
from handlers.platform.ids import new_id
from handlers.platform.paging import items_before
from handlers.platform.store.port import Document, DocumentExists, DocumentMissing, VersionConflict
from handlers.platform.texts import slug_of


async def list_categories(params: p.ListCategoriesParameters, call: Call) -> v.CategoryPage:
    """Categories in the order of the tree: children of one, the top, or all."""
    room = call.services.room(Categories)
    tree = await room.tree()
    slugs = _listed(tree, params.parent, top_level=params.top_level)
    scope = f"categories {params.parent} {params.top_level}"
    page, start = _start(call.services.cursors, scope, params, slugs)
    shown = slugs[start : start + params.limit]
    end = start + len(shown)
    counts = room.counts()
    more = end < len(slugs)
    return {
        "items": [rules.view(tree, slug, counts) for slug in shown],
        "page": page,
        "limit": params.limit,
        "total": len(slugs),
        "next_cursor": call.services.cursors.seal((page + 1, shown[-1], end), scope) if more else None,
    }


async def get_category(params: p.GetCategoryParameters, call: Call) -> Reply[v.CategoryDetail]:
    """A category, the way to it, and its children."""
    room = call.services.room(Categories)
    tree = await room.tree()
    if params.slug not in tree:
        raise not_found("Category", slug=params.slug)
    return Reply(rules.detail(tree, params.slug, room.counts()), etag=tree.etags[params.slug])


async def create_category(body: m.CategoryCreate, call: Call) -> Reply[v.Category]:
    """Adds a category to the tree."""
    room = call.services.room(Categories)
    slug = body.slug if body.slug is not MISSING else slug_of(body.name, new_id("category"))
    parent = body.parent_slug if body.parent_slug is not MISSING else None
    tree = await room.fresh()
    if slug in tree:
        raise _taken(slug)
    rules.check_place(tree, parent)
    document = document_of(
        slug,
        body.name.strip(),
        description=body.description if body.description is not MISSING else "",
        parent_slug=parent,
        image_url=body.image_url if body.image_url is not MISSING else None,
        position=body.position if body.position is not MISSING else 0,
        now=timestamp(call.services.clock.now()),
    )
    try:
        written = await room.create(document)
    except DocumentExists:
        raise _taken(slug) from None
    return Reply(rules.view(await room.tree(), slug, room.counts()), etag=written.etag)


async def update_category(params: p.UpdateCategoryParameters, body: m.CategoryUpdate, call: Call) -> Reply[v.Category]:
    """Changes a category; a new parent moves everything below it along."""
    room = call.services.room(Categories)
    before = await _find(room, params.slug)
    check(params.if_match, before.etag)
    tree = await room.fresh()
    if body.parent_slug is not MISSING:
        rules.check_place(tree, body.parent_slug, moved=params.slug)
    after = rules.changed(before.data, body, timestamp(call.services.clock.now()))
    try:
        written = await room.replace(after, before.etag)
    except (VersionConflict, DocumentMissing):
        raise precondition_failed() from None
    return Reply(rules.view(await room.tree(), params.slug, room.counts()), etag=written.etag)


async def delete_category(params: p.DeleteCategoryParameters, call: Call) -> None:
    """Removes a category without children and products."""
    room = call.services.room(Categories)
    before = await _find(room, params.slug)
    check(params.if_match, before.etag)
    tree = await room.fresh()
    if tree.children(params.slug) or await room.has_products(params.slug):
        raise conflict("The category has children or products", "category_not_empty", slug=params.slug)
    try:
        await room.delete(params.slug, before.etag)
    except (VersionConflict, DocumentMissing):
        raise precondition_failed() from None


async def _find(room: Categories, slug: str) -> Document:
    document = await room.read(slug)
    if document is None:
        raise not_found("Category", slug=slug)
    return document


def _taken(slug: str) -> Problem:
    return conflict("This slug belongs to another category", "slug_taken", slug=slug)


def _listed(tree: Tree, parent: str | None, *, top_level: bool) -> Sequence[str]:
    if parent is None:
        return tree.children(None) if top_level else tree.all
    if parent not in tree:
        raise not_found("Category", slug=parent)
    return tree.children(parent)


def _start(cursors: Cursors, scope: str, params: p.ListCategoriesParameters, slugs: Sequence[str]) -> tuple[int, int]:
    """Number and first index of the page. A cursor goes on behind the last category shown, wherever it stands now."""
    if params.cursor is None:
        start = items_before(params.page, params.limit, params.offset)
        return start // params.limit + 1, start
    page, last, index = cursors.open(params.cursor, scope)
    return int(page), slugs.index(str(last)) + 1 if last in slugs else int(index)
