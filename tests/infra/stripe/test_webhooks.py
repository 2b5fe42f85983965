"""Webhooks of the stand-in: signed, repeated until they are taken, and wrong on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
import stripe

from infra.local.stripe.faults import Fault
from infra.local.stripe.http import serving
from infra.local.stripe.intents import create_intent
from infra.local.stripe.server import Server
from infra.local.stripe.webhooks import Endpoint, Webhooks
from tests.support.server import served

SECRET = "whsec_shop"


class Shop:
    """Receives events. `statuses`: what it answers to the next ones."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        header = dict(scope["headers"])[b"stripe-signature"].decode()
        stripe.WebhookSignature.verify_header(body, header, SECRET, 300)
        self.received.append(orjson.loads(body))
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def standing(shop: Shop, *faults: Fault) -> AsyncIterator[Server]:
    async with served(shop) as address, serving(endpoint=Endpoint(address, SECRET)) as server:
        server.webhooks.retries = (0.01, 0.02)
        for fault in faults:
            server.webhooks.faults.add(fault)
        yield server
        await server.webhooks.idle()


def pay(server: Server) -> None:
    create_intent(
        server.account,
        {
            "amount": "1999",
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "return_url": "http://x",
        },
    )


async def test_what_the_shop_listens_to_and_nothing_else() -> None:
    shop = Shop()
    async with standing(shop) as server:
        pay(server)
    assert [each["type"] for each in shop.received] == ["payment_intent.succeeded"]
    assert len(server.account.state.all("event")) == 3
    assert shop.received[0] == server.account.state.all("event", type="payment_intent.succeeded")[0]


async def test_everything_when_asked_for() -> None:
    shop = Shop()
    async with standing(shop) as server:
        assert server.webhooks.endpoint is not None
        server.webhooks.endpoint = Endpoint(server.webhooks.endpoint.url, SECRET, ("*",))
        pay(server)
    assert len(shop.received) == 3


@pytest.mark.parametrize(("statuses", "attempts"), [((503, 500), 3), ((503,) * 9, 3), ((302,), 2)])
async def test_sent_until_it_is_taken(statuses: tuple[int, ...], attempts: int) -> None:
    shop = Shop(*statuses)
    async with standing(shop) as server:
        pay(server)
    assert len(shop.received) == len(server.webhooks.deliveries) == attempts
    assert len({each["id"] for each in shop.received}) == 1


async def test_nobody_listens() -> None:
    async with serving(endpoint=Endpoint("http://127.0.0.1:9", SECRET)) as server:
        server.webhooks.retries = (0.01,)
        pay(server)
        await server.webhooks.idle()
        assert [each.status for each in server.webhooks.deliveries] == [0, 0]


@pytest.mark.parametrize(("effect", "times"), [("duplicate", 2), ("lost", 0), ("late", 1)])
async def test_wrong_on_purpose(effect: str, times: int) -> None:
    shop = Shop()
    started = time.monotonic()
    async with standing(shop, Fault(effect, seconds=0.1)) as server:
        pay(server)
    assert len(shop.received) == times
    assert (time.monotonic() - started >= 0.1) or effect != "late"


async def test_out_of_order() -> None:
    shop = Shop()
    async with standing(shop, Fault("reordered", seconds=5)) as server:
        pay(server)
        await asyncio.sleep(0.05)
        pay(server)
    events = server.account.state.all("event", type="payment_intent.succeeded")
    assert [each["id"] for each in shop.received] == [events[1]["id"], events[0]["id"]]


async def test_out_of_order_with_nothing_to_come() -> None:
    shop = Shop()
    async with standing(shop, Fault("reordered", seconds=0.05)) as server:
        pay(server)
    assert len(shop.received) == 1


async def test_what_is_on_its_way_ends_with_the_server() -> None:
    webhooks = Webhooks(time.time, Endpoint("http://127.0.0.1:9", SECRET), retries=(60.0,))
    webhooks.deliver({"id": "evt_1", "type": "payment_intent.succeeded"})
    await asyncio.wait_for(webhooks.close(), 2)
