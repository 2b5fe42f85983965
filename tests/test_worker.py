"""The event side as a whole: names as the map, the road of an event, the role `worker`, the command."""

from __future__ import annotations

import asyncio
import json
import os
import pkgutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

import handlers
from generated.containers import CONTAINERS
from generated.events import EVENTS, GROUPS, TOPICS
from handlers import worker
from handlers.contract.eventing import EventWorker
from handlers.parts import event_services, open_bus
from handlers.platform.bus.port import Batch, BusUnavailable, Received, Subscription
from handlers.platform.dead_letters import DeadLetters, Failure
from handlers.platform.events import Event, EventContract
from handlers.platform.logs import LineWriter
from handlers.platform.store.port import Query
from handlers.settings import BUILT_IN_AGENTS, Settings
from infra.contract.consumers import handler_name as generated_name
from tests.support.app import RunningApp, client_of, lifespan, settings_for
from tests.support.people import signed_up
from tests.support.wait import eventually

OWN = {group: spec for group, spec in GROUPS.items() if spec.room is not None}


def handlers_in_code() -> dict[tuple[str, str], object]:
    """Every `on_…` of every room, by room and name."""
    found: dict[tuple[str, str], object] = {}
    for module in pkgutil.iter_modules(handlers.__path__):
        if module.ispkg and module.name not in ("platform", "contract", "partners"):
            events = worker.events_of(module.name)
            own = vars(events) if events is not None else {}
            found |= {(module.name, name): value for name, value in own.items() if name.startswith("on_")}
    return found


def test_every_event_that_is_built_has_its_handlers() -> None:
    code = handlers_in_code()
    for spec in OWN.values():
        for event in spec.events:
            if EVENTS[event].built:
                assert (spec.room, worker.handler_name(event)) in code, f"{spec.room} does not handle {event}"


def test_every_handler_has_its_event() -> None:
    meant = {(spec.room, worker.handler_name(event)) for spec in OWN.values() for event in spec.events}
    assert {*handlers_in_code()} <= meant


def test_the_names_are_made_alike_everywhere() -> None:
    for event in EVENTS:
        assert worker.handler_name(event) == generated_name(event)
    assert worker.handler_name("ETAUpdated") == "on_eta_updated"


def test_a_missing_handler_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "built", lambda _: True)
    with pytest.raises(worker.HandlerMissing, match=r"handlers/\w+/events.py: on_"):
        worker.find_handlers(BUILT_IN_AGENTS)


def test_agents_that_are_deployed_are_not_played() -> None:
    assert "inventory-reservation-validation" in worker.find_handlers(BUILT_IN_AGENTS)
    assert "inventory-reservation-validation" not in worker.find_handlers(())


def test_inbox_rows_outlive_every_topic() -> None:
    longest = max(spec.retention_hours for spec in TOPICS.values()) * 3600
    rows = [container.kinds["inbox"] for container in CONTAINERS.values() if "inbox" in container.kinds]
    assert rows
    assert all(ttl is not None and ttl > longest for ttl in rows)


def test_every_example_of_the_contract_fits() -> None:
    contract = EventContract.load()
    document = json.loads(Path("generated/asyncapi.json").read_text("utf-8"))
    for name, message in document["components"]["messages"].items():
        for example in message["examples"]:
            contract.check(example["payload"])
            assert contract.key(name, example["payload"]["data"])


async def collected(running: RunningApp, topic: str, count: int) -> list[Received]:
    """What a reader of a topic has got after so many messages."""
    got: list[Received] = []

    async def deliver(batch: Batch) -> None:
        got.extend(batch.messages)
        batch.finish(len(batch.messages))

    bus = running.services.bus
    assert bus is not None
    consumption = await bus.consume([Subscription("test", (topic,), deliver)])
    await eventually(lambda: len(got) >= count)
    await consumption.stop()
    return got


async def test_an_event_goes_all_the_way(running: RunningApp) -> None:
    person = await signed_up(running)
    [got] = await collected(running, "user-events", 1)
    envelope = orjson.loads(got.body)
    EventContract.load().check(envelope)
    assert (envelope["event_type"], got.key) == ("UserCreated", envelope["data"]["user_id"])
    assert person.email not in got.body.decode()
    metrics = (await running.client.get("/metrics")).text
    assert "events_published_total 1.0" in metrics
    assert running.services.startup.checks() == {"catalogue": True, "events": True}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a worker."""
    return settings_for(tmp_path, None, ROLE="worker")


@pytest.fixture
async def probes(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The role `worker`, running."""
    services = event_services(settings)
    app: Any = worker.create_worker(services, LineWriter(os.open(os.devnull, os.O_WRONLY)))
    async with lifespan(app), client_of(app) as client:
        yield client


