"""The shop in two processes, on SQLite and on the Cosmos DB stand-in: the races share it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio

from tests.support.shop import Shop
from tests.support.twins import Backend, twins


@pytest_asyncio.fixture(scope="package", loop_scope="package", params=["sqlite", "cosmos"])
async def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> AsyncIterator[Shop]:
    """The shop in two processes."""
    backend = cast("Backend", request.param)
    async with twins(tmp_path_factory.mktemp(f"twins-{backend}"), redis_url, backend) as shop:
        yield shop
