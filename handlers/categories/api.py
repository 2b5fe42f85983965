"""Operations of the tag `categories`."""

from __future__ import annotations

from collections.abc import Sequence

from generated import params as p
from generated import views as v
from handlers.categories import rules
from handlers.categories.rules import Tree
from handlers.categories.store import Categories
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.cursors import Cursors
from handlers.platform.errors import not_found
from handlers.platform.paging import items_before


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