async def test_the_worker_answers_probes_and_nothing_else(probes: httpx.AsyncClient) -> None:
    assert (await probes.get("/healthz")).json()["status"] == "ok"
    ready = await probes.get("/readyz")
    assert {check["name"]: check["status"] for check in ready.json()["checks"]} == {"serving": "up", "events": "up"}
    assert "events_published_total" in (await probes.get("/metrics")).text
    assert (await probes.get("/api/products")).json()["error"]["code"] == "RESOURCE_NOT_FOUND"


async def test_the_event_side_says_whether_it_runs(settings: Settings) -> None:
    services = event_services(settings)
    own = EventWorker(services, {}, lambda: open_bus(settings, services.store, services.clock))
    assert not own.runs()
    with pytest.raises(BusUnavailable):
        await own.ping()
    assert own.behind("crud-users") == 0
    await own.start()
    assert own.runs()
    await own.ping()
    await own.stop()
    await own.stop()
    assert not own.runs()
    with pytest.raises(BusUnavailable):
        await own.ping()
    await services.cache.close()
    await services.store.close()


async def test_handlers_receive_event_and_services(settings: Settings) -> None:
    services = event_services(settings)
    seen: list[tuple[Event[Any], object]] = []

    async def on_user_created(event: Event[Any], given: object) -> None:
        seen.append((event, given))

    groups = {"crm-profile-aggregation": {"UserCreated": on_user_created}}
    own = EventWorker(services, groups, lambda: open_bus(settings, services.store, services.clock))
    await own.start()
    user = {"id": "user-1", "user_id": "user-1", "email": "a@example.com"}
    data = {"user_id": "user-1", "role": "customer", "newsletter_opt_in": False}
    row = services.outbox.row("users", user, event_type="UserCreated", data=data, correlation_id="request-1")
    await services.store.write("users", row)
    await eventually(lambda: bool(seen))
    [(event, given)] = seen
    assert (event.id, event.data, event.correlation_id, event.topic) == (
        row.document["id"],
        data,
        "request-1",
        "user-events",
    )
    assert given is services
    follow = services.outbox.follow(event, "users", user, event_type="UserDeleted", data={"user_id": "user-1"}).document
    assert follow["envelope"]["causation_id"] == event.id
    assert follow["envelope"]["correlation_id"] == "request-1"
    assert follow["sequence"] == 2
    await own.stop()
    await services.cache.close()
    await services.store.close()


async def test_dead_letters_on_the_command_line(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = event_services(settings)
    letters = DeadLetters(services.store)
    for number in range(2):
        await letters.bury(
            Failure(
                "crud-users", f"event-{number}", "UserCreated", "user-events", "user-1", _ENVELOPE, "failed", "x", 5
            )
        )
    monkeypatch.setattr(worker, "load_settings", lambda _: settings)
    arguments = ["dead-letters", "list", "--consumer", "crud-users"]
    assert await asyncio.to_thread(worker.main, arguments) == 0
    assert "crud-users.event-1  open" in capsys.readouterr().out
    assert await asyncio.to_thread(worker.main, ["dead-letters", "replay", "crud-users.event-0"]) == 0
    assert await asyncio.to_thread(worker.main, ["dead-letters", "replay", "crud-users.event-0"]) == 1
    assert "its status is replaying" in capsys.readouterr().out
    assert await asyncio.to_thread(worker.main, ["dead-letters", "replay", "nobody.event-7", "nonsense"]) == 1
    assert await asyncio.to_thread(worker.main, ["dead-letters", "replay"]) == 0
    assert "1 of 1" in capsys.readouterr().out
    rows = await services.store.query(Query("dead_letters", "crud-users", kind="outbox"))
    assert sorted(row.data["topic"] for row in rows.items) == ["audit", "audit", "user-events", "user-events"]
    await services.cache.close()
    await services.store.close()


def test_unfit_settings_are_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TIMEZONE", "Nowhere/Land")
    assert worker.main([]) == 2
    assert "SHOP_TIMEZONE" in capsys.readouterr().err


_ENVELOPE = {"event_id": "event-1", "event_type": "UserCreated", "event_version": "1.0", "correlation_id": "request-1"}
