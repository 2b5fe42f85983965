"""Operations of the tag `banners`."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.banners import rules
from handlers.banners.store import Banners
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.clock import timestamp
from handlers.platform.cursors import Cursors
from handlers.platform.errors import not_found, precondition_failed
from handlers.platform.etags import check
from handlers.platform.ids import new_id
from handlers.platform.paging import items_before
from handlers.platform.store.port import Document, DocumentExists, DocumentMissing, VersionConflict


async def list_active_banners(params: p.ListActiveBannersParameters, call: Call) -> Reply[v.BannerPage]:
    """Banners to show at this moment."""
    now = call.services.clock.now()
    known = await call.services.room(Banners).all()
    banners = [
        document
        for document in known
        if params.placement in (None, document.data["placement"]) and rules.shown_at(document.data, now)
    ]
    page = _page(call.services.cursors, f"active banners {params.placement}", params, banners)
    page.changes_at = rules.next_change((document.data for document in known), now)
    return page


async def list_banners(params: p.ListBannersParameters, call: Call) -> Reply[v.BannerPage]:
    """Banners of every status and time."""
    banners = [
        document
        for document in await call.services.room(Banners).all()
        if params.placement in (None, document.data["placement"]) and params.status in (None, document.data["status"])
    ]
    return _page(call.services.cursors, f"all banners {params.placement} {params.status}", params, banners)


async def get_banner(params: p.GetBannerParameters, call: Call) -> Reply[v.Banner]:
    """One banner in any status."""
    return _answer(await _find(params.banner_id, call))


async def create_banner(body: m.BannerCreate, call: Call) -> Reply[v.Banner]:
    """Adds a banner."""
    banner = rules.new_banner(body, new_id("banner"), timestamp(call.services.clock.now()))
    rules.check_window(banner)
    return _answer(await call.services.room(Banners).create(banner))


async def update_banner(params: p.UpdateBannerParameters, body: m.BannerUpdate, call: Call) -> Reply[v.Banner]:
    """Changes a banner."""
    before = await _find(params.banner_id, call)
    check(params.if_match, before.etag)
    banner = rules.changed_banner(before.data, body, timestamp(call.services.clock.now()))
    rules.check_window(banner)
    try:
        return _answer(await call.services.room(Banners).replace(before, banner))
    except (VersionConflict, DocumentMissing, DocumentExists):
        raise precondition_failed() from None


async def delete_banner(params: p.DeleteBannerParameters, call: Call) -> None:
    """Removes a banner for good."""
    before = await _find(params.banner_id, call)
    check(params.if_match, before.etag)
    try:
        await call.services.room(Banners).delete(before)
    except (VersionConflict, DocumentMissing):
        raise precondition_failed() from None


async def _find(banner_id: str, call: Call) -> Document:
    document = await call.services.room(Banners).find(banner_id)
    if document is None:
        raise not_found("Banner", banner_id=banner_id)
    return document


def _answer(document: Document) -> Reply[v.Banner]:
    return Reply.raw(document.raw, v.Banner, etag=document.etag)


def _page(
    cursors: Cursors,
    scope: str,
    params: p.ListActiveBannersParameters | p.ListBannersParameters,
    banners: Sequence[Document],
) -> Reply[v.BannerPage]:
    """A page of the banners; a cursor goes on behind the last one shown, wherever it stands now."""
    number, start = params.page, 0
    if params.cursor is None:
        start = items_before(params.page, params.limit)
    else:
        of_page, last, index = cursors.open(params.cursor, scope)
        ids = [document.data["banner_id"] for document in banners]
        number, start = int(of_page), ids.index(last) + 1 if last in ids else int(index)
    shown = banners[start : start + params.limit]
    end = start + len(shown)
    following = None
    if end < len(banners):
        following = cursors.seal((number + 1, shown[-1].data["banner_id"], end), scope)
    rest = orjson.dumps({"page": number, "limit": params.limit, "total": len(banners), "next_cursor": following})
    items = b",".join([document.raw for document in shown])
    return Reply.raw(b'{"items":[' + items + b"]," + rest[1:], v.BannerPage)
