"""Fixtures of all tests: a Valkey for the session, the running application and a client for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from connexion.spec import Specification

from infra.local.valkey import start
from tests.support.app import RunningApp, running_app
from tests.support.shop import Shop, running_shop


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server of this test session."""
    server = start(tmp_path_factory.mktemp("valkey"))
    yield server.url
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def document_read_once() -> Iterator[None]:
    """Connexion reads and checks the document at every start of an application, for a second; here once for each."""
    read = Specification.from_dict
    known: dict[bytes, Specification] = {}

    def once(document: dict[str, Any]) -> Specification:
        key = orjson.dumps(document)
        if key not in known:
            known[key] = read(document)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Specification, "from_dict", staticmethod(once))
        yield


@pytest.fixture
async def running(tmp_path: Path, redis_url: str) -> AsyncIterator[RunningApp]:
    """The application with a store of its own."""
    async with running_app(tmp_path, redis_url) as app:
        yield app


@pytest.fixture
async def client(running: RunningApp) -> httpx.AsyncClient:
    """A caller of the application."""
    return running.client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """The demo shop, one for all tests of the session that mark themselves with `loop_scope="session"`."""
    async with running_shop(tmp_path_factory.mktemp("shop"), redis_url) as running:
        yield running
