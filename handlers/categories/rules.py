"""The tree of categories, as it follows from the documents. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.platform.errors import unprocessable

Json = Mapping[str, Any]
Counts = Callable[[], Mapping[str, int]]

MAX_DEPTH: Final = 8


class Tree:
    """All categories. `version` differs between two trees that differ.

    Whatever lies in the store, every category has its place: one whose parent is missing, or which is its own ancestor,
    stands at the top.
    """

    def __init__(self, documents: Iterable[tuple[Json, str]]) -> None:
        ordered = sorted(documents, key=lambda pair: _order(pair[0]))
        self.documents: dict[str, Json] = {document["slug"]: document for document, _ in ordered}
        self.etags: dict[str, str] = {document["slug"]: etag for document, etag in ordered}
        self.version = hash(tuple(sorted(self.etags.items())))
        self._parents = {slug: self._parent(slug) for slug in self.documents}
        self._children: dict[str | None, list[str]] = {}
        for slug, parent in self._parents.items():
            self._children.setdefault(parent, []).append(slug)
        self.all: tuple[str, ...] = tuple(slug for top in self.children(None) for slug in self.subtree(top))

    def __contains__(self, slug: object) -> bool:
        return slug in self.documents

    def children(self, parent: str | None) -> list[str]:
        """The slugs directly below, in their order; None: the top."""
        return self._children.get(parent, [])

    def subtree(self, slug: str) -> list[str]:
        """The category and everything below it, each parent before its children."""
        found = [slug]
        for child in self.children(slug):
            found += self.subtree(child)
        return found

    def path(self, slug: str) -> list[str]:
        """The slugs above, from the top down."""
        above: list[str] = []
        parent = self._parents[slug]
        while parent is not None:
            above.append(parent)
            parent = self._parents[parent]
        return above[::-1]

    def height(self, slug: str) -> int:
        """How many levels the subtree has, itself included."""
        return 1 + max((self.height(child) for child in self.children(slug)), default=0)

    def name(self, slug: str) -> str:
        """The name for people."""
        return str(self.documents[slug]["name"])

    def _parent(self, slug: str) -> str | None:
        parent = self.documents[slug]["parent_slug"]
        if parent not in self.documents or self._returns_to(slug):
            return None
        return str(parent)

    def _returns_to(self, slug: str) -> bool:
        seen = {slug}
        above = self.documents[slug]["parent_slug"]
        while above in self.documents:
            if above in seen:
                return bool(above == slug)
            seen.add(above)
            above = self.documents[above]["parent_slug"]
        return False


def _order(document: Json) -> tuple[int, str, str]:
    return document["position"], document["name"], document["slug"]


def view(tree: Tree, slug: str, counts: Mapping[str, int]) -> v.Category:
    """A category as the contract shows it. `counts`: active products directly in each category."""
    document = tree.documents[slug]
    shown: v.Category = {
        "id": slug,
        "slug": slug,
        "name": document["name"],
        "description": document["description"],
        "parent_slug": document["parent_slug"],
        "path": tree.path(slug),
        "position": document["position"],
        "product_count": sum(counts.get(below, 0) for below in tree.subtree(slug)),
        "created_at": document["created_at"],
        "updated_at": document["updated_at"],
    }
    if "image_url" in document:
        shown["image_url"] = document["image_url"]
    return shown


def detail(tree: Tree, slug: str, counts: Mapping[str, int]) -> v.CategoryDetail:
    """A category with the way to it and what lies directly below."""
    return {
        "category": view(tree, slug, counts),
        "breadcrumbs": [{"slug": step, "name": tree.name(step)} for step in [*tree.path(slug), slug]],
        "children": [view(tree, child, counts) for child in tree.children(slug)],
    }


def changed(before: Json, body: m.CategoryUpdate, now: str) -> dict[str, Any]:
    """The document after a change: a given field replaces, null clears."""
    after = dict(before)
    for name in ("name", "description", "parent_slug", "image_url", "position"):
        value = getattr(body, name)
        if value is MISSING:
            continue
        if name == "image_url" and value is None:
            after.pop(name, None)
        else:
            after[name] = value.strip() if name == "name" else value
    return {**after, "updated_at": now} if after != before else after


def check_place(tree: Tree, parent: str | None, moved: str | None = None) -> None:
    """Raises `Problem` 422 when a category cannot stand below `parent`; `moved` says which, unless it is a new one."""
    if parent is None:
        return
    if parent not in tree:
        raise unprocessable("The parent category does not exist", "category_not_found", slug=parent)
    above = [*tree.path(parent), parent]
    if moved is not None and moved in above:
        raise unprocessable("A category cannot stand below itself", "category_cycle", slug=moved, parent_slug=parent)
    height = tree.height(moved) if moved is not None and moved in tree else 1
    if len(above) + height > MAX_DEPTH:
        raise unprocessable(f"The tree is at most {MAX_DEPTH} levels deep", "category_too_deep", parent_slug=parent)
