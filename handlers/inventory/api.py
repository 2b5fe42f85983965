"""Operations of the tag `inventory`."""

from __future__ import annotations

from typing import Any

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.inventory import ledger, rules, store
from handlers.platform.audit import Actor, audit_row
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.errors import not_found
from handlers.platform.idempotency import Once
from handlers.platform.ids import new_id
from handlers.platform.store.claims import get_lookup
from handlers.platform.store.port import Document, Operation, Replace


async def get_product_inventory(params: p.GetProductInventoryParameters, call: Call) -> v.ProductInventory:
    """What can be ordered of each variant of an active product, from the stock itself."""
    card = await store.read_card(call.services.store, params.product_id)
    if card is None or card.data["status"] != "active":
        raise not_found("Product", product_id=params.product_id)
    stocks = await store.read_stocks(call.services.store, params.product_id)
    return rules.product_inventory(
        params.product_id, card.data["variant_ids"], [each.data for each in stocks], card.data["as_of"]
    )


async def adjust_stock(
    params: p.AdjustStockParameters, body: m.StockAdjustmentCreate, call: Call
) -> Reply[v.StockAdjustment]:
    """Adds units on hand or takes them away. Adjustments made at the same time all count."""
    target = await get_lookup(call.services.store, store.VARIANT_LOOKUP, params.variant_id)
    if target is None:
        raise not_found("Variant", variant_id=params.variant_id)
    product_id = target["product_id"]
    once = await call.once(store.CONTAINER, product_id)

    async def adjust() -> v.StockAdjustment:
        found = await store.read_stock(call.services.store, product_id, params.variant_id)
        if found is None:
            raise not_found("Variant", variant_id=params.variant_id)
        return await _adjust(found, body, call, once)

    return Reply(await retrying(adjust))


async def _adjust(found: Document, body: m.StockAdjustmentCreate, call: Call, once: Once) -> v.StockAdjustment:
    services, before = call.services, found.data
    after = ledger.moved(before, on_hand=body.delta, now=timestamp(services.clock.now()))
    note = body.note if body.note is not MISSING else None
    adjustment_id = new_id("adjustment")
    recorded = ledger.adjustment(body, after, adjustment_id, call.principal.id, note)
    event = services.outbox.row(
        store.CONTAINER,
        after,
        event_type="StockLevelChanged",
        data=ledger.entry(before, after, "adjusted", adjustment_reason=body.reason),
        correlation_id=call.request_id,
    )
    audit = audit_row(
        store.CONTAINER,
        after,
        Actor("admin", id=call.principal.id, email=call.principal.email, request_id=call.request_id),
        entity_type="inventory",
        entity_id=before["variant_id"],
        action="stock_adjusted",
        changes=_changes(before, after, body.reason, note),
        clock=services.clock,
    )
    operations: list[Operation] = [Replace(after, if_match=found.etag), event, audit, *once.remember(recorded)]
    await settled(services.store, store.CONTAINER, before["product_id"], operations)
    return recorded


def _changes(
    before: dict[str, Any], after: dict[str, Any], reason: str, note: str | None
) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {
        "on_hand": (before["on_hand"], after["on_hand"]),
        "reason": (None, reason),
    }
    return {**changes, "note": (None, note)} if note is not None else changes
