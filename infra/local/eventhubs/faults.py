"""Faults on purpose: what happens to the sends to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Effect = Literal["lost_before", "lost_after", "silent", "busy"]
BUSY: Final = "com.microsoft:server-busy"


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` sends, after letting `skip` of them pass.

    `lost_before` and `lost_after` cut the connection before or after the messages are stored, `silent` stores them and
    never answers, `busy` refuses them as a throttled namespace does. `partition`: only sends to this one.
    """

    effect: Effect
    times: int = 1
    skip: int = 0
    partition: int | None = None


@dataclass(slots=True)
class Faults:
    """The faults to come, and how many have come."""

    pending: list[Fault] = field(default_factory=list)
    happened: int = 0

    def add(self, fault: Fault) -> None:
        """Plans a fault."""
        self.pending.append(fault)

    def clear(self) -> None:
        """Nothing more goes wrong."""
        self.pending.clear()

    def due(self, partition: int | None) -> Effect | None:
        """What happens to the send at hand, to a partition or (None) to the hub."""
        for fault in self.pending:
            if fault.partition is not None and fault.partition != partition:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.pending.remove(fault)
            self.happened += 1
            return fault.effect
        return None
