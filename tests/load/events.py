"""Figures of the embedded event log on this machine: `python -m tests.load.events [folder]`.

The folder should be on the disk that is meant; a memory file system makes every sync free.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generated.containers import CONTAINERS
from handlers.platform.bus.port import Batch, Message, Subscription
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.outbox import Outbox
from handlers.platform.relay import Relay
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import SqliteStore
from tests.support.wait import eventually

TOPIC: Final = "order-events"
BODY: Final = b"x" * 1000  # bytes
CALLERS: Final = 64


@dataclass(frozen=True, slots=True)
class EventFigures:
    """Events a second from `publish` to delivered, times in seconds, CPU as a share of one core."""

    rate: float
    delay_median: float
    delay_p99: float
    cpu_per_event: float
    commit_to_delivery_median: float
    idle_cpu: float


async def event_figures(folder: Path, events: int = 20_000) -> EventFigures:
    """Appends and delivers so many events of 1 kB, one a call, 64 callers; then what waiting and one event cost."""
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
    idle = await _idle(3.0)
    single = await _commit_to_delivery(folder, bus, arrived)
    await consumption.stop()
    await bus.close()
    return EventFigures(
        rate=events / seconds,
        delay_median=throughput[events // 2],
        delay_p99=throughput[events * 99 // 100],
        cpu_per_event=cpu / events,
        commit_to_delivery_median=single,
        idle_cpu=idle,
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


def lines(figures: EventFigures) -> list[str]:
    """The figures for people."""
    return [
        f"event log, append + deliver, 1 kB, 64 callers  {figures.rate:8.0f}/s   "
        f"delay p50 {figures.delay_median * 1e3:.1f} ms, p99 {figures.delay_p99 * 1e3:.1f} ms   "
        f"cpu {figures.cpu_per_event * 1e6:.0f} us",
        f"commit to delivery through the outbox          {figures.commit_to_delivery_median * 1e3:8.1f} ms",
        f"waiting for events                             {figures.idle_cpu * 100:8.2f} % of a core",
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as temporary:
        print("\n".join(lines(asyncio.run(event_figures(Path(temporary))))))
