"""Operations of the tag `banners`."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from generated import params as p
from generated import views as v
from handlers.banners import rules
from handlers.banners.store import Banners
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.cursors import Cursors
from handlers.platform.paging import items_before
from handlers.platform.store.port import Document


async def list_active_banners(params: p.ListActiveBannersParameters, call: Call) -> Reply[v.BannerPage]:
    """Banners to show at this moment."""
    now = call.services.clock.now()
    banners = [
        document
        for document in await call.services.room(Banners).all()
        if params.placement in (None, document.data["placement"]) and rules.shown_at(document.data, now)
    ]
    return _page(call.services.cursors, f"active banners {params.placement}", params, banners)


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
