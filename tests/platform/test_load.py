"""Too much load: what can be done is done in time, the rest is refused at once, and what has priority comes through."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from generated.routing import OPERATIONS
from handlers.contract.priorities import priority_requests
from handlers.platform.connections import Bounds, Connections
from handlers.platform.edge import Edge
from handlers.platform.load import FEWEST, QUEUE_SECONDS, Load
from handlers.platform.logs import LineWriter
from handlers.platform.telemetry import Telemetry
from handlers.settings import Settings
from tests.support.app import ORIGIN
from tests.support.server import served
from tests.support.wait import eventually


@dataclass
class HandClock:
    """A clock that stands unless it is moved."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def work_off(load: Load, clock: HandClock, requests: int, each: float) -> None:
    """So many requests arrive at once and start one after the other."""
    for _ in range(requests):
        load.arrive()
    for _ in range(requests):
        load.start()
        clock.seconds += each


@pytest.mark.parametrize(("each", "most"), [(0.001, 100), (0.0002, 500), (0.05, FEWEST)])
def test_the_length_of_the_queue_is_learned_from_what_waited(each: float, most: int) -> None:
    clock = HandClock()
    load = Load(now=clock)
    for _ in range(20):
        work_off(load, clock, 200, each)
    taken = 0
    while not load.is_too_high:
        load.arrive()
        taken += 1
    assert most - 1 <= taken <= most * 1.02
    assert taken * each >= QUEUE_SECONDS * 0.98


def test_requests_that_wait_for_others_fill_no_queue() -> None:
    load = Load(now=HandClock())
    for _ in range(10_000):
        load.arrive()
        load.start()
    assert not load.is_too_high


async def test_connections_that_rest_are_read_again_when_there_is_room_and_after_a_while_in_any_case() -> None:
    clock = HandClock()
    load = Load(now=clock)
    resumed: list[int] = []
    for number in range(3):
        load.rest(lambda n=number: resumed.append(n), asyncio.get_running_loop())  # type: ignore[misc]  # its default
    await eventually(lambda: resumed == [0, 1, 2])
    resumed.clear()
    while not load.is_too_high:
        load.arrive()
    load.rest(lambda: resumed.append(3), asyncio.get_running_loop())
    await asyncio.sleep(0.2)
    assert resumed == []
    clock.seconds += 6.0
    await eventually(lambda: resumed == [3])


@pytest.mark.parametrize(
    ("method", "target", "priority"),
    [
        (b"GET", b"/healthz", True),
        (b"HEAD", b"/readyz?x=1", True),
        (b"POST", b"/api/orders", True),
        (b"GET", b"/api/orders", False),
        (b"POST", b"/api/webhooks/stripe", True),
        (b"GET", b"/api/products", False),
        (b"POST", b"/healthz", False),
    ],
)
def test_the_contract_says_what_comes_through(method: bytes, target: bytes, priority: bool) -> None:
    assert priority_requests(OPERATIONS)(method, target) is priority


def test_a_template_has_one_segment_for_each_name() -> None:
    @dataclass
    class Spec:
        method: str
        path: str
        priority: bool = True

    specs: Any = [Spec("post", "/api/payments/{id}/confirm"), Spec("get", "/a.c")]
    has_priority = priority_requests(specs)
    assert has_priority(b"POST", b"/api/payments/pay-1/confirm?x")
    assert not has_priority(b"POST", b"/api/payments/pay-1/2/confirm")
    assert not has_priority(b"GET", b"/abc")


class Slow:
    """An application that computes for so long over each request."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        time.sleep(self.seconds)  # noqa: ASYNC251 - work that occupies the loop is what is meant
        self.served += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


async def test_a_flood_is_served_as_far_as_in_time_and_all_is_well_behind_it(caplog: pytest.LogCaptureFixture) -> None:
    app = Slow(0.002)
    edge = Edge(app, Settings(env="test", cors_origins=(ORIGIN,)), Telemetry(), LineWriter(capacity=0))
    load = Load(lambda _, target: target == b"/healthz")
    connections = Connections(Bounds(per_address=1_000), refusal_headers=edge.refusal_headers, load=load)
    async with (
        served(edge, connections) as base,
        httpx.AsyncClient(base_url=base, limits=httpx.Limits(max_connections=500), timeout=20) as client,
    ):
        headers = {"Origin": ORIGIN, "X-Request-Id": "request-of-many"}
        flood = [client.post("/", content=b"{}", headers=headers) for _ in range(400)]
        probes = [client.get("/healthz") for _ in range(5)]
        answers = await asyncio.gather(*flood, *probes)
        assert {answer.status_code for answer in answers[-5:]} == {200}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == load.shed > 100
        # All the others were served: nothing was begun in vain.
        assert app.served == len(answers) - len(refused) >= FEWEST
        (first, *_) = refused
        error = json.loads(first.content)["error"]
        assert (error["code"], error["request_id"]) == ("SERVICE_UNAVAILABLE", "request-of-many")
        assert first.headers["retry-after"] == "1"
        assert first.headers["access-control-allow-origin"] == ORIGIN
        assert sum("requests are shed" in record.message for record in caplog.records) == 1
        after = await asyncio.gather(*(client.post("/", content=b"{}") for _ in range(20)))
        assert [answer.status_code for answer in after] == [200] * 20


async def test_a_connection_that_was_left_while_it_rested_costs_nothing() -> None:
    app = Slow(0)
    load = Load()
    async with served(app, Connections(load=load)) as base:
        while not load.is_too_high:
            load.arrive()
        host, port = base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"503" in await reader.readline()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        while load.waiting:
            load.start()
        await eventually(lambda: load.resting == 0)
        await asyncio.sleep(0.1)
    assert app.served == 0
