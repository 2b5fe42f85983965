"""Operations of the tag `inventory`."""

from __future__ import annotations

from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.inventory import rules, store
from handlers.platform.errors import not_found


async def get_product_inventory(params: p.GetProductInventoryParameters, call: Call) -> v.ProductInventory:
    """What can be ordered of each variant of an active product, from the stock itself."""
    card = await store.read_card(call.services.store, params.product_id)
    if card is None or card.data["status"] != "active":
        raise not_found("Product", product_id=params.product_id)
    stocks = await store.read_stocks(call.services.store, params.product_id)
    return rules.product_inventory(
        params.product_id, card.data["variant_ids"], [each.data for each in stocks], card.data["since"]
    )
