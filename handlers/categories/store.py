"""The category documents: container `categories`, partition `/slug`, and the tree of them that this process keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from handlers.categories.rules import Counts, Tree
from handlers.contract.services import EventServices
from handlers.platform.kept import Kept
from handlers.platform.store.port import Create, Delete, Document, Operation, Query, Replace

CONTAINER: Final = "categories"
_PAGE: Final = 1000

HasProducts = Callable[[str], Awaitable[bool]]


async def _nothing_known(slug: str) -> bool:
    """Before the products room has said how to find out, no category counts as empty."""
    return True


class Categories:
    """The category tree of this process.

    `counts` and `has_products` are set by the products room, which knows this one and not the other way round.
    """

    def __init__(self, services: EventServices) -> None:
        self._store = services.store
        self._responses = services.responses
        self._tree = Kept(self._read, services.background, "the category tree")
        self._responses.watch(CONTAINER, self._refresh)
        self.counts: Counts = dict
        self.has_products: HasProducts = _nothing_known

    async def tree(self) -> Tree:
        """The tree as it was at most a few seconds ago; what this process has written is in it."""
        return await self._tree.value()

    async def fresh(self) -> Tree:
        """The tree as it is in the store now, to decide by."""
        return await self._tree.reload()

    async def read(self, slug: str) -> Document | None:
        """One category as it is in the store."""
        return await self._store.read(CONTAINER, slug, slug)

    async def create(self, document: Mapping[str, Any]) -> Document:
        """Writes a new category. Raises `DocumentExists` when the slug is taken (id and partition are the slug)."""
        return await self._write(Create(document))

    async def replace(self, document: Mapping[str, Any], etag: str) -> Document:
        """Writes a changed category. Raises `DocumentMissing`, `VersionConflict`."""
        return await self._write(Replace(document, if_match=etag))

    async def delete(self, slug: str, etag: str) -> None:
        """Removes a category. Raises `DocumentMissing`, `VersionConflict`."""
        await self._store.write(CONTAINER, Delete(slug, if_match=etag), partition=slug)
        await self._written()

    async def _write(self, operation: Operation) -> Document:
        written = await self._store.write(CONTAINER, operation)
        assert written is not None  # noqa: S101 - only a delete answers nothing
        await self._written()
        return written

    async def _written(self) -> None:
        try:
            await self._tree.reload()
        finally:
            self._responses.changed(CONTAINER)

    async def _refresh(self, _: Sequence[str]) -> None:
        """Another process says that categories have changed."""
        await self._tree.reload()

    async def _read(self) -> Tree:
        documents: list[Document] = []
        query = Query(CONTAINER, purpose="category_tree", limit=_PAGE)
        while True:
            page = await self._store.query(query)
            documents += page.items
            if page.next is None:
                return Tree((document.data, document.etag) for document in documents)
            query = replace(query, after=page.next)


def document_of(
    slug: str, name: str, *, description: str, parent_slug: str | None, image_url: str | None, position: int, now: str
) -> dict[str, Any]:
    """A new category document. Path and counts follow from the tree and the products, and are not stored."""
    return {
        "id": slug,
        "slug": slug,
        "name": name,
        "description": description,
        "parent_slug": parent_slug,
        **({"image_url": image_url} if image_url is not None else {}),
        "position": position,
        "created_at": now,
        "updated_at": now,
    }
