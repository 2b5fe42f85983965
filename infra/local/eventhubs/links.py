"""Links (AMQP 1.0, part 2.6): to hubs and partitions, from partitions, and to and from `$cbs` and `$management`."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from infra.local.eventhubs import frames, messages
from infra.local.eventhubs.faults import BUSY
from infra.local.eventhubs.hubs import Hub, Partition

if TYPE_CHECKING:
    from infra.local.eventhubs.session import Session

CREDIT: Final = 1000  # of a peer that sends


class Link:
    """One link, by its handle, which is the same in both directions here."""

    def __init__(self, session: Session, handle: int) -> None:
        self.session = session
        self.handle = handle

    def refuse(self, condition: str, text: str) -> None:
        """Ends the link, with a reason."""
        self.session.detach(self, frames.error(condition, text))

    def closed(self) -> None:
        """The link is no more."""

    def on_flow(self, frame: frames.Frame) -> None:
        """The peer grants credit."""


class Incoming(Link):
    """The peer sends. Puts messages together from their frames."""

    def __init__(self, session: Session, handle: int) -> None:
        super().__init__(session, handle)
        self._parts: list[bytes] = []
        self._first: frames.Frame | None = None
        self._count = 0

    def greet(self) -> None:
        """Grants credit, for as many messages as anybody sends in one go."""
        self.session.flow((self.handle, self._count, CREDIT))

    def on_transfer(self, frame: frames.Frame) -> None:
        """A part of a message, or a whole one. Raises `Malformed`."""
        first = self._first = self._first or frame
        self._parts.append(frame.payload)
        if frame.field(5):  # there is more
            return
        message, self._parts, self._first = b"".join(self._parts), [], None
        self._count += 1
        state = self.take(message, first.field(3) or 0)
        if state is not None and not (first.field(4) or frame.field(4)):
            self.settle(frames.disposition(first.field(1), state))
        if self._count % (CREDIT // 2) == 0:
            self.greet()

    def settle(self, disposition: bytes) -> None:
        """Tells the peer what became of a message."""
        self.session.send(disposition)

    def take(self, message: bytes, message_format: int) -> bytes | None:
        """A message is here. What becomes of it, None: nothing is said about it."""
        raise NotImplementedError


class Publishing(Incoming):
    """To a hub, or one of its partitions."""

    def __init__(self, session: Session, handle: int, hub: Hub, partition: Partition | None) -> None:
        super().__init__(session, handle)
        self._hub = hub
        self._partition = partition

    def settle(self, disposition: bytes) -> None:
        """As late as a network's round trip takes; other messages pass meanwhile."""
        latency = self.session.broker.latency
        if latency:
            asyncio.get_running_loop().call_later(latency, self.session.send, disposition)
        else:
            self.session.send(disposition)

    def take(self, message: bytes, message_format: int) -> bytes | None:
        """Stores it, unless a fault is planned."""
        broker = self.session.broker
        effect = broker.faults.due(self._partition.number if self._partition is not None else None)
        if effect == "busy":
            return frames.rejected(BUSY, "the request was terminated because the namespace is being throttled")
        if effect == "lost_before":
            self.session.cut()
            return None
        if len(message) > frames.MAX_MESSAGE:
            return frames.rejected("amqp:link:message-size-exceeded", f"{len(message)} bytes")
        key, single = messages.unpacked(message, message_format)
        (self._partition or self._hub.partition_for(key)).append(single)
        broker.sends += 1
        if effect == "lost_after":
            self.session.cut()
        return frames.ACCEPTED if effect is None else None


class Requests(Incoming):
    """To `$cbs` or `$management`."""

    def __init__(self, session: Session, handle: int, node: str) -> None:
        super().__init__(session, handle)
        self._node = node

    def take(self, message: bytes, message_format: int) -> bytes | None:
        """Carries the request out; the answer goes to the link that the request names, or the latest one."""
        sections = messages.parse(message)
        reply = self.session.answer(self._node, sections)
        properties: list[Any] = sections.values.get(messages.PROPERTIES) or []
        self.session.reply(self._node, properties[4] if len(properties) > 4 else None, reply)
        return frames.ACCEPTED


class Outgoing(Link):
    """The peer receives, as far as it grants credit and its session's window is open."""

    def __init__(self, session: Session, handle: int) -> None:
        super().__init__(session, handle)
        self._credit = 0
        self._count = 0

    def on_flow(self, frame: frames.Frame) -> None:
        """2.6.7: credit counts from the peer's delivery count."""
        seen = frame.field(5)
        self._credit = (seen if seen is not None else 0) + (frame.field(6) or 0) - self._count
        self.pump()
        if frame.field(8) and self._credit > 0:  # drain
            self._count, self._credit = self._count + self._credit, 0
            self.session.flow((self.handle, self._count, 0))

    def pump(self) -> None:
        """Sends what there is."""
        while self._credit > 0 and self.session.open_for_transfers():
            message = self.next()
            if message is None:
                return
            self._credit -= 1
            self._count += 1
            self.session.transfer(self.handle, message)

    def next(self) -> bytes | None:
        """The next message, taken out."""
        raise NotImplementedError


class Reading(Outgoing):
    """From a partition, for a consumer group."""

    def __init__(
        self, session: Session, handle: int, partition: Partition, *, group: str, epoch: int | None, metrics: bool
    ) -> None:
        super().__init__(session, handle)
        self.epoch = epoch
        self.position = 0
        self._partition = partition
        self._group = group
        self._metrics = metrics

    def next(self) -> bytes | None:
        """The next message of the partition."""
        self.position = max(self.position, self._partition.first)
        message = self._partition.get(self.position)
        if message is None:
            return None
        self.position += 1
        return message.encoded(self._partition.log[-1] if self._metrics else None)

    def closed(self) -> None:
        """Reads no more."""
        self._partition.leave(self._group, self)


class Answers(Outgoing):
    """From `$cbs` or `$management`. `address`: where the peer expects answers."""

    def __init__(self, session: Session, handle: int, node: str, address: str | None) -> None:
        super().__init__(session, handle)
        self.node = node
        self.address = address
        self._queue: deque[bytes] = deque()

    def put(self, message: bytes) -> None:
        """An answer."""
        self._queue.append(message)
        self.pump()

    def next(self) -> bytes | None:
        """The oldest answer."""
        return self._queue.popleft() if self._queue else None
