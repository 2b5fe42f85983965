"""The embedded log alone: its file, its age, its partitions, and what waiting costs."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generated.events import TOPICS, TopicSpec
from handlers.platform.bus.port import BusUnavailable
from handlers.platform.bus.sqlite import SqliteBus
from tests.platform.bus.conftest import Reader, message
from tests.platform.store.adapters import TestClock

TWO = {"a-events": TopicSpec(2, 1)}


async def test_what_was_published_outlives_the_process(tmp_path: Path) -> None:
    bus = SqliteBus.open(tmp_path / "log", TWO)
    await bus.publish("a-events", [message("k", 1)])
    await bus.close()
    await bus.close()
    bus = SqliteBus.open(tmp_path / "log", TWO)
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await reader.until(1)
    await consumption.stop()
    await bus.close()


async def test_messages_go_by_age_and_their_numbers_do_not_come_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = TestClock()
    bus = SqliteBus.open(tmp_path / "log", TWO, clock=clock)
    await bus.publish("a-events", [message("k", 1), message("k", 2)])
    clock.advance(3601)
    await bus.publish("a-events", [message("k", 3)])
    await bus.submit(lambda connection: bus.log.purge(bus.now(), connection))
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await reader.until(1)
    assert [(got.sequence, got.body) for got in reader.got] == [(3, b"k:3")]
    assert "removed by age" in caplog.text
    await consumption.stop()
    await bus.close()


async def test_the_number_of_partitions_stays_what_it_was(tmp_path: Path) -> None:
    bus = SqliteBus.open(tmp_path / "log", TWO)
    slots = [bus.log.slot_of("a-events", f"key-{n}") for n in range(50)]
    await bus.close()
    bus = SqliteBus.open(tmp_path / "log", {"a-events": TopicSpec(64, 1), "b-events": TopicSpec(3, 1)})
    assert [bus.log.slot_of("a-events", f"key-{n}") for n in range(50)] == slots
    assert len(bus.log.slots_of("b-events")) == 3
    await bus.close()


async def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no database at all, but long enough to look at" * 100)
    with pytest.raises(BusUnavailable):
        SqliteBus.open(tmp_path / "log", TWO)
    with pytest.raises(BusUnavailable):
        SqliteBus.open(tmp_path / "log" / "below", TWO)


async def test_stopping_leaves_the_checkpoint_and_no_owner(tmp_path: Path) -> None:
    bus = SqliteBus.open(tmp_path / "log", TWO)
    reader = Reader()
    consumption = await bus.consume([reader.subscription])
    await bus.publish("a-events", [message("k", n) for n in range(3)])
    await reader.until(3)
    await consumption.stop()
    with sqlite3.connect(tmp_path / "log") as connection:
        rows = connection.execute("SELECT owner, SUM(sequence) FROM progress").fetchall()
        members = connection.execute("SELECT COUNT(*) FROM members").fetchall()
    assert (rows, members) == ([(None, 3)], [(0,)])
    await bus.close()


async def test_waiting_costs_next_to_nothing(tmp_path: Path) -> None:
    """40 groups on 56 partitions; the bound is generous, for the machine is shared."""
    bus = SqliteBus.open(tmp_path / "log", TOPICS)
    readers = [Reader(f"group-{n}") for n in range(40)]
    every = tuple(TOPICS)
    consumption = await bus.consume(
        [type(r.subscription)(r.subscription.group, every, r.subscription.deliver) for r in readers]
    )
    await asyncio.sleep(0.3)
    before = time.process_time()
    await asyncio.sleep(1.5)
    assert (time.process_time() - before) / 1.5 < 0.05
    await consumption.stop()
    await bus.close()


_CHILD = """
import asyncio, sys
from tests.platform.bus.test_sqlite import hold_partitions
asyncio.run(hold_partitions(sys.argv[1]))
"""


async def hold_partitions(path: str) -> None:
    """A process that owns all partitions until it is killed."""
    bus = SqliteBus.open(path, TWO)
    await bus.consume([Reader().subscription])
    sys.stdout.write("owning\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


async def test_a_killed_process_is_replaced_long_before_its_lease_is_over(tmp_path: Path) -> None:
    child = subprocess.Popen(  # noqa: ASYNC220 - starting it is quick
        [sys.executable, "-c", _CHILD, str(tmp_path / "log")], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    try:
        assert child.stdout is not None
        assert await asyncio.to_thread(child.stdout.readline) == b"owning\n"
        bus = SqliteBus.open(tmp_path / "log", TWO)
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.to_thread(child.wait)
        consumption = await bus.consume([Reader().subscription])
        assert len(consumption.progress()) == 2
        await consumption.stop()
        await bus.close()
    finally:
        child.kill()
