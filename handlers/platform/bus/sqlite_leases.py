"""Who reads which partition: members of the groups, owners, epochs, checkpoints. All of it inside write transactions.

A member is one consumption of a process. Its leases are as long as its own row: renewing is one statement. Partitions
are shared out evenly; who has more than its share hands the surplus back (after finishing what is under way), and who
has less takes what is free. Nothing is taken from a member that lives.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handlers.platform.bus.consumption import Balance
from handlers.platform.bus.sqlite_log import MEMBERS
from handlers.platform.process import has_ended

Key = tuple[str, int]  # group, slot

_CHANGED: Final = f"UPDATE heads SET sequence = sequence + 1 WHERE slot = {MEMBERS}"  # noqa: S608 - a number of ours


@dataclass(frozen=True, slots=True)
class Ownership:
    """A partition that is ours: the number of this ownership, and the sequence from which to go on."""

    epoch: int
    sequence: int


def balance(
    member: str, wanted: Mapping[str, Sequence[int]], now: int, lease: int, connection: sqlite3.Connection
) -> Balance[Key, Ownership]:
    """Renews the membership for `lease` milliseconds, frees what the dead owned, and takes up to this member's share.

    `wanted`: the slots that each group reads.
    """
    known = connection.execute("SELECT 1 FROM members WHERE member = ?", (member,)).fetchone() is not None
    connection.executemany(
        "INSERT OR REPLACE INTO members VALUES (?, ?, ?)", [(member, group, now + lease) for group in wanted]
    )
    if _bury(now, connection) or not known:
        connection.execute(_CHANGED)
    owned: dict[Key, Ownership] = {}
    surplus: list[Key] = []
    for group, slots in wanted.items():
        connection.executemany("INSERT OR IGNORE INTO progress VALUES (?, ?, NULL, 0, 0)", [(group, s) for s in slots])
        share = _share(member, group, len(slots), connection)
        own = _own(member, group, slots, connection)
        if len(own) < share:
            _take(member, group, slots, share - len(own), connection)
            own = _own(member, group, slots, connection)
        owned |= own
        surplus += [*own][share:]
    return Balance(owned, surplus)


def save(member: str, reached: Mapping[Key, tuple[int, int]], connection: sqlite3.Connection) -> list[Key]:
    """Checkpoints: (epoch, sequence) of partitions. Answers those that are not this member's any more."""
    lost = []
    for (group, slot), (epoch, sequence) in reached.items():
        done = connection.execute(
            "UPDATE progress SET sequence = MAX(sequence, ?) WHERE grp = ? AND slot = ? AND owner = ? AND epoch = ?",
            (sequence, group, slot, member, epoch),
        )
        if done.rowcount == 0:
            lost.append((group, slot))
    return lost


def release(member: str, keys: Sequence[Key], connection: sqlite3.Connection) -> None:
    """Hands partitions back."""
    connection.executemany(
        "UPDATE progress SET owner = NULL WHERE grp = ? AND slot = ? AND owner = ?",
        [(group, slot, member) for group, slot in keys],
    )
    connection.execute(_CHANGED)


def leave(member: str, connection: sqlite3.Connection) -> None:
    """Hands everything back and is a member no more."""
    connection.execute("UPDATE progress SET owner = NULL WHERE owner = ?", (member,))
    connection.execute("DELETE FROM members WHERE member = ?", (member,))
    connection.execute(_CHANGED)


def _bury(now: int, connection: sqlite3.Connection) -> bool:
    """Frees what members owned whose time is over or whose process has ended. Whether there were any."""
    rows = connection.execute("SELECT member, MIN(until) FROM members GROUP BY member").fetchall()
    dead = [(member,) for member, until in rows if until <= now or has_ended(member)]
    connection.executemany("UPDATE progress SET owner = NULL WHERE owner = ?", dead)
    connection.executemany("DELETE FROM members WHERE member = ?", dead)
    return bool(dead)


def _share(member: str, group: str, total: int, connection: sqlite3.Connection) -> int:
    """The same sum for every member: total over members, the first few by name one more."""
    rows = connection.execute("SELECT member FROM members WHERE grp = ? ORDER BY member", (group,)).fetchall()
    place = [row[0] for row in rows].index(member)
    return total // len(rows) + (place < total % len(rows))


def _own(member: str, group: str, slots: Sequence[int], connection: sqlite3.Connection) -> dict[Key, Ownership]:
    rows = connection.execute(
        "SELECT slot, epoch, sequence FROM progress WHERE grp = ? AND owner = ? ORDER BY slot", (group, member)
    ).fetchall()
    return {(group, slot): Ownership(epoch, sequence) for slot, epoch, sequence in rows if slot in slots}


def _take(member: str, group: str, slots: Sequence[int], room: int, connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT slot FROM progress WHERE grp = ? AND owner IS NULL ORDER BY slot", (group,)
    ).fetchall()
    free = [slot for (slot,) in rows if slot in slots][:room]
    connection.executemany(
        "UPDATE progress SET owner = ?, epoch = epoch + 1 WHERE grp = ? AND slot = ?",
        [(member, group, slot) for slot in free],
    )
