"""The stock of a variant set to what was counted, whatever it was before."""

from __future__ import annotations

from generated import views as v
from handlers.contract.services import Services
from handlers.inventory import ledger, store
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.errors import not_found
from handlers.platform.store.claims import get_lookup
from handlers.platform.store.port import Replace


async def set_on_hand(services: Services, variant_id: str, on_hand: int, request_id: str) -> v.StockLevel:
    """Sets the units on hand, with `StockLevelChanged` where that is a change.

    Raises `Problem`: 404 for an unknown variant, 422 below what open orders hold.
    """
    target = await get_lookup(services.store, store.VARIANT_LOOKUP, variant_id)
    if target is None:
        raise not_found("Variant", variant_id=variant_id)
    product_id = target["product_id"]

    async def count() -> v.StockLevel:
        found = await store.read_stock(services.store, product_id, variant_id)
        if found is None:
            raise not_found("Variant", variant_id=variant_id)
        before = found.data
        if before["on_hand"] == on_hand:
            return ledger.level(before)
        after = ledger.moved(before, on_hand=on_hand - before["on_hand"], now=timestamp(services.clock.now()))
        event = services.outbox.row(
            store.CONTAINER,
            after,
            event_type="StockLevelChanged",
            data=ledger.entry(before, after, "adjusted", adjustment_reason="recount"),
            correlation_id=request_id,
        )
        await settled(services.store, store.CONTAINER, product_id, [Replace(after, if_match=found.etag), event])
        return ledger.level(after)

    return await retrying(count)
