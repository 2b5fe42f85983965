"""Groups of one process share what is read of the embedded log."""

from __future__ import annotations

from pathlib import Path

from generated.events import TopicSpec
from handlers.platform.bus.port import Received
from handlers.platform.bus.sqlite import SqliteBus
from handlers.platform.bus.sqlite_log import Slot
from handlers.platform.bus.sqlite_window import KEPT, LARGE, Window
from tests.platform.bus.conftest import Reader, message

ONE = {"a-events": TopicSpec(1, 1)}
SLOT = Slot(0, "a-events", 0)


class Records:
    """A partition, and what was asked of it."""

    def __init__(self, *sequences: int, size: int = 10) -> None:
        self.asked: list[int] = []
        self.messages: list[Received] = []
        self.add(*sequences, size=size)

    def add(self, *sequences: int, size: int = 10) -> None:
        """More messages."""
        self.messages += [Received("a-events", 0, n, "k", b"x" * size, {}, 0.0) for n in sequences]

    def read(self, slot: Slot, after: int, limit: int) -> list[Received]:
        """Those behind a sequence."""
        self.asked.append(after)
        return [each for each in self.messages if each.sequence > after][:limit]


def numbers(found: list[Received]) -> list[int]:
    """Their sequences."""
    return [each.sequence for each in found]


def test_the_first_reads_and_the_others_share() -> None:
    records = Records(1, 2, 3)
    window = Window(records.read)
    assert [numbers(window.read(SLOT, after, 100)) for after in (0, 0, 1, 2)] == [[1, 2, 3], [1, 2, 3], [2, 3], [3]]
    assert numbers(window.read(SLOT, 0, 2)) == [1, 2]
    assert records.asked == [0]
    records.add(4)
    assert [numbers(window.read(SLOT, after, 100)) for after in (3, 3, 1, 4)] == [[4], [4], [2, 3, 4], []]
    assert records.asked == [0, 3, 4]
    assert numbers(window.read(Slot(1, "a-events", 1), 0, 100)) == [1, 2, 3, 4]  # another partition's are not these
    assert records.asked == [0, 3, 4, 0]


def test_who_lags_behind_reads_for_itself_and_takes_nothing_from_the_others() -> None:
    records = Records(*range(1, 201))
    window = Window(records.read)
    assert numbers(window.read(SLOT, 190, 100)) == [*range(191, 201)]
    assert numbers(window.read(SLOT, 10, 100)) == [*range(11, 111)]
    assert numbers(window.read(SLOT, 195, 100)) == [*range(196, 201)]
    assert records.asked == [190, 10]


def test_what_was_removed_by_age_is_not_made_up() -> None:
    records = Records(1, 2, 5, 6)
    window = Window(records.read)
    assert [numbers(window.read(SLOT, after, 100)) for after in (0, 1, 2, 3, 4, 5)] == [
        [1, 2, 5, 6],
        [2, 5, 6],
        [5, 6],
        [5, 6],
        [5, 6],
        [6],
    ]


def test_few_and_small_ones_are_kept() -> None:
    records = Records(*range(1, 101))
    window = Window(records.read)
    window.read(SLOT, 0, 100)
    assert numbers(window.read(SLOT, 100 - KEPT, 100)) == [*range(101 - KEPT, 101)]
    assert records.asked == [0]
    assert numbers(window.read(SLOT, 99 - KEPT, 100)) == [*range(100 - KEPT, 101)]
    assert records.asked == [0, 99 - KEPT]
    large = Records(1, size=LARGE + 1)
    window = Window(large.read)
    assert [numbers(window.read(SLOT, 0, 100)) for _ in range(2)] == [[1], [1]]
    assert large.asked == [0, 0]


async def test_five_groups_read_a_message_once_and_nothing_in_vain(tmp_path: Path) -> None:
    bus, other = SqliteBus.open(tmp_path / "log", ONE), SqliteBus.open(tmp_path / "log", ONE)
    readers = [Reader(f"group-{number}") for number in range(5)]
    consumption = await bus.consume([reader.subscription for reader in readers])
    statements: list[str] = []
    bus._reading.set_trace_callback(statements.append)
    for number in range(10):
        await (bus, other)[number % 2].publish("a-events", [message("k", number)])
        for reader in readers:
            await reader.until(number + 1)
    assert [reader.bodies for reader in readers] == [[b"k:%d" % number for number in range(10)]] * 5
    assert sum("FROM messages" in statement for statement in statements) == 10
    await consumption.stop()
    await bus.close()
    await other.close()
