"""Probes for the orchestrator and metrics for the scraper."""

from __future__ import annotations

import time

import httpx

from handlers.version import VERSION
from tests.support.app import RunningApp
from tests.support.wait import eventually


async def dependencies(client: httpx.AsyncClient) -> dict[str, str]:
    """What the process says of its dependencies, by name."""
    response = await client.get("/healthz")
    assert response.status_code == 200
    found = response.json()["dependencies"]
    assert all(each["latency_ms"] >= 0 for each in found)
    return {each["name"]: each["status"] for each in found}


async def test_liveness_tells_of_dependencies_and_embedded_parts(running: RunningApp) -> None:
    async def all_up() -> bool:
        found = await dependencies(running.client)
        return found == {"cache": "up", "documents": "up", "events": "up"}

    await eventually(all_up)
    told = (await running.client.get("/healthz")).json()
    assert (told["status"], told["version"], told["embedded"]) == ("ok", VERSION, ["documents", "events"])
    metrics = (await running.client.get("/metrics")).text
    assert 'dependency_up{dependency="documents"} 1.0' in metrics


async def test_what_all_processes_share_takes_none_out_of_service(running: RunningApp) -> None:
    await running.services.store.close()
    await running.services.dependencies.stop()
    running.services.dependencies.start()

    async def documents_down() -> bool:
        return (await dependencies(running.client))["documents"] == "down"

    await eventually(documents_down)
    ready = await running.client.get("/readyz")
    assert ready.status_code == 200
    assert {each["name"]: each["status"] for each in ready.json()["checks"]} == {"serving": "up", "catalogue": "up"}


async def test_a_process_about_to_end_is_not_ready(running: RunningApp) -> None:
    running.services.stopping.begin()
    response = await running.client.get("/readyz")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    checks = response.json()["error"]["details"]["checks"]
    assert {"name": "serving", "status": "down"} in checks
    assert (await running.client.get("/healthz")).status_code == 200


async def test_probes_wait_for_nothing(running: RunningApp) -> None:
    await running.services.cache.close()
    running.services.cache = type(running.services.cache)("unix:///nowhere/valkey.sock")
    started = time.monotonic()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await running.client.get(path)).status_code == 200
    assert time.monotonic() - started < 5  # nobody waits for a time-out; how fast it is, `make bench` says


async def test_metrics_count_what_was_asked(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    await client.get("/nothing")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'http_requests_total{operation="getLiveness",status="200"} 1.0' in answer.text
    assert "hph_limit_decisions" in answer.text
