"""The shop of the journeys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from handlers.orders import watchdog
from tests.support.paying import Paying, listening
from tests.support.shop import Shop, running_shop


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def market(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """A shop of these journeys alone, which Stripe's stand-in sends its webhooks to; its watchdog looks often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "EVERY", 0.1)
        async with (
            running_shop(tmp_path_factory.mktemp("market"), redis_url) as shop,
            listening(Paying(shop.running, shop.stripe)),
        ):
            yield shop
