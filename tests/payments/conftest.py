"""An application that pays at a stand-in of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.paying import Paying, paying


@pytest.fixture
async def till(tmp_path: Path, redis_url: str) -> AsyncIterator[Paying]:
    """The application and the stand-in."""
    async with paying(tmp_path, redis_url) as running:
        yield running
