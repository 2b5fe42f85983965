"""The load generator: keep-alive connections over raw sockets and epoll, one thread, a few microseconds a request.

It must never be what is measured, so it does as little as can be: requests are bytes made beforehand, of an answer only
status and length are read. `Sample.driver_busy` says how much of its core it took. Linux only, as is the whole bench.
"""

from __future__ import annotations

import select
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

Address = tuple[str, int]

MOST_REQUESTS: Final = 1_000_000
_CHUNK: Final = 256 * 1024
_SILENCE_SECONDS: Final = 30.0


class LoadFailed(Exception):
    """The server closed a connection, was silent for too long, or answered what it should not."""


@dataclass(slots=True)
class Sample:
    """What one run of the generator saw. `latencies` in seconds, ascending."""

    seconds: float
    latencies: array[float]
    statuses: Counter[int]
    body_bytes: int
    driver_busy: float
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of the requests stayed within, in milliseconds (nearest rank)."""
        at = min(len(self.latencies) - 1, int(share * len(self.latencies)))
        return self.latencies[at] * 1000


class _Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("_head", "_missing", "_socket", "asked", "body_bytes", "heard", "status", "stream")

    def __init__(self, address: Address, stream: Iterator[bytes]) -> None:
        self._socket = socket.create_connection(address, timeout=_SILENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = b""
        self._missing = -1
        self.stream = stream
        self.asked = 0.0
        self.heard = 0
        self.status = 0
        self.body_bytes = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def ask(self, due: float) -> None:
        """Sends the next request of the stream; its latency counts from `due`."""
        self.asked = due
        self._missing = -1
        self._socket.sendall(next(self.stream))

    def hear(self) -> bool:
        """Takes what has come. True when the answer is whole: its status is in `status`."""
        try:
            data = self._socket.recv(_CHUNK)
        except ConnectionError as error:
            raise LoadFailed("the server cut a connection") from error
        if not data:
            raise LoadFailed("the server closed a connection")
        if self._missing < 0:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return False
            self._head = b""
            self.status = int(data[9:12])
            length = _content_length(data[:end])
            self.body_bytes += length
            self._missing = length - (len(data) - end - 4)
        else:
            self._missing -= len(data)
        return self._missing == 0

    def close(self) -> None:
        self._socket.close()


def _content_length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return 0 if at < 0 else int(head[at + 15 :].split(b"\r", 1)[0])


class _Run:
    """Connections to one server, and what they have seen together."""

    def __init__(self, address: Address, streams: Iterable[Iterable[bytes]], together: int = 1) -> None:
        self._together = together
        self.connections = {c.fileno(): c for c in (_Connection(address, cycle(list(s))) for s in streams)}
        self.poller = select.epoll()
        for descriptor in self.connections:
            self.poller.register(descriptor, select.EPOLLIN)
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self._started = time.perf_counter()
        self._cpu = time.thread_time()

    def wait(self, timeout: float) -> list[_Connection]:
        """The connections whose answer has just become whole."""
        whole = []
        for descriptor, _ in self.poller.poll(timeout):
            connection = self.connections[descriptor]
            if connection.hear():
                connection.heard += 1
                if not self.midway(connection):
                    self.latencies.append(time.perf_counter() - connection.asked)
                self.statuses[connection.status] += 1
                whole.append(connection)
        return whole

    def midway(self, connection: _Connection) -> bool:
        """Whether the answer it has is not the last of those that count as one."""
        return connection.heard % self._together != 0

    def sample(self) -> Sample:
        """Ends the run."""
        seconds = time.perf_counter() - self._started
        busy = (time.thread_time() - self._cpu) / seconds
        self.poller.close()
        body_bytes = 0
        for connection in self.connections.values():
            body_bytes += connection.body_bytes
            connection.close()
        return Sample(seconds, array("d", sorted(self.latencies)), self.statuses, body_bytes, busy)


def saturate(
    address: Address,
    streams: Iterable[Iterable[bytes]],
    *,
    seconds: float,
    most: int = MOST_REQUESTS,
    together: int = 1,
) -> Sample:
    """Closed loop: one connection for each stream of requests, each asks again as soon as it has its answer.

    Ends after `seconds`, or after `most` requests; what is under way then is waited for and counted. `together`: so
    many requests of a stream are one thing, which begins with the first and is counted with the answer to the last.
    """
    run = _Run(address, streams, together)
    end = time.perf_counter() + seconds
    under_way = sent = 0
    for connection in list(run.connections.values())[:most]:
        connection.ask(time.perf_counter())
        under_way, sent = under_way + 1, sent + 1
    while under_way:
        whole = run.wait(_SILENCE_SECONDS)
        if not whole and time.perf_counter() > end + _SILENCE_SECONDS:
            raise LoadFailed(f"no answer within {_SILENCE_SECONDS:g} s")
        for connection in whole:
            now = time.perf_counter()
            if run.midway(connection):
                connection.ask(connection.asked)
            elif now < end and sent < most:
                connection.ask(now)
                sent += 1
            else:
                under_way -= 1
    return run.sample()


@dataclass(frozen=True, slots=True)
class Track:
    """Requests that come at a steady rate, one after the other from the stream and then again."""

    stream: Sequence[bytes]
    rate: float


def pace(
    address: Address,
    tracks: Mapping[str, Track],
    *,
    seconds: float,
    connections: int = 48,
    patience: float | None = None,
) -> dict[str, Sample]:
    """Open loop: the requests of all tracks are sent when they are due, whatever the answers do.

    Latency counts from the moment a request was due, so that a server that stands still is seen by all who would have
    come meanwhile (no coordinated omission). `patience`: after so many seconds nobody waits any more: what finds
    no connection free is lost, and the note `in_time` counts the successes within it.
    """
    schedule = sorted(
        ((number / track.rate, name, track.stream[number % len(track.stream)]))
        for name, track in tracks.items()
        for number in range(max(1, round(track.rate * seconds)))
    )
    run = _Run(address, [()] * connections)
    idle = deque(run.connections.values())
    under_way: dict[int, tuple[str, float]] = {}
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in tracks}
    started = time.perf_counter()
    at = 0
    while at < len(schedule) or under_way:
        now = time.perf_counter()
        while at < len(schedule) and (idle or patience is not None) and started + schedule[at][0] <= now:
            due, name, raw = schedule[at]
            if not idle:
                at += 1
                continue
            connection = idle.popleft()
            connection.stream = iter((raw,))
            connection.ask(started + due)
            under_way[connection.fileno()] = name, started + due
            at += 1
        soon = at < len(schedule) and idle
        longest = _SILENCE_SECONDS if patience is None else patience
        for connection in run.wait(max(0.0, started + schedule[at][0] - now) if soon else longest):
            name, due = under_way.pop(connection.fileno())
            seen[name].append((time.perf_counter() - due, connection.status))
            idle.append(connection)
        if patience is not None and now > started + seconds + patience:
            break
        if time.perf_counter() > started + seconds + _SILENCE_SECONDS:
            raise LoadFailed(f"{len(under_way)} requests without an answer")
    whole = run.sample()
    return {
        name: Sample(
            whole.seconds,
            array("d", sorted(t for t, _ in found)),
            Counter(s for _, s in found),
            0,
            whole.driver_busy,
            {"in_time": sum(s < 400 and (patience is None or t <= patience) for t, s in found)},
        )
        for name, found in seen.items()
    }


def request(
    method: str, path: str, *, token: str | None = None, body: bytes | None = None, key: str | None = None
) -> bytes:
    """One HTTP/1.1 request as bytes, with the headers a client library sends."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json", "user-agent: bench"]
    if token is not None:
        lines.append(f"authorization: Bearer {token}")
    if key is not None:
        lines.append(f"idempotency-key: {key}")
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")
