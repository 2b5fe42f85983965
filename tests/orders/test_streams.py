"""Following an order over a real server: each change once, resumed, bounded, and ended in time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from handlers.orders import rules, store, streams
from handlers.orders.bells import PER_CALLER, PER_NETWORK, Bells
from handlers.platform.store.port import StoreUnavailable
from tests.flows.test_journey import bought
from tests.orders.test_orders import ordered, placed
from tests.orders.test_process import until
from tests.shipments.test_operations import moved, shipped_order
from tests.support.processes import running_process
from tests.support.server import served
from tests.support.shop import Shop, running_shop
from tests.support.shopper import Shopper, customer, guest, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
SECONDS = 15.0


class Stream:
    """What came over a stream: comments, and messages with their ids."""

    def __init__(self, answer: httpx.Response) -> None:
        self.comments = 0
        self.ids: list[int] = []
        self.messages: list[Json] = []
        self._lines = answer.aiter_lines()

    async def next(self) -> Json | None:
        """The next message, None at the end of the stream."""
        found: dict[str, str] = {}
        async for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif "data" in found:
                assert found["event"] == "order"
                self.ids.append(int(found["id"]))
                self.messages.append(json.loads(found["data"]))
                return self.messages[-1]
        return None

    async def until(self, status: str) -> None:
        """Reads on until a status is told of."""
        async with asyncio.timeout(SECONDS):
            while not self.messages or self.messages[-1]["status"] != status:
                assert await self.next() is not None

    async def end(self) -> None:
        """Reads on to the end of the stream."""
        async with asyncio.timeout(SECONDS):
            while await self.next() is not None:
                pass

    @property
    def statuses(self) -> list[str]:
        """What was told, one after the other, without repetitions."""
        told = [message["status"] for message in self.messages]
        return [status for at, status in enumerate(told) if at == 0 or told[at - 1] != status]


@asynccontextmanager
async def followed(base: str, shopper: Shopper, order: Json, *, last: int | None = None) -> AsyncIterator[Stream]:
    headers = {**shopper.bearer, **({"Last-Event-ID": str(last)} if last is not None else {})}
    async with (
        httpx.AsyncClient(base_url=base, timeout=SECONDS) as client,
        client.stream("GET", f"/api/orders/{order['order_id']}/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        yield Stream(answer)


async def test_every_change_is_told_once_until_the_end(shop: Shop) -> None:
    async with served(shop.running.app) as base:
        shopper, order, shipment_id = await shipped_order(shop)
        async with followed(base, shopper, order) as stream:
            await stream.until("processing")
            await moved(shop, shipment_id, "picked_up")
            await moved(shop, shipment_id, "delivered")
            await stream.end()
    assert stream.statuses == ["processing", "shipped", "delivered", "completed"]
    assert stream.ids == sorted(set(stream.ids))
    assert [message["final"] for message in stream.messages][-2:] == [False, True]
    assert stream.messages[0]["estimated_delivery"]


async def test_a_stream_goes_on_where_it_broke_off(shop: Shop) -> None:
    async with served(shop.running.app) as base:
        shopper, _, order = await bought(shop, "pm_card_visa")
        async with followed(base, shopper, order) as first:
            await first.next()
        await until(shop, order, "processing")
        async with followed(base, shopper, order, last=first.ids[-1]) as second:
            await second.until("processing")
        # Nothing was left out and nothing came twice, although nobody listened meanwhile.
        ids = [*first.ids, *second.ids]
        assert ids == list(range(ids[0], ids[-1] + 1))
        assert (first.statuses + second.statuses)[-3:] == ["awaiting_payment", "paid", "processing"]
        # Who has everything hears nothing until there is something.
        async with followed(base, shopper, order, last=second.ids[-1]) as third:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await third.next()


async def test_an_order_that_has_ended_is_told_of_once(shop: Shop) -> None:
    async with served(shop.running.app) as base:
        shopper, _, order = await bought(shop, "pm_card_chargeCustomerFail")
        await until(shop, order, "awaiting_payment")
        assert (await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")).status_code == 200
        ended = await until(shop, order, "cancelled")
        for last in (None, ended["revision"], 10**6):
            async with followed(base, shopper, order, last=last) as stream:
                await stream.end()
            assert [(message["status"], message["final"]) for message in stream.messages] == [("cancelled", True)]


async def test_only_who_may_see_the_order(shop: Shop) -> None:
    shopper = await guest(shop)
    await shopper.has(await priced(shop, 20.0))
    order = (await ordered(shopper, email="Dana.Streams@example.com")).json()
    stranger = await customer(shop)
    path = f"/api/orders/{order['order_id']}/events"
    assert (await stranger.call("GET", path)).status_code == 404
    assert (await shop.client.get(f"{path}?email=other@example.com")).status_code == 404
    assert (await stranger.call("GET", "/api/orders/order-none/events")).status_code == 404
    async with (
        served(shop.running.app) as base,
        httpx.AsyncClient(base_url=base) as client,
        client.stream("GET", f"{path}?email=dana.streams@EXAMPLE.com") as answer,
    ):
        assert answer.status_code == 200
        assert (await Stream(answer).next() or {})["order_id"] == order["order_id"]


async def test_a_caller_follows_five_orders_at_most(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bells = shop.services.room(Bells)
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    order = await placed(shopper)
    path = f"/api/orders/{order['order_id']}/events"
    async with served(shop.running.app) as base, httpx.AsyncClient(base_url=base) as client:
        async with asyncio.TaskGroup() as group:
            enough = asyncio.Event()

            async def listen() -> None:
                async with followed(base, shopper, order) as stream:
                    await stream.next()
                    await enough.wait()

            for _ in range(PER_CALLER):
                group.create_task(listen())
            await eventually(lambda: bells.is_full(shopper.user_id, ""))
            refused = await client.get(path, headers=shopper.bearer)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
            # One that got past the door at the same time ends without a word.
            found = await store.find(shop.services.store, order["order_id"])
            assert found is not None
            assert [part async for part in streams.follow(shop.services, found.data, shopper.user_id, "", None)] == []
            enough.set()
        await eventually(lambda: not bells.is_full(shopper.user_id, ""))
        monkeypatch.setattr("handlers.orders.bells.PER_PROCESS", 0)
        assert (await client.get(path, headers=shopper.bearer)).status_code == 503


async def test_it_stays_alive_while_nothing_happens_and_the_store_is_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    order = await placed(shopper)
    waiting = await until(shop, order, "awaiting_payment")
    parts = streams.follow(shop.services, waiting, shopper.user_id, "", None)

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", away)
        seen = [await anext(parts) for _ in range(4)]
    assert seen[0].startswith(b"retry:")
    assert seen[1].startswith(b"id: ")
    assert seen[2:] == [b": still here\n\n"] * 2
    answer = await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")
    assert answer.status_code == 200
    rest = [part async for part in parts if not part.startswith(b":")]
    assert b'"status":"cancelled"' in rest[-2]
    assert b'"final":true' in rest[-2]
    assert rest[-1] == b"retry: 3600000\n\n"


async def test_changes_that_are_not_kept_any_more() -> None:
    order = {
        "revision": 70,
        "status": "shipped",
        "payment_status": "paid",
        "fulfillment_status": "shipped",
        "updated_at": "2026-01-25T11:00:00.000Z",
        "shipping": {},
    }
    assert [each["revision"] for each in rules.changes_since(order, 3)] == [70]
    assert rules.changes_since(order, 70) == []
    assert rules.revision_before(order, "x") == 69


async def test_streams_end_when_the_process_is_told_to(tmp_path: Path, redis_url: str) -> None:
    async with running_shop(tmp_path, redis_url) as shop:
        shopper = await customer(shop)
        await shopper.has(await priced(shop, 20.0))
        order = await placed(shopper)
        await until(shop, order, "awaiting_payment")
    environ = {"REDIS_URL": redis_url, "RATE_LIMIT_SCALE": "1000", "JWT_ACCESS_EXPIRY_MINUTES": "60"}
    crud_environ = {**environ, "ROLE": "crud", "TRUSTED_PROXIES": "127.0.0.0/8"}
    secrets = json.loads((tmp_path / "secrets.json").read_text("ascii"))
    shared = {"JWT_SECRET": secrets["jwt_secret"], "DATA_KEY": secrets["data_key"]}
    with running_process(tmp_path, {**shared, **crud_environ}) as crud:
        gateway_environ = {**shared, **environ, "ROLE": "gateway", "CRUD_SERVICE_URL": crud.base}
        with running_process(tmp_path / "gateway", gateway_environ) as gateway:
            async with followed(gateway.base, shopper, order) as through, followed(crud.base, shopper, order) as direct:
                await through.until("awaiting_payment")
                await direct.until("awaiting_payment")
                for process, stream in ((gateway, through), (crud, direct)):
                    began = time.monotonic()
                    code = asyncio.create_task(asyncio.to_thread(process.terminate))
                    await stream.end()
                    assert time.monotonic() - began < 1.0
                    assert await code == 0


async def test_streams_are_counted_by_network_as_well(shop: Shop) -> None:
    bells = shop.services.room(Bells)
    with ExitStack() as stack:
        for number in range(PER_NETWORK):
            stack.enter_context(bells.hung(f"order-{number}", f"guest-{number}", "192.0.2.7"))
        # Whoever makes himself a new guest is the same network all the same.
        assert bells.is_full("guest-new", "192.0.2.7")
        assert not bells.is_full("guest-new", "192.0.2.8")
    assert not bells.is_full("guest-new", "192.0.2.7")
