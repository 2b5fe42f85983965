"""Sessions (AMQP 1.0, part 2.5): their links, their windows, and what an attaching peer gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from infra.local.eventhubs import frames, nodes
from infra.local.eventhubs.codec import NULL, Described, Malformed
from infra.local.eventhubs.hubs import Hub, Partition
from infra.local.eventhubs.links import Answers, Incoming, Link, Outgoing, Publishing, Reading, Requests
from infra.local.eventhubs.messages import Sections

if TYPE_CHECKING:
    from infra.local.eventhubs.broker import Broker
    from infra.local.eventhubs.connection import Connection

_SELECTOR: Final = "apache.org:selector-filter:string"
_EPOCH: Final = "com.microsoft:epoch"
_METRICS: Final = "com.microsoft:enable-receiver-runtime-metric"


class _Refused(Exception):
    """The link is not to be. `args`: condition and text."""


class Session:
    """One session of a connection. Everything in it happens at once: no call waits."""

    def __init__(self, connection: Connection, frame: frames.Frame) -> None:
        self.broker: Broker = connection.broker
        self._connection = connection
        self._channel = frame.channel
        self._links: dict[int, Link] = {}
        self._next_incoming: int = frame.field(1) or 0
        self._next_outgoing = 0
        self._window: int = frame.field(2) or 0
        self._deliveries = 0
        self.send(frames.begin(frame.channel))

    # --- what comes -------------------------------------------------------------------------------------------------

    def on_frame(self, frame: frames.Frame) -> None:
        """A frame of this session. Raises `Malformed`."""
        match frame.code:
            case frames.ATTACH:
                self._attach(frame)
            case frames.TRANSFER:
                self._next_incoming += 1
                link = self._links.get(frame.field(0))
                if isinstance(link, Incoming):
                    link.on_transfer(frame)
            case frames.FLOW:
                self._flow(frame)
            case frames.DETACH:
                gone = self._links.pop(frame.field(0), None)
                if gone is not None:
                    gone.closed()
                    self.send(frames.detach(gone.handle))

    def _flow(self, frame: frames.Frame) -> None:
        seen = frame.field(0)
        self._window = (seen if seen is not None else 0) + frame.field(1) - self._next_outgoing
        if frame.field(4) is not None:
            link = self._links.get(frame.field(4))
            if link is not None:
                link.on_flow(frame)
            return
        for link in [*self._links.values()]:
            if isinstance(link, Outgoing):
                link.pump()

    def close(self) -> None:
        """The session is over."""
        for link in self._links.values():
            link.closed()
        self._links.clear()

    # --- attaching --------------------------------------------------------------------------------------------------

    def _attach(self, frame: frames.Frame) -> None:
        name, handle, peer_receives = frame.field(0), frame.field(1), bool(frame.field(2))
        source, target = _address(frame.field(5)), _address(frame.field(6))
        asked, answers_to = (source, target) if peer_receives else (target, source)
        try:
            link = self._outgoing(frame, asked, answers_to) if peer_receives else self._incoming(handle, asked)
        except _Refused as refused:
            condition, text = refused.args
            self.broker.refusals.append(text)
            self.send(frames.attach(name, handle, receives=not peer_receives, address=None, answers_to=""))
            self.send(frames.detach(handle, frames.error(condition, text)))
            return
        self._links[handle] = link
        self.send(frames.attach(name, handle, receives=not peer_receives, address=asked, answers_to=answers_to or "-"))
        if isinstance(link, Incoming):
            link.greet()

    def _incoming(self, handle: int, address: str) -> Link:
        path = _path(address)
        if path[-1:] in ([nodes.CBS], [nodes.MANAGEMENT]):
            return Requests(self, handle, path[-1])
        hub = self._hub(path)
        match path[1:]:
            case []:
                return Publishing(self, handle, hub, None)
            case [_, number] if path[1].lower() == "partitions":
                return Publishing(self, handle, hub, self._partition(hub, number))
        raise _Refused("amqp:not-found", f"nothing takes messages at '{address}'")

    def _outgoing(self, frame: frames.Frame, address: str, answers_to: str) -> Link:
        path = _path(address)
        if path[-1:] in ([nodes.CBS], [nodes.MANAGEMENT]):
            return Answers(self, frame.field(1), path[-1], answers_to)
        hub = self._hub(path)
        if len(path) != 5 or [part.lower() for part in path[1::2]] != ["consumergroups", "partitions"]:
            raise _Refused("amqp:not-found", f"nothing is to be read at '{address}'")
        if not hub.has_group(path[2]):
            raise _Refused("amqp:not-found", f"the consumer group '{path[2]}' could not be found")
        return self._reading(frame, self._partition(hub, path[4]), path[2])

    def _reading(self, frame: frames.Frame, partition: Partition, group: str) -> Link:
        properties = frame.field(13) or {}
        metrics = _METRICS in _listed(frame.field(12))
        epoch = properties.get(_EPOCH)
        reading = Reading(self, frame.field(1), partition, group=group.lower(), epoch=epoch, metrics=metrics)
        if not partition.join(group.lower(), reading):
            raise _Refused("amqp:link:stolen", "a receiver with a higher epoch is connected already")
        reading.position = partition.start(_selector(frame.field(5)))
        return reading

    def _hub(self, path: list[str]) -> Hub:
        name = path[0] if path else ""
        if not self._connection.gate.lets(name):
            raise _Refused("amqp:unauthorized-access", f"no token for '{name}'")
        found = self.broker.hubs.get(name.lower())
        if found is None:
            raise _Refused("amqp:not-found", f"the messaging entity '{name}' could not be found")
        return found

    @staticmethod
    def _partition(hub: Hub, number: str) -> Partition:
        found = hub.partition(number)
        if found is None:
            raise _Refused("com.microsoft:argument-out-of-range", f"there is no partition '{number}'")
        return found

    # --- what goes --------------------------------------------------------------------------------------------------

    def send(self, body: bytes) -> None:
        """A frame."""
        self._connection.send(self._channel, body)

    def flow(self, link: tuple[int, int, int] | None = None) -> None:
        """Tells the state of the session, and of a link."""
        self.send(frames.flow(self._next_incoming, self._next_outgoing, link))

    def open_for_transfers(self) -> bool:
        """Whether the peer takes more frames with messages."""
        return self._window > 0

    def transfer(self, handle: int, message: bytes) -> None:
        """A message. One may overstep the window by its frames, which every client takes."""
        for body in frames.transfers(handle, self._deliveries, message):
            self.send(body)
            self._next_outgoing += 1
            self._window -= 1
        self._deliveries += 1

    def detach(self, link: Link, problem: bytes = NULL) -> None:
        """Ends a link from this side."""
        if self._links.pop(link.handle, None) is not None:
            self.send(frames.detach(link.handle, problem))

    def answer(self, node: str, request: Sections) -> bytes:
        """What a node says to a request."""
        return nodes.answer(node, request, self._connection.gate, self.broker.hubs)

    def reply(self, node: str, address: Any, message: bytes) -> None:
        """Sends an answer on its way."""
        links = [link for link in self._links.values() if isinstance(link, Answers) and link.node == node]
        meant = [link for link in links if address is not None and link.address == address] or links
        if meant:
            meant[-1].put(message)

    def cut(self) -> None:
        """The connection breaks, as networks do."""
        self._connection.cut()


def _address(end: Any) -> str:
    """Of a source or target."""
    if not isinstance(end, Described) or not isinstance(end.value, list):
        raise Malformed("neither source nor target")
    return str(end.value[0]) if end.value and end.value[0] is not None else ""


def _path(address: str) -> list[str]:
    """Of `amqps://host/hub/…`, `/hub/…` or `hub/…`."""
    return [part for part in urlsplit(address).path.split("/") if part]


def _selector(source: Any) -> str | None:
    filters = source.value[7] if len(source.value) > 7 else None
    found = (filters or {}).get(_SELECTOR)
    value = found.value if isinstance(found, Described) else found
    return value if isinstance(value, str) else None


def _listed(value: Any) -> list[Any]:
    """Multiple values may come as one (1.4)."""
    return value if isinstance(value, list) else [value]
