"""Products that an agent chooses: its answer is a list of ids, and the shop shows those of them that fit.

The catalogue tools (`/catalog/search`, `/assortment/featured`, `/cart/recommendations`) answer
`{"product_ids": [...]}`, the most fitting first.
"""

from __future__ import annotations

from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.agents import agents
from handlers.products.index.bits import Bits
from handlers.products.index.index import Index
from handlers.products.index.port import ranked

MOST: Final = 200


async def chosen(
    services: EventServices, index: Index, within: Bits, service: str, tool: str, **question: Any
) -> list[Bits] | None:
    """The agent's choice, each product a set of its own, in order; None when the shop has to choose itself."""
    partner = services.room(agents)
    if not partner.deployed:
        return None
    answer = await partner.ask(service, tool, {**question, "limit": MOST})
    ids = answer.get("product_ids") if answer is not None else None
    if not isinstance(ids, list):
        return None
    return [one for one in ranked(index, ids[:MOST]) if one & within] or None
