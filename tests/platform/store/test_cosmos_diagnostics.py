"""Slow and failed calls are logged with their activity id; what happens every day is not, and nobody's id is."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.platform.store import cosmos_diagnostics
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.port import Create, DocumentExists, StoreUnavailable
from infra.local.cosmos.faults import READ, WRITE, Fault
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import CONTAINERS, TestClock, thing
from tests.platform.store.cosmos_adapters import stand_in, store_on


async def opened() -> tuple[Server, CosmosStore]:
    """A stand-in, and a store that has written once."""
    server = stand_in(CONTAINERS, TestClock(), partitions=2)
    store = store_on(server, CONTAINERS)
    await store.write("things", Create(thing("t1", "ann@example.com", n=1)))
    return server, store


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """What was logged of calls."""
    return [record for record in caplog.records if record.name == cosmos_diagnostics.__name__]


async def test_a_call_that_fails_is_logged_with_its_activity_id(caplog: pytest.LogCaptureFixture) -> None:
    server, store = await opened()
    for _ in range(3):
        server.faults.add(Fault(503, READ))
    assert await store.read("things", "ann@example.com", "t1") is not None
    server.faults.add(Fault("lost_after", WRITE))
    await store.write("things", Create(thing("t2", "ann@example.com", n=1)))
    await store.close()
    refused, lost = lines(caplog)  # three of a kind in a second are one line
    assert (refused.status, refused.method, refused.container) == (503, "GET", "things")
    assert len(refused.activity_id) == 36
    assert refused.levelno == logging.WARNING
    assert (lost.status, lost.reason) == (0, "ServiceResponseError")
    assert "ann@example.com" not in caplog.text


async def test_a_slow_call_is_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    server, store = await opened()
    monkeypatch.setattr(cosmos_diagnostics, "SLOW", 0.02)
    server.pace.latency = 0.03
    await store.read("things", "ann@example.com", "t1")
    await store.close()
    [slow] = lines(caplog)
    assert slow.milliseconds >= 20
    assert slow.activity_id


async def test_what_happens_every_day_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    _, store = await opened()
    assert await store.read("things", "ann@example.com", "none") is None
    with pytest.raises(DocumentExists):
        await store.write("things", Create(thing("t1", "ann@example.com", n=1)))
    await store.close()
    assert not lines(caplog)


def test_those_that_are_left_out_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([10.0, 10.2, 10.4, 11.5])
    diagnostics = cosmos_diagnostics.Diagnostics(lambda: next(times))
    request = SimpleNamespace(method="PUT", url="https://x/dbs/a/colls/orders/docs/secret")
    response = SimpleNamespace(status_code=429, headers={"x-ms-activity-id": "a1"})
    for _ in range(4):
        diagnostics.answered(request, response, 0.01)
    first, second = lines(caplog)
    assert not hasattr(first, "more")
    assert second.more == 2
    assert "secret" not in str(second.__dict__)


async def test_it_is_unavailable_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    server, store = await opened()
    server.faults.add(Fault(401, READ))
    with pytest.raises(StoreUnavailable):
        await store.read("things", "ann@example.com", "t1")
    await store.close()
    assert [line.status for line in lines(caplog)] == [401]
