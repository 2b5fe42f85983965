"""Operations of administrators on promotions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.checkout import rules
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform import etags
from handlers.platform.audit import Actor, audit_row
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import retrying
from handlers.platform.errors import conflict, not_found
from handlers.platform.paging import items_before
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    Eq,
    Operation,
    Query,
    Replace,
    VersionConflict,
)
from handlers.pricing import promotions

Json = dict[str, Any]


async def list_promotions(params: p.ListPromotionsParameters, call: Call) -> v.PromotionPage:
    """Promotions by code."""
    query = Query(
        promotions.CONTAINER,
        where=Eq("active", params.active) if params.active is not None else None,
        limit=params.limit,
        offset=items_before(params.page, params.limit),
        purpose="admin_promotions",
    )
    cursors, store = call.services.cursors, call.services.store
    page = await store.query(cursors.apply(query, params.cursor))
    return {
        "items": [rules.promotion_view(each.data) for each in page.items],
        "page": params.page,
        "limit": params.limit,
        "total": await store.count(replace(query, offset=0)),
        "next_cursor": cursors.next(query, page),
    }


async def get_promotion(params: p.GetPromotionParameters, call: Call) -> Reply[v.Promotion]:
    """One promotion, with how often it was used."""
    return _reply((await _found(call, params.code)).data)


async def create_promotion(body: m.PromotionCreate, call: Call) -> Reply[v.Promotion]:
    """Adds a promotion."""
    promotion = rules.new_promotion(body, timestamp(call.services.clock.now()))
    rules.check(promotion, call.services.settings.shop_currency)
    code = promotion["code"]
    if await promotions.read(call.services.store, code) is None:
        # What a deletion that was cut short has left of another promotion of this code.
        await promotions.forget_uses(call.services.store, code)
    audit = _audit(call, promotion, "promotion_created", rules.changes({}, promotion))
    try:
        await call.services.store.batch(promotions.CONTAINER, code, [Create(promotion), audit])
    except DocumentExists:
        raise conflict("There is a promotion with this code", "promo_code_taken", code=code) from None
    return _reply(promotion)


async def update_promotion(
    params: p.UpdatePromotionParameters, body: m.PromotionUpdate, call: Call
) -> Reply[v.Promotion]:
    """Changes a promotion; uses that are counted meanwhile stay counted."""

    async def attempt() -> Json:
        found = await _found(call, params.code)
        before = found.data
        etags.check(params.if_match, rules.content_tag(before))
        after = rules.changed_promotion(before, body, timestamp(call.services.clock.now()))
        rules.check(after, call.services.settings.shop_currency)
        if after is not before:
            audit = _audit(call, after, "promotion_updated", rules.changes(before, after))
            operations: list[Operation] = [Replace(after, if_match=found.etag), audit]
            await call.services.store.batch(promotions.CONTAINER, after["code"], operations)
        return after

    return _reply(await retrying(attempt, attempts=10, on=(VersionConflict, DocumentMissing)))


async def delete_promotion(params: p.DeletePromotionParameters, call: Call) -> None:
    """Removes a promotion and the notes of its uses."""

    async def attempt() -> str:
        found = await _found(call, params.code)
        code: str = found.data["code"]
        etags.check(params.if_match, rules.content_tag(found.data))
        audit = _audit(call, found.data, "promotion_deleted", rules.changes(found.data, {}))
        await call.services.store.batch(promotions.CONTAINER, code, [Delete(code, if_match=found.etag), audit])
        return code

    code = await retrying(attempt, attempts=10, on=(VersionConflict, DocumentMissing))
    await promotions.forget_uses(call.services.store, code)


async def _found(call: Call, code: str) -> Document:
    found = await promotions.read(call.services.store, code)
    if found is None:
        raise not_found("Promotion", code=code)
    return found


def _audit(call: Call, promotion: Json, action: str, changes: dict[str, tuple[Any, Any]]) -> Create:
    caller = call.principal
    actor = Actor("admin", id=caller.id, email=caller.email, request_id=call.request_id)
    return audit_row(
        promotions.CONTAINER,
        promotion,
        actor,
        entity_type="promotion",
        entity_id=promotion["code"],
        action=action,
        changes=changes,
        clock=call.services.clock,
    )


def _reply(promotion: Json) -> Reply[v.Promotion]:
    return Reply(rules.promotion_view(promotion), etag=rules.content_tag(promotion))
