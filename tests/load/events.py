"""The embedded event log beside a plain `sqlite3` loop, on one core and the disk of the folder.

`python -m tests.load.events <folder> [quick]` measures and prints JSON; the bench runs it as a process of its own, on
the servers' core. The folder should be on the disk that is meant: a memory file system makes every sync free.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from generated.containers import CONTAINERS
from handlers.platform.bus.port import Batch, Message, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.outbox import Outbox
from handlers.platform.relay import Relay
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import SqliteStore
from tests.load.apart import run_apart
from tests.load.report import Check, Line
from tests.load.session import Session
from tests.support.wait import eventually

TOPIC: Final = "order-events"
BODY: Final = b"x" * 1000  # bytes
CALLERS: Final = 64
FLOOR: Final = 2_000.0  # events a second
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class EventFigures:
    """Events a second from `publish` to delivered, times in seconds, CPU as a share of one core."""

    rate: float
    delay_median: float
    delay_p99: float
    cpu_per_event: float
    commit_to_delivery_median: float
    idle_cpu: float


def events(session: Session) -> None:
    """Measures in a process on the servers' core; adds what it found."""
    session.say("events: append and deliver, beside a plain sqlite3 loop")
    found = run_apart(session, "tests.load.events", str(session.room("events")))
    ours = [EventFigures(**round_) for round_ in found["ours"]]
    middle = {name: statistics.median(asdict(one)[name] for one in ours) for name in asdict(ours[0])}
    findings = session.findings
    values = {
        "events/s": middle["rate"],
        "delay p50 ms": middle["delay_median"] * 1e3,
        "delay p99 ms": middle["delay_p99"] * 1e3,
        "CPU µs each": middle["cpu_per_event"] * 1e6,
        "from commit ms": middle["commit_to_delivery_median"] * 1e3,
        "idle CPU %": middle["idle_cpu"] * 100,
    }
    findings.lines.append(Line("event log, append + deliver", "ours", values))
    for name in ("one by one", "grouped"):
        line = Line(f"sqlite3, append + read, {name}", "plain", {"events/s": statistics.median(found[name])})
        findings.lines.append(line)
    rates = [one.rate for one in ours]
    spread = (min(rates), max(rates))
    findings.checks.append(Check("events appended and delivered", middle["rate"], FLOOR, "/s", spread=spread))
    findings.remarks.append(
        "Plain sqlite3 of the events: one writer that commits, then reads what is new; grouped: 64 rows a commit. "
        "It has no partitions, consumer groups, leases or checkpoints. From commit: the order's commit to its event's "
        "delivery, through outbox, relay and log."
    )


# --- in the process that measures -----------------------------------------------------------------------------------


async def measure(folder: Path, *, quick: bool) -> dict[str, list[Any]]:
    """Figures of each round, ours and plain in turn."""
    found: dict[str, list[Any]] = {"ours": [], "one by one": [], "grouped": []}
    count = 2_000 if quick else 20_000
    for number in range(1 if quick else ROUNDS):
        room = folder / str(number)
        room.mkdir()
        found["ours"].append(asdict(await event_figures(room, count, idle=0.2 if quick else 2.0)))
        plain = _plain(room / "plain.sqlite3")
        found["one by one"].append(_plain_rate(plain, count // 20, together=1))
        found["grouped"].append(_plain_rate(plain, count, together=CALLERS))
        plain.close()
    return found


def _plain(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE log (sequence INTEGER PRIMARY KEY, key TEXT, body BLOB)")
    return connection


def _plain_rate(connection: sqlite3.Connection, count: int, *, together: int) -> float:
    """Events a second, appended durably and read back by sequence."""
    read: int = connection.execute("SELECT coalesce(max(sequence), 0) FROM log").fetchone()[0]
    started = time.perf_counter()
    for at in range(0, count, together):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(at, min(at + together, count)):
            connection.execute("INSERT INTO log (key, body) VALUES (?, ?)", (f"order-{number % 500}", BODY))
        connection.execute("COMMIT")
        rows = connection.execute("SELECT sequence, key, body FROM log WHERE sequence > ?", (read,)).fetchall()
        read = rows[-1][0]
    return count / (time.perf_counter() - started)


async def event_figures(folder: Path, events: int = 20_000, *, idle: float = 2.0) -> EventFigures:
    """Appends and delivers so many events of 1 kB, one a call, 64 callers; times single ones; waits `idle` s."""
    bus = SqliteBus.open(folder / "events.sqlite3")
    delays: list[float] = []
    arrived = asyncio.Event()

    async def deliver(batch: Batch) -> None:
        now = time.time()
        delays.extend(now - message.enqueued_at for message in batch.messages)
        batch.finish(len(batch.messages))
        arrived.set()

    consumption = await bus.consume([Subscription("bench", (TOPIC,), deliver)])
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_publisher(bus, caller, events) for caller in range(CALLERS)))
    await eventually(lambda: len(delays) >= events, seconds=60)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    throughput = sorted(delays)
    idle_cpu = await _idle(idle)
    single = await _commit_to_delivery(folder, bus, arrived)
    await consumption.stop()
    await bus.close()
    return EventFigures(
        rate=events / seconds,
        delay_median=throughput[events // 2],
        delay_p99=throughput[events * 99 // 100],
        cpu_per_event=cpu / events,
        commit_to_delivery_median=single,
        idle_cpu=idle_cpu,
    )


async def _publisher(bus: SqliteBus, caller: int, events: int) -> None:
    for number in range(caller, events, CALLERS):
        attributes = {"cloudEvents:id": f"event-{number}", "cloudEvents:type": "com.holidaypeakhub.OrderUpdated.v1"}
        await bus.publish(TOPIC, [Message(f"order-{number % 500}", BODY, attributes)])


async def _idle(seconds: float) -> float:
    before = time.process_time()
    await asyncio.sleep(seconds)
    return (time.process_time() - before) / seconds


async def _commit_to_delivery(folder: Path, bus: SqliteBus, arrived: asyncio.Event) -> float:
    """Seconds from an order's commit to the delivery of its event, through outbox, relay and log: the median of 50."""
    store = SqliteStore.open(folder / "documents.sqlite3", CONTAINERS)
    relay = Relay(store, bus, DeadLetters(store))
    outbox = Outbox()
    await relay.start()
    await asyncio.sleep(0.2)
    took = []
    for number in range(50):
        order = {"id": f"order-{number}", "user_id": "user-1"}
        data = {"order_id": order["id"]}
        row = outbox.row("orders", order, event_type="OrderUpdated", data=data, correlation_id="bench")
        arrived.clear()
        await store.batch("orders", "user-1", [Create(order), row])
        committed = time.perf_counter()
        await arrived.wait()
        took.append(time.perf_counter() - committed)
        await asyncio.sleep(0.02)
    await relay.stop()
    await store.close()
    return sorted(took)[len(took) // 2]


if __name__ == "__main__":
    _run: Callable[..., dict[str, list[Any]]] = uvloop.run
    print(json.dumps(_run(measure(Path(sys.argv[1]), quick="quick" in sys.argv))))
