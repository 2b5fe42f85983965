"""Fixtures: an empty store of each adapter, on a clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.platform.store.port import DocumentStore
from tests.platform.store.adapters import ADAPTERS, CONTAINERS, TestClock


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """The adapter's name."""
    return str(request.param)


@pytest.fixture
def clock() -> TestClock:
    """The store's clock."""
    return TestClock()


@pytest.fixture
async def store(adapter: str, tmp_path: Path, clock: TestClock) -> AsyncIterator[DocumentStore]:
    """An empty store."""
    opened = ADAPTERS[adapter](tmp_path, CONTAINERS, clock)
    yield opened
    await opened.close()
