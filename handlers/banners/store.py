"""The banner documents: container `banners`, partition `/placement`, as they are published. Few: kept whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from handlers.banners import rules
from handlers.contract.services import EventServices
from handlers.platform.kept import Kept
from handlers.platform.store.port import Create, Delete, Document, Query, Replace

CONTAINER: Final = "banners"
_PAGE: Final = 1000


class Banners:
    """All banners, in their order, as this process knows them."""

    def __init__(self, services: EventServices) -> None:
        self._store = services.store
        self._responses = services.responses
        self._all = Kept(self._read, services.background, "the banners")
        self._responses.watch(CONTAINER, self._refresh)

    async def all(self) -> Sequence[Document]:
        """Banners of every status by placement and position, at most a few seconds old."""
        return await self._all.value()

    async def find(self, banner_id: str) -> Document | None:
        """One banner as it is in the store now."""
        for known in (await self.all(), await self._all.reload()):
            for document in known:
                if document.data["banner_id"] == banner_id:
                    return await self._store.read(CONTAINER, document.data["placement"], banner_id)
        return None

    async def create(self, banner: Mapping[str, Any]) -> Document:
        """Writes a new banner."""
        written = await self._store.write(CONTAINER, Create(banner))
        await self._written()
        assert written is not None  # noqa: S101 - only a delete answers nothing
        return written

    async def replace(self, before: Document, banner: Mapping[str, Any]) -> Document:
        """Writes a changed banner. Raises `DocumentMissing`, `VersionConflict`.

        Another placement is another partition: the new one is written first, then the old one removed. In between
        there are two, of which the newer one is shown.
        """
        old_placement = before.data["placement"]
        if old_placement == banner["placement"]:
            written = await self._store.write(CONTAINER, Replace(banner, if_match=before.etag))
        else:
            written = await self._store.write(CONTAINER, Create(banner))
            await self._store.write(
                CONTAINER, Delete(banner["banner_id"], if_match=before.etag), partition=old_placement
            )
        await self._written()
        assert written is not None  # noqa: S101 - only a delete answers nothing
        return written

    async def delete(self, banner: Document) -> None:
        """Removes a banner. Raises `DocumentMissing`, `VersionConflict`."""
        placement, banner_id = banner.data["placement"], banner.data["banner_id"]
        await self._store.write(CONTAINER, Delete(banner_id, if_match=banner.etag), partition=placement)
        await self._written()

    async def _written(self) -> None:
        try:
            await self._all.reload()
        finally:
            self._responses.changed(CONTAINER)

    async def _refresh(self, _: Sequence[str]) -> None:
        """Another process says that banners have changed."""
        await self._all.reload()

    async def _read(self) -> Sequence[Document]:
        documents: list[Document] = []
        query = Query(CONTAINER, purpose="all_banners", limit=_PAGE)
        while True:
            page = await self._store.query(query)
            documents += page.items
            if page.next is None:
                break
            query = replace(query, after=page.next)
        newest = {id(banner) for banner in rules.latest(document.data for document in documents).values()}
        current = [document for document in documents if id(document.data) in newest]
        return sorted(current, key=lambda document: rules.order(document.data))
