"""The checkout agent says of which lines fewer units can be delivered than are wanted; it has no say in prices.

Asked with `{destination, shipping_method, lines: [{product_id, variant_id, quantity}]}` it answers
`{lines: [{variant_id, allocatable}]}`. Only a hint: what can be had is decided when the order reserves its stock.
Without an answer in time there is none (`x-agent` of `createQuote`, fallback own).
"""

from __future__ import annotations

from typing import Any, Final

from handlers.cart.rules import Line, Notice
from handlers.checkout.bill import Bill
from handlers.contract.services import EventServices
from handlers.partners.agents import agents

SERVICE: Final = "ecommerce-checkout-support"
TOOL: Final = "/checkout/validate"


async def short_lines(services: EventServices, bill: Bill) -> list[Notice]:
    """A notice for every line that the agent would not deliver whole; none when it says nothing that makes sense."""
    question = {
        "destination": {"country": bill.destination.country, "state": bill.destination.state},
        "shipping_method": bill.option.method,
        "lines": [
            {"product_id": item.product_id, "variant_id": item.variant_id, "quantity": item.quantity}
            for item, _ in bill.lines
        ],
    }
    answer = await services.room(agents).ask(SERVICE, TOOL, question)
    allocatable = _allocatable(answer) if answer is not None else {}
    return [
        _notice(item, allocatable[item.variant_id])
        for item, _ in bill.lines
        if allocatable.get(item.variant_id, item.quantity) < item.quantity
    ]


def _notice(item: Line, units: int) -> Notice:
    return Notice("allocation_limited", item.name, item.item_id, before=item.quantity, after=units)


def _allocatable(answer: dict[str, Any]) -> dict[str, int]:
    """Units by variant, of those lines of an answer that make sense."""
    lines = answer.get("lines")
    found: dict[str, int] = {}
    for line in lines if isinstance(lines, list) else []:
        variant_id, units = (
            (line.get("variant_id"), line.get("allocatable")) if isinstance(line, dict) else (None, None)
        )
        if isinstance(variant_id, str) and type(units) is int and units >= 0:
            found[variant_id] = units
    return found
