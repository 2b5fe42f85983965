"""Kept answers against a real Valkey: shared, made once, renewed behind, forgotten when their data changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from handlers.platform.background import Background
from handlers.platform.cache import Cache, Script
from handlers.platform.errors import Problem, not_found
from handlers.platform.ids import new_id
from handlers.platform.responses.kept import CacheRule, Made
from handlers.platform.responses.responses import Responses
from handlers.platform.responses.shared import MOST_BYTES, SLOTS
from handlers.platform.telemetry import Telemetry
from infra.local.valkey import ValkeyServer, start
from tests.support.app import MovableClock
from tests.support.wait import eventually

SOON = 1.8  # "within a second or so": asked every half second, then brought up to date


@dataclass
class Process:
    """Kept answers as one process has them, and what its handler does: counts, takes a moment, says what is stored."""

    stored: list[str]
    cache: Cache
    clock: MovableClock
    rule: CacheRule
    made: int = 0
    takes: float = 0.0
    known: str = ""
    responses: Responses = field(init=False)

    def __post_init__(self) -> None:
        self.background = Background()
        self.responses = Responses(self.cache, self.background, self.clock)
        self.known = self.stored[-1]
        for kind in self.rule.of:
            self.responses.watch(kind, self.refresh)

    async def refresh(self, _: object) -> None:
        """The room brings what it keeps up to date."""
        self.known = self.stored[-1]

    async def make(self) -> Made:
        """The handler: answers from what its room keeps."""
        self.made += 1
        known = self.known
        await asyncio.sleep(self.takes)
        return Made(known.encode(), ((b"etag", b'"1"'),))

    def write(self, text: str) -> None:
        """A write of this process."""
        self.stored.append(text)
        self.known = text
        self.responses.changed(self.rule.of[0])

    async def ask(self, key: bytes = b"key") -> tuple[str, str]:
        """A request: the answer, and where it is from."""
        answer, state = await self.responses.answer(self.rule, key, self.make)
        assert answer.headers == ((b"etag", b'"1"'),)
        return answer.content.decode(), state

    async def stop(self) -> None:
        """The end of the process."""
        await self.background.drain()
        await self.responses.close()
        await self.cache.close()


NewProcess = Callable[..., Process]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ValkeyServer]:
    """A Valkey of this test, which it may stop."""
    running = start(tmp_path)
    yield running
    running.stop()


@pytest.fixture
async def new_process(server: ValkeyServer) -> AsyncIterator[NewProcess]:
    """Processes on one Valkey and one store, with one clock."""
    stored, clock, rule = ["first"], MovableClock(), CacheRule(seconds=60, of=(new_id("kind"),))
    processes: list[Process] = []

    def new(rule: CacheRule = rule) -> Process:
        processes.append(Process(stored, Cache(server.url), clock, rule))
        return processes[-1]

    yield new
    for process in processes:
        await process.stop()


async def test_two_processes_share_an_answer(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    assert await one.ask() == ("first", "MISS")
    assert await one.ask() == ("first", "HIT")
    assert await two.ask() == ("first", "HIT")
    assert await two.ask(b"other") == ("first", "MISS")
    assert (one.made, two.made) == (1, 1)


async def test_what_is_not_shared_stays_in_its_process(new_process: NewProcess) -> None:
    rule = CacheRule(seconds=60, of=(new_id("kind"),), shared=False)
    one, two = new_process(rule), new_process(rule)
    assert [await one.ask(), await one.ask(), await two.ask()] == [
        ("first", "MISS"),
        ("first", "HIT"),
        ("first", "MISS"),
    ]


async def test_fifty_at_once_make_one_answer(new_process: NewProcess) -> None:
    process = new_process()
    process.takes = 0.1
    states = [state for _, state in await asyncio.gather(*(process.ask() for _ in range(50)))]
    assert (process.made, states.count("MISS"), states.count("HIT")) == (1, 1, 49)


async def test_fifty_at_once_in_two_processes_make_one_answer(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    one.takes = two.takes = 0.1
    answers = await asyncio.gather(*(process.ask() for _ in range(25) for process in (one, two)))
    assert {text for text, _ in answers} == {"first"}
    assert one.made + two.made == 1
    assert [state for _, state in answers].count("MISS") == 1


async def test_nobody_waits_long_for_another_process(new_process: NewProcess) -> None:
    slow, other = new_process(), new_process()
    slow.takes = 5.0
    first = asyncio.create_task(slow.ask())
    await eventually(lambda: slow.made == 1)
    async with asyncio.timeout(2.0):
        assert await other.ask() == ("first", "MISS")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_after_its_time_an_answer_goes_out_once_more_while_one_makes_a_new_one(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await one.ask()
    await two.ask()
    one.stored.append("second")
    one.known = two.known = "second"  # nobody has told
    one.clock.advance(seconds=61)
    one.takes = two.takes = 0.1
    answers = await asyncio.gather(*(process.ask() for _ in range(10) for process in (one, two)))
    assert set(answers) == {("first", "STALE")}

    async def both_have_it() -> bool:
        return [await one.ask(), await two.ask()] == [("second", "HIT")] * 2

    await eventually(both_have_it)
    assert one.made + two.made == 2


async def test_a_process_that_has_nothing_takes_a_stale_answer_and_renews_it(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await one.ask()
    one.clock.advance(seconds=61)
    assert await two.ask() == ("first", "STALE")
    await two.background.drain()
    assert two.made == 1
    assert [await two.ask(), await one.ask()] == [("first", "HIT"), ("first", "STALE")]
    await one.background.drain()
    assert (await one.ask(), one.made) == (("first", "HIT"), 1)


async def test_twice_its_time_is_the_end(new_process: NewProcess) -> None:
    process = new_process()
    await process.ask()
    process.clock.advance(seconds=121)
    assert await process.ask() == ("first", "MISS")


async def test_an_answer_ends_when_the_clock_makes_it_wrong(new_process: NewProcess) -> None:
    process = new_process()
    end = process.clock.now().timestamp() + 10

    async def make() -> Made:
        process.made += 1
        return Made(b"until then", (), end if process.made == 1 else None)

    states = []
    for seconds in (0, 9, 2):
        process.clock.advance(seconds=seconds)
        states.append((await process.responses.answer(process.rule, b"key", make))[1])
    assert states == ["MISS", "HIT", "MISS"]


async def test_a_change_counts_at_once_here_and_soon_elsewhere(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    assert (await one.ask(), await two.ask()) == (("first", "MISS"), ("first", "HIT"))
    one.write("second")
    assert await one.ask() == ("second", "MISS")

    async def heard() -> bool:
        return (await two.ask())[0] == "second"

    await eventually(heard, SOON)
    assert (await one.ask())[0] == "second"


async def test_a_process_that_was_idle_asks_before_it_answers(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await two.ask()
    one.write("second")
    await asyncio.sleep(1.1)
    assert (await two.ask())[0] == "second"


async def test_what_is_shared_is_never_older_than_a_change_that_was_told(new_process: NewProcess) -> None:
    """A process that has not yet read what another wrote does not put the old answer back."""
    one, two = new_process(), new_process()
    reading = asyncio.Event()

    async def slow_refresh(_: object) -> None:
        await reading.wait()
        two.known = two.stored[-1]

    await two.ask()
    two.responses.watch(two.rule.of[0], slow_refresh)
    one.write("second")
    end = asyncio.get_running_loop().time() + 0.9
    while asyncio.get_running_loop().time() < end:
        assert (await one.ask())[0] == "second"
        assert (await two.ask())[0] == "first"
        await asyncio.sleep(0.02)
    reading.set()

    async def heard() -> bool:
        assert (await one.ask())[0] == "second"
        return (await two.ask())[0] == "second"

    await eventually(heard, SOON)


async def test_a_room_that_cannot_read_is_asked_again(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await two.ask()
    tries = 0

    async def fails_first(_: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionError("the store is away")
        two.known = two.stored[-1]

    two.responses.watch(two.rule.of[0], fails_first)
    one.write("second")

    async def heard() -> bool:
        return (await two.ask())[0] == "second"

    await eventually(heard, 2 * SOON)
    assert tries == 2


async def test_a_room_hears_what_is_gone(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await one.ask()
    await two.ask()
    heard: list[str] = []

    async def refresh(gone: Sequence[str]) -> None:
        heard.extend(gone)

    two.responses.watch(two.rule.of[0], refresh)
    one.responses.changed(one.rule.of[0], "product-1", "product-2")

    async def has_heard() -> bool:
        await two.ask()
        return sorted(heard) == ["product-1", "product-2"]

    await eventually(has_heard, SOON)


async def test_errors_reach_everybody_and_are_not_kept(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    asked = 0

    async def refuses() -> Made:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        raise not_found("Category")

    calls = [one.responses.answer(one.rule, b"key", refuses) for _ in range(5)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in results] == [Problem] * 5
    assert asked == 1
    await one.background.drain()  # the claim is given up
    async with asyncio.timeout(0.4):
        assert await two.ask() == ("first", "MISS")


async def test_when_the_one_who_makes_it_leaves_another_takes_over(new_process: NewProcess) -> None:
    process = new_process()
    process.takes = 0.2
    first = asyncio.create_task(process.ask())
    await eventually(lambda: process.made == 1)
    others = [asyncio.create_task(process.ask()) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert {text for text, _ in await asyncio.gather(*others)} == {"first"}
    assert process.made == 2


async def test_room_in_redis_is_bounded(new_process: NewProcess, server: ValkeyServer) -> None:
    process = new_process()
    keys = [b"key %d" % number for number in range(SLOTS * 2)]
    for at in range(0, len(keys), 20):
        await asyncio.gather(*(process.ask(key) for key in keys[at : at + 20]))
    cache = Cache(server.url)

    async def names() -> list[bytes]:
        found: list[bytes] = await cache.eval(Script("return redis.call('KEYS', '*')"), [])
        return found

    async def unclaimed() -> bool:
        return not any(b":claim:" in name for name in await names())

    await eventually(unclaimed)  # at once, or by itself where Redis was slow to answer
    found = await names()
    slots = [key for key in found if b":slot:" in key]
    assert SLOTS // 2 < len(slots) <= SLOTS
    assert len(found) - len(slots) == 1  # the generation
    await cache.close()


async def test_what_is_too_large_stays_in_the_process(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    one.stored.append("x" * (MOST_BYTES + 1))
    one.known = two.known = one.stored[-1]
    assert [(await process.ask())[1] for process in (one, one, two)] == ["MISS", "HIT", "MISS"]


async def test_while_redis_is_away_answers_are_made_without_it(new_process: NewProcess, server: ValkeyServer) -> None:
    one, two = new_process(), new_process()
    await one.ask()
    server.stop()
    two.write("second")
    assert await two.ask() == ("second", "MISS")
    assert await two.ask() == ("second", "HIT")
    await eventually(lambda: two.responses.generations.alone)

    async def one_is_alone() -> bool:
        await one.ask()
        return one.responses.generations.alone

    await eventually(one_is_alone)
    one.known = "second"  # its room finds out by itself
    two.clock.advance(seconds=2.1)
    assert (await one.ask(), await two.ask()) == (("second", "MISS"), ("second", "MISS"))
    states = [state for _, state in await asyncio.gather(*(one.ask(b"another") for _ in range(20)))]
    assert states.count("MISS") == 1


async def test_what_could_not_be_told_is_told_later(
    new_process: NewProcess, server: ValkeyServer, tmp_path: Path
) -> None:
    one, two = new_process(), new_process()
    await one.ask()
    await two.ask()
    server.stop()
    two.write("second")
    await eventually(lambda: two.responses.generations.alone)
    again = start(tmp_path)
    try:

        async def heard() -> bool:
            return (await one.ask())[0] == "second" and not one.responses.generations.alone

        await eventually(heard, 5)
        await eventually(lambda: two.responses.generations.shared(two.rule.of) is not None, 5)
        assert (await two.ask())[0] == "second"
    finally:
        again.stop()


async def test_without_redis_a_process_keeps_its_own() -> None:
    process = Process(["first"], Cache(None), MovableClock(), CacheRule(seconds=60, of=("kind",)))
    assert [await process.ask(), await process.ask()] == [("first", "MISS"), ("first", "HIT")]
    process.write("second")
    assert await process.ask() == ("second", "MISS")
    await process.stop()


async def test_many_changes_at_once_are_told_together(new_process: NewProcess, server: ValkeyServer) -> None:
    process = new_process()
    await process.ask()
    before = process.responses.generations.shared(process.rule.of)
    for number in range(1000):
        process.responses.changed(process.rule.of[0], f"product-{number}")
    await eventually(lambda: process.responses.generations.shared(process.rule.of) is not None)
    after = process.responses.generations.shared(process.rule.of)
    assert before is not None
    assert after is not None
    assert 1 <= after[0] - before[0] <= 3


async def test_a_change_just_before_the_end_is_told(new_process: NewProcess) -> None:
    one, two = new_process(), new_process()
    await two.ask()
    one.write("second")
    await one.responses.close()

    async def heard() -> bool:
        return (await two.ask())[0] == "second"

    await eventually(heard, SOON)


async def test_counts_are_in_the_metrics(new_process: NewProcess) -> None:
    process, telemetry = new_process(), Telemetry()
    process.responses.expose(telemetry)
    await process.ask()
    await process.ask()
    shown = telemetry.render()
    assert b'hph_answers_total{outcome="hit"} 1.0' in shown
    assert b'hph_answers_total{outcome="miss"} 1.0' in shown
