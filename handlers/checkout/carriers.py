"""The carrier agent says which shipping methods it would take; prices and days stay those of the tariff.

So a quote and the order after it agree whatever the agent says. Without an answer in time every method of the tariff
is offered (decision 39; `x-agent` of `createQuote`, fallback own).
"""

from __future__ import annotations

from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.agents import agents
from handlers.pricing.shipping import Option
from handlers.pricing.tax import Destination

SERVICE: Final = "logistics-carrier-selection"
TOOL: Final = "/logistics/carrier/select"


async def offered(services: EventServices, options: list[Option], destination: Destination, grams: int) -> list[Option]:
    """The options that the agent would take, all of them when it says nothing that makes sense."""
    question = {
        "destination": {"country": destination.country, "state": destination.state},
        "weight_grams": grams,
        "methods": [option.method for option in options],
    }
    answer = await services.room(agents).ask(SERVICE, TOOL, question)
    named = _methods(answer) if answer is not None else []
    return [option for option in options if option.method in named] or options


def _methods(answer: dict[str, Any]) -> list[Any]:
    """The methods in an answer: names, or objects with a `method`."""
    methods = answer.get("methods")
    if not isinstance(methods, list):
        return []
    return [each.get("method") if isinstance(each, dict) else each for each in methods]
