"""Probes for the orchestrator, metrics for the scraper."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from generated import views as v
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.bus.port import BusError
from handlers.platform.cache import CacheUnavailable
from handlers.platform.errors import Problem
from handlers.platform.store.port import StoreError
from handlers.platform.telemetry import CONTENT_TYPE
from handlers.version import VERSION

CHECK_SECONDS: Final = 1.0


async def get_liveness(call: Call) -> v.Liveness:
    """The process answers; nothing else is looked at."""
    return {"status": "ok", "version": VERSION}


async def get_readiness(call: Call) -> v.Readiness:
    """200 while requests can be served. Documents are needed; without the cache only refreshing fails (decision 19)."""
    services = call.services
    pings = {"cache": services.cache.ping}
    if services.settings.role != "gateway":
        pings["documents"] = services.store.ping
    if services.bus is not None:
        pings["events"] = services.bus.ping  # while the bus is away events wait in the documents
    checks = list(await asyncio.gather(*(_check(name, ping) for name, ping in pings.items())))
    if any(check["name"] == "documents" and check["status"] == "down" for check in checks):
        raise Problem(
            "SERVICE_UNAVAILABLE", "A dependency is down", details={"checks": checks}, headers=((b"retry-after", b"2"),)
        )
    return {"status": "ok", "version": VERSION, "checks": checks}


async def get_metrics(call: Call) -> Reply[Any]:
    """The metrics of this process in Prometheus' text format."""
    return Reply.text(call.services.telemetry.render(), CONTENT_TYPE)


async def _check(name: str, ping: Callable[[], Awaitable[Any]]) -> v.ReadinessCheck:
    started = time.perf_counter()
    status: Literal["up", "down"] = "up"
    try:
        await asyncio.wait_for(ping(), CHECK_SECONDS)
    except (StoreError, CacheUnavailable, BusError, TimeoutError):
        status = "down"
    return {"name": name, "status": status, "latency_ms": round((time.perf_counter() - started) * 1000, 1)}
