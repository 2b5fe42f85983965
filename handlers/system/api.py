"""Probes for the orchestrator, metrics for the scraper."""

from __future__ import annotations

from typing import Any

from generated import views as v
from handlers.contract.call import Call
from handlers.contract.probes import Check, liveness, readiness
from handlers.contract.reply import Reply
from handlers.platform.telemetry import CONTENT_TYPE
from handlers.products.catalogue import Catalogue


async def get_liveness(call: Call) -> v.Liveness:
    """The process answers. What it relies on is told, and decides nothing."""
    return liveness(call.services)


async def get_readiness(call: Call) -> v.Readiness:
    """200 while this process can serve requests: it is not about to end, and its index is filled."""
    services = call.services
    checks: dict[str, Check] = {"serving": lambda: not services.stopping.begun}
    if services.settings.role != "gateway":
        checks["catalogue"] = lambda: services.room(Catalogue).loaded
    return readiness(checks)


async def get_metrics(call: Call) -> Reply[Any]:
    """The metrics of this process in Prometheus' text format."""
    return Reply.text(call.services.telemetry.render(), CONTENT_TYPE)
