"""Probes for the orchestrator and metrics for the scraper."""

from __future__ import annotations

import httpx

from handlers.version import VERSION
from tests.support.app import RunningApp


def states(checks: list[dict[str, str]]) -> dict[str, str]:
    """What each dependency's check says."""
    assert all(float(check["latency_ms"]) >= 0 for check in checks)
    return {check["name"]: check["status"] for check in checks}


async def test_liveness_looks_at_nothing_else(running: RunningApp) -> None:
    await running.services.store.close()
    answer = await running.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": VERSION})


async def test_readiness_names_its_checks(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    found = states(answer.json()["checks"])
    assert {"documents", "cache"} <= found.keys()
    assert set(found.values()) == {"up"}


async def test_without_documents_nothing_is_ready(running: RunningApp) -> None:
    await running.services.store.close()
    answer = await running.client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    found = states(answer.json()["error"]["details"]["checks"])
    assert (found["documents"], found["cache"]) == ("down", "up")


async def test_without_the_cache_requests_are_still_served(running: RunningApp) -> None:
    await running.services.cache.close()
    running.services.cache = type(running.services.cache)("unix:///nowhere/valkey.sock")
    answer = await running.client.get("/readyz")
    assert answer.status_code == 200
    found = states(answer.json()["checks"])
    assert (found["documents"], found["cache"]) == ("up", "down")


async def test_metrics_count_what_was_asked(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    await client.get("/nothing")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'http_requests_total{operation="getLiveness",status="200"} 1.0' in answer.text
    assert "hph_limit_decisions" in answer.text
