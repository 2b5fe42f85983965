"""The log in its SQLite file: messages by partition and number, and how far each partition has come.

A message's row number is its partition's slot and its sequence in one (`slot << 40 | sequence`), so reading a partition
on from a position is one range of the table, without an index. `heads` has the last sequence of each slot, which also
outlives the messages themselves.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from generated.events import TopicSpec
from handlers.platform.bus.port import BusMisuse, Message, Position, Received
from handlers.platform.store.sqlite_rounds import Rounds

FORMAT: Final = 1
MEMBERS: Final = -1  # the slot under which `heads` counts changes of the members
_SHIFT: Final = 40
_SLOTS_OF_TOPIC: Final = 1024
_PURGE_STEP: Final = 50
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, number INTEGER NOT NULL, partitions INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS heads (slot INTEGER PRIMARY KEY, sequence INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, key TEXT NOT NULL, "
    "attributes BLOB NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS members (member TEXT NOT NULL, grp TEXT NOT NULL, until INTEGER NOT NULL, "
    "PRIMARY KEY (member, grp)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS progress (grp TEXT NOT NULL, slot INTEGER NOT NULL, owner TEXT, "
    "epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (grp, slot)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A partition of a topic, and its number in the file."""

    number: int
    topic: str
    partition: int


class Log:
    """The layout of one file and the statements on it. The caller brings the connection and the transaction."""

    def __init__(self, connection: sqlite3.Connection, topics: Mapping[str, TopicSpec]) -> None:
        self._retention = {name: spec.retention_hours * 3_600_000 for name, spec in topics.items()}
        self._partitions: dict[str, tuple[int, int]] = {}
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._prepare(connection, topics)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.slots = {slot.number: slot for name in topics for slot in self.slots_of(name)}
        self._rounds = Rounds(self.slots.values())

    def _prepare(self, connection: sqlite3.Connection, topics: Mapping[str, TopicSpec]) -> None:
        for statement in _TABLES:
            connection.execute(statement)
        for name, spec in topics.items():
            # The number of partitions that the file began with stays: another one would part keys from their order.
            connection.execute(
                "INSERT OR IGNORE INTO topics SELECT ?, COALESCE(MAX(number) + 1, 0), ? FROM topics",
                (name, spec.partitions),
            )
        for name, number, partitions in connection.execute("SELECT name, number, partitions FROM topics").fetchall():
            self._partitions[name] = (number, partitions)
        first = [(slot.number,) for name in topics for slot in self.slots_of(name)]
        connection.executemany("INSERT OR IGNORE INTO heads VALUES (?, 0)", [*first, (MEMBERS,)])

    def slots_of(self, topic: str) -> list[Slot]:
        """The partitions of a topic. Raises `BusMisuse` for one that does not exist."""
        number, partitions = self._topic(topic)
        return [Slot(number * _SLOTS_OF_TOPIC + partition, topic, partition) for partition in range(partitions)]

    def slot_of(self, topic: str, key: str) -> int:
        """The slot that a key hashes to."""
        number, partitions = self._topic(topic)
        return number * _SLOTS_OF_TOPIC + zlib.crc32(key.encode()) % partitions

    def _topic(self, topic: str) -> tuple[int, int]:
        found = self._partitions.get(topic)
        if found is None or topic not in self._retention:
            raise BusMisuse(f"there is no topic {topic!r} (asyncapi/channels)")
        return found

    def sorted_by_slot(self, topic: str, messages: Iterable[Message]) -> dict[int, list[tuple[str, bytes, bytes]]]:
        """The messages as rows, by slot, in the order given."""
        rows: dict[int, list[tuple[str, bytes, bytes]]] = {}
        for message in messages:
            row = (message.key, orjson.dumps(dict(message.attributes)), message.body)
            rows.setdefault(self.slot_of(topic, message.key), []).append(row)
        return rows

    @staticmethod
    def append(rows: Mapping[int, Sequence[tuple[str, bytes, bytes]]], at: int, connection: sqlite3.Connection) -> None:
        """Adds rows behind the heads of their slots. `at`: milliseconds since 1970."""
        for slot, own in rows.items():
            head: int = connection.execute("SELECT sequence FROM heads WHERE slot = ?", (slot,)).fetchone()[0]
            first = (slot << _SHIFT) + head + 1
            connection.executemany(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?)",
                [(first + index, at, *row) for index, row in enumerate(own)],
            )
            connection.execute("UPDATE heads SET sequence = ? WHERE slot = ?", (head + len(own), slot))

    def read(self, slot: Slot, after: int, limit: int, connection: sqlite3.Connection) -> list[Received]:
        """The messages of a slot behind a sequence."""
        base = slot.number << _SHIFT
        rows = connection.execute(
            "SELECT number, at, key, attributes, body FROM messages WHERE number > ? AND number < ? "
            "ORDER BY number LIMIT ?",
            (base + after, base + (1 << _SHIFT), limit),
        ).fetchall()
        return [
            Received(slot.topic, slot.partition, number - base, key, body, orjson.loads(attributes), at / 1000)
            for number, at, key, attributes, body in rows
        ]

    @staticmethod
    def heads(connection: sqlite3.Connection) -> dict[int, int]:
        """The last sequence of every slot, 0 where there was none; under `MEMBERS` how often the members changed."""
        return dict(connection.execute("SELECT slot, sequence FROM heads").fetchall())

    def positions(self, groups: Mapping[str, Sequence[str]], connection: sqlite3.Connection) -> list[Position]:
        """How far each group has come in every partition of its topics. What was removed by age counts as handled."""
        heads = self.heads(connection)
        found = connection.execute("SELECT grp, slot, sequence FROM progress").fetchall()
        reached = {(group, slot): sequence for group, slot, sequence in found}
        positions = []
        for group, topics in groups.items():
            for slot in (slot for topic in topics for slot in self.slots_of(topic)):
                published, handled = heads[slot.number], reached.get((group, slot.number), 0)
                if handled < published and not self._holds(slot, handled, connection):
                    handled = published
                positions.append(Position(group, slot.topic, slot.partition, handled, published))
        return positions

    @staticmethod
    def _holds(slot: Slot, after: int, connection: sqlite3.Connection) -> bool:
        """Whether there is a message behind a sequence."""
        base = slot.number << _SHIFT
        row = connection.execute(
            "SELECT 1 FROM messages WHERE number > ? AND number < ? LIMIT 1", (base + after, base + (1 << _SHIFT))
        ).fetchone()
        return row is not None

    def purge(self, now: int, connection: sqlite3.Connection) -> bool:
        """Removes some of what is older than its topic keeps. Whether there may be more.

        `now`: milliseconds since 1970.
        """

        def step(slot: Slot) -> bool:
            base, cutoff = slot.number << _SHIFT, now - self._retention[slot.topic]
            bounds = (base, base + (1 << _SHIFT))
            oldest = connection.execute(
                "SELECT at FROM messages WHERE number > ? AND number < ? ORDER BY number LIMIT 1", bounds
            ).fetchone()
            if oldest is None or oldest[0] >= cutoff:
                return False
            gone = connection.execute(
                "DELETE FROM messages WHERE at < ? AND number IN "
                "(SELECT number FROM messages WHERE number > ? AND number < ? ORDER BY number LIMIT ?)",
                (cutoff, *bounds, _PURGE_STEP),
            )
            return gone.rowcount >= _PURGE_STEP

        return self._rounds.clear(step)
