"""Whoever has a /48 has 65,536 networks: they have a limit together, wider than one network's."""

from __future__ import annotations

from pathlib import Path

import httpx

from handlers.platform.limits import NETWORKS_OF_A_SITE
from tests.support.app import running_app


async def test_many_networks_of_a_site_are_limited_together(tmp_path: Path, redis_url: str) -> None:
    more = {"RATE_LIMIT_SCALE": "1", "TRUSTED_PROXIES": "127.0.0.0/8"}
    async with running_app(tmp_path, redis_url, **more) as running:
        # No token comes back while the test runs.
        running.services.limits._now = lambda: 1_000.0
        statuses = []
        for number in range(NETWORKS_OF_A_SITE * 3 + 3):
            # Three at once for one network: each of these asks once.
            address = f"2001:db8:7:{number:x}::1"
            answer = await _forgot(running.client, address)
            statuses.append(answer.status_code)
        assert statuses[: NETWORKS_OF_A_SITE * 3] == [202] * NETWORKS_OF_A_SITE * 3
        assert statuses[NETWORKS_OF_A_SITE * 3 :] == [429] * 3
        assert (await _forgot(running.client, "2001:db8:8:1::1")).status_code == 202


async def _forgot(client: httpx.AsyncClient, address: str) -> httpx.Response:
    body = {"email": "nobody@example.com"}
    return await client.post("/api/auth/forgot-password", json=body, headers={"X-Forwarded-For": address})
