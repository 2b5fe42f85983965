"""The roles `gateway` and `crud` as two applications: one refuses and limits, the other handles and looks again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from handlers.platform.store.port import StoreMisuse
from tests.support.app import RunningApp, running_app
from tests.support.people import PASSWORD, new_address
from tests.support.server import served

# What the processes of one deployment share.
SHARED = {"JWT_SECRET": "j" * 40, "DATA_KEY": "d" * 40}
NOWHERE = "http://127.0.0.1:9"


@asynccontextmanager
async def _gateway(folder: Path, redis_url: str, crud: str, **more: str) -> AsyncIterator[RunningApp]:
    async with running_app(folder, redis_url, ROLE="gateway", CRUD_SERVICE_URL=crud, **SHARED, **more) as gateway:
        yield gateway


@pytest.fixture
async def crud(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """The service behind the gateway, with the documents."""
    more = {**SHARED, "TRUSTED_PROXIES": "127.0.0.0/8"}
    async with running_app(tmp_path / "crud", redis_url, ROLE="crud", **more) as app:
        yield app


async def test_a_customer_signs_up_and_changes_the_profile_through_the_gateway(
    tmp_path: Path, redis_url: str, crud: RunningApp
) -> None:
    email = new_address()
    async with served(crud.app) as base, _gateway(tmp_path / "gateway", redis_url, base) as gateway:
        body = {"name": "Dana Whitfield", "email": email, "password": PASSWORD}
        signed_up = await gateway.client.post("/api/auth/signup", json=body, headers={"X-Request-Id": "req-of-mine"})
        assert signed_up.status_code == 201, signed_up.text
        assert signed_up.headers.get_list("x-request-id") == ["req-of-mine"]
        session = await gateway.client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert len(session.headers.get_list("set-cookie")) == 4
        bearer = {"Authorization": f"Bearer {session.json()['access_token']}"}
        async with gateway.new_client() as caller:
            changed = await caller.put("/api/users/me", json={"name": "Dana W."}, headers=bearer)
            assert (changed.status_code, changed.json()["name"]) == (200, "Dana W.")
            assert len(changed.headers.get_list("ratelimit-limit")) == 1


async def test_the_gateway_refuses_by_itself(tmp_path: Path, redis_url: str) -> None:
    async with _gateway(tmp_path, redis_url, NOWHERE, RATE_LIMIT_SCALE="1", RATE_LIMIT_BURST="3") as gateway:
        client = gateway.client
        assert (await client.get("/api/users/me")).status_code == 401
        bad = await client.get("/api/products", headers={"Authorization": "Bearer nonsense"})
        assert bad.json()["error"]["details"] == {"rule": "token_invalid"}
        away = await client.get("/api/products")
        assert (away.status_code, away.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert int(away.headers["retry-after"]) >= 1
        limited = await client.get("/api/products")
        assert (limited.status_code, limited.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        unknown = await client.get("/api/nothing")
        assert unknown.status_code in (404, 429)


async def test_the_gateway_answers_its_own_probes_and_keeps_no_documents(tmp_path: Path, redis_url: str) -> None:
    async with _gateway(tmp_path, redis_url, NOWHERE) as gateway:
        assert (await gateway.client.get("/healthz")).status_code == 200
        ready = await gateway.client.get("/readyz")
        assert (ready.status_code, [each["name"] for each in ready.json()["checks"]]) == (200, ["serving"])
        assert "http_requests_total" in (await gateway.client.get("/metrics")).text
        with pytest.raises(StoreMisuse):
            await gateway.services.store.read("users", "user-1", "user-1")
        assert not (tmp_path / "documents.sqlite3").exists()


async def test_crud_does_not_take_the_gateways_word(crud: RunningApp) -> None:
    forged = {"Authorization": "Bearer e30.e30.e30", "X-Forwarded-For": "198.51.100.7"}
    assert (await crud.client.get("/api/users/me", headers=forged)).status_code == 401
