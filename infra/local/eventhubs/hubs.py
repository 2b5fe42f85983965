"""What the broker keeps: hubs, their partitions, and who reads which partition with which epoch."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from infra.local.eventhubs.messages import Stored, offset_of, stored

_SELECTOR: Final = re.compile(r"amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'([^']*)'")
LATEST: Final = "@latest"


class Reader(Protocol):
    """A link that reads a partition."""

    epoch: int | None

    def pump(self) -> None:
        """There may be something to send."""
        ...

    def refuse(self, condition: str, text: str) -> None:
        """The link ends, and this is why."""
        ...


@dataclass(slots=True)
class Partition:
    """A log of messages, in memory. `first`: the sequence number of the oldest that is still there."""

    number: int
    log: list[Stored] = field(default_factory=list)
    first: int = 0
    readers: dict[str, list[Reader]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The next sequence number."""
        return self.first + len(self.log)

    def append(self, messages: Sequence[bytes]) -> None:
        """Takes messages in and tells the readers. Raises `Malformed`; then nothing is taken in."""
        at = int(time.time() * 1000)
        self.log += [stored(message, self.end + index, at) for index, message in enumerate(messages)]
        for readers in [*self.readers.values()]:
            for reader in [*readers]:
                reader.pump()

    def get(self, sequence: int) -> Stored | None:
        """A message, None behind the end."""
        place = sequence - self.first
        return self.log[place] if 0 <= place < len(self.log) else None

    def start(self, selector: str | None) -> int:
        """The first sequence number that a selector lets through."""
        found = _SELECTOR.fullmatch(selector.strip()) if selector else None
        if found is None:
            return self.first
        field_name, operator, value = found.groups()
        inclusive = operator == ">="
        if value == LATEST:
            return max(self.first, self.end - (1 if inclusive else 0))
        passes = _passes(field_name, int(value), inclusive)
        return next((message.sequence for message in self.log if passes(message)), self.end)

    def forget(self, count: int) -> None:
        """The oldest messages go, as they do by age."""
        self.log = self.log[count:]
        self.first += count

    def join(self, group: str, reader: Reader) -> bool:
        """A reader comes. With an epoch it drives out those with none or a lower one; False: others are stronger."""
        present = self.readers.setdefault(group, [])
        strongest = max((other.epoch for other in present if other.epoch is not None), default=None)
        if strongest is not None and (reader.epoch is None or reader.epoch < strongest):
            return False
        weaker = [*present] if reader.epoch is not None else []
        for other in weaker:
            self.leave(group, other)
            other.refuse("amqp:link:stolen", f"a receiver with a higher epoch of '{reader.epoch}' was created")
        present.append(reader)
        return True

    def leave(self, group: str, reader: Reader) -> None:
        """A reader goes."""
        if reader in self.readers.get(group, []):
            self.readers[group].remove(reader)


@dataclass(slots=True)
class Hub:
    """An event hub. `groups` None: any consumer group is there."""

    name: str
    partitions: list[Partition]
    groups: Collection[str] | None = None
    created: int = field(default_factory=lambda: int(time.time() * 1000))
    _turn: int = 0

    def partition_for(self, key: str | None) -> Partition:
        """By a hash of the key, which is not Azure's, or in turn."""
        if key is not None:
            return self.partitions[zlib.crc32(key.encode()) % len(self.partitions)]
        self._turn += 1
        return self.partitions[self._turn % len(self.partitions)]

    def partition(self, name: str) -> Partition | None:
        """By its id."""
        return self.partitions[int(name)] if name.isdecimal() and int(name) < len(self.partitions) else None

    def has_group(self, group: str) -> bool:
        """Names of groups do not tell upper from lower case."""
        return self.groups is None or group.lower() in {"$default", *(known.lower() for known in self.groups)}


def hub(name: str, partitions: int, groups: Collection[str] | None = None) -> Hub:
    """A new hub."""
    return Hub(name, [Partition(number) for number in range(partitions)], groups)


def _passes(field_name: str, value: int, inclusive: bool) -> Callable[[Stored], bool]:
    def measure(message: Stored) -> int:
        if field_name == "offset":
            return offset_of(message.sequence)
        return message.sequence if field_name == "sequence-number" else message.at

    return lambda message: measure(message) > value or (inclusive and measure(message) == value)
