"""uvicorn's HTTP/1.1 with bounds: the size of a head, the time for a head and a body, the life of a connection.

uvicorn bounds none of them, and its parser copies a header field anew with every part that comes: 60 MB cost 3.3 s.
"""

from __future__ import annotations

import asyncio
import select
from typing import Any, Final

from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from handlers.platform.connections import Connection, Connections
from handlers.platform.envelope import problem_body
from handlers.platform.errors import Problem, unavailable

_IDLE: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
_OVER: Final = 3
# Closed at once, with something unread, a connection is reset and the response may never be seen (RFC 9112, 9.6).
_LINGER_SECONDS: Final = 2.0
_LAST_CALL_SECONDS: Final = 0.5
# What is there so soon after a connection is read again was there before.
_AT_ONCE_SECONDS: Final = 0.1
# What framing may add to a body in chunks: nobody needs chunks of less than six bytes.
_FRAMING: Final = 1

_MALFORMED: Final = Problem("INVALID_REQUEST", "Malformed HTTP request")
_HEAD_TOO_LARGE: Final = Problem("INVALID_REQUEST", "Request header fields too large")
_TIMED_OUT: Final = Problem("INVALID_REQUEST", "Request timed out")
_OVERLOADED: Final = unavailable("Too much load, try again", retry_after=1)
_FULL: Final = unavailable("Too many connections", retry_after=5)


class HttpProtocol(HttpToolsProtocol, Connection):
    """One connection within the bounds of `connections`."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = connections
        self._bounds = connections.bounds
        self._load = connections.load
        self._reading = _HEAD
        self._since = 0.0
        self._expires = 0.0
        self._heads = 0
        self._cycles = 0
        self._shed = False
        self._rests = False
        self._resumed = 0.0
        # Of the head under way: what came in pieces that held nothing else. Of the body: what it is, and as it came.
        self._head_bytes = 0
        self._arrived = 0
        self._body_bytes = 0
        self._body_wire = 0
        self._body_seen = 0
        self._moved = 0.0
        self._unsent = 0
        self._unsent_since = 0.0
        self._refusal: tuple[int, Problem] | None = None

    # --- what uvicorn calls -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Takes the connection in, or refuses it."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._rests = not self._all.trusts(self.client[0] if self.client else "")
        life = self._all.opened(self, self.client[0] if self.client else "", self.loop)
        if life is None:
            self._refuse(503, _FULL)
        else:
            self._expires = self._since + life

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._all.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, unless it makes the head larger than it may be."""
        if self._reading == _OVER:
            self._body_wire += len(data)
            if self._body_wire > self._bounds.unread_bytes:
                self.transport.abort()
            return
        if self._reading == _IDLE:
            self._reading = _HEAD
            self._since = self.loop.time()
        reading, heads = self._reading, self._heads
        self._arrived = self._head_bytes + len(data)
        super().data_received(data)
        if self._heads != heads:
            self._head_bytes = 0
        elif self._reading == _HEAD and reading == _HEAD:
            self._head_bytes = self._arrived
            if self._head_bytes > self._bounds.head_bytes and not self.transport.is_closing():
                self._refuse(431, _HEAD_TOO_LARGE)
        elif self._reading == _BODY:
            self._body_wire += len(data)
            self._check_body()

    def on_message_begin(self) -> None:
        """A head begins, perhaps behind another request in the same piece."""
        if self._reading == _IDLE:
            self._reading = _HEAD
            self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is whole: its request begins."""
        if self._arrived > self._bounds.head_bytes and self._head_size() > self._bounds.head_bytes:
            self._refusal = 431, _HEAD_TOO_LARGE
            raise ValueError("head too large")  # ends the parser, which then asks for `send_400_response`
        self._heads += 1
        self._reading = _BODY
        self._since = self._moved = self.loop.time()
        self._body_bytes = self._body_wire = self._body_seen = 0
        if (self._load.is_too_high or self._is_stale()) and not self._is_answering and not self._has_priority():
            self._turn_away()
            return
        self._shed = False
        super().on_headers_complete()
        self._cycles += 1
        if self._since > self._expires or self._all.draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._body_bytes += len(body)
        if not self._shed:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._reading != _OVER:
            self._reading = _IDLE
        if not self._shed:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._load.arrive()
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, _: str) -> None:
        """What came is no HTTP, or too much of it."""
        self._refuse(*(self._refusal or (400, _MALFORMED)))

    def shutdown(self) -> None:
        """The process ends. On a connection just made a request is on its way, most likely: it has a moment."""
        if self._heads == 0 and self.loop.time() - self._since < _LAST_CALL_SECONDS:
            self.loop.call_later(_LAST_CALL_SECONDS, self.shutdown)
        else:
            super().shutdown()

    # --- what the others ask ------------------------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Whether no request is under way."""
        return self._reading != _BODY and (self._reading == _OVER or not self._is_answering)

    def end(self) -> None:
        """Closes the connection."""
        self.transport.close()

    def check(self, now: float) -> str | None:
        """Ends the connection when its client takes too long; says why."""
        if self._is_stalled(now):
            self.transport.abort()
            return "stalled"
        if self.transport.is_closing():
            return None
        if self._reading == _OVER:
            if now - self._since > _LINGER_SECONDS:
                self.transport.abort()
        elif self.flow.read_paused:
            # We do not listen: nobody is late. Time stands still meanwhile.
            self._since = self._moved = now
        elif self._reading == _HEAD and self._is_answering:
            self._since = now
        elif self._reading == _HEAD and now - self._since > self._bounds.head_seconds:
            if self._head_bytes:
                self._refuse(408, _TIMED_OUT)
            else:
                self.transport.close()
            return "head_time"
        elif self._reading == _IDLE and self._shed and now - self._since > self.timeout_keep_alive:
            self.transport.close()
        elif self._reading == _BODY and self._is_late(now):
            self._refuse(408, _TIMED_OUT)
            return "body_time"
        return None

    # --- inside -------------------------------------------------------------------------------------------------------

    @property
    def _is_answering(self) -> bool:
        # Without a request there is no cycle yet.
        return self._cycles > 0 and not self.cycle.response_complete

    @property
    def _is_sending(self) -> bool:
        return self.cycle.response_started

    def _has_priority(self) -> bool:
        return self._load.is_priority(self.parser.get_method(), self.url)

    def _turn_away(self) -> None:
        """Answers 503 at once. The connection stays, for a new one costs more; a body that follows is passed over.

        That of a proxy of ours, which speaks for many, does not rest: what has priority comes that way too.
        """
        self._load.refuse()
        self._shed = True
        request_id, own = self._all.refusal_headers(self.headers)
        keep = self.parser.should_keep_alive() and self._since <= self._expires and not self._all.draining
        own += [] if keep else [(b"connection", b"close")]
        self.transport.write(self._response(503, _OVERLOADED, request_id, own))
        if not keep:
            self.transport.close()
        elif self._rests:
            self.flow.pause_reading()
            self._load.rest(self._resume, self.loop)

    def _resume(self) -> None:
        if self.transport.is_closing():
            return
        if _has_left(self.transport):
            # What it sent meanwhile is not done: nobody waits for it any more.
            self.transport.abort()
        else:
            self._resumed = self.loop.time()
            self.flow.resume_reading()

    def _is_stale(self) -> bool:
        """Whether the request came while the connection rested, and others are refused too."""
        return self._shed and self._since - self._resumed < _AT_ONCE_SECONDS and self._load.is_stressed

    def _head_size(self) -> int:
        """The bytes of a head that is whole: its line and its fields with `: ` and line ends."""
        return len(self.url) + 16 + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _check_body(self) -> None:
        framing = self._body_wire - self._body_bytes
        if framing > self._bounds.head_bytes + _FRAMING * self._body_bytes and not self.transport.is_closing():
            self._refuse(400, _MALFORMED)
        elif self._body_wire > self._bounds.unread_bytes and not self._is_answering:
            # Answered without its body, which goes on and on.
            self.transport.close()

    def _is_late(self, now: float) -> bool:
        if self._is_answering and self.cycle.waiting_for_100_continue:
            self._since = self._moved = now
        if self._body_bytes != self._body_seen:
            self._body_seen = self._body_bytes
            self._moved = now
        taken = now - self._since
        return now - self._moved > self._bounds.body_seconds or (
            taken > self._bounds.body_seconds and self._body_bytes < taken * self._bounds.body_rate
        )

    def _is_stalled(self, now: float) -> bool:
        """Whether the client has not taken anything of what waits for it for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        return now - self._unsent_since > self._bounds.body_seconds

    def _refuse(self, status: int, problem: Problem) -> None:
        """Answers in the place of the application, and closes."""
        if self._is_answering and self._reading != _BODY:
            # The request before it is answered first; nothing that follows can be understood any more.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        in_turn = not self.pipeline and (self._reading != _BODY or (self._is_answering and not self._is_sending))
        if in_turn:
            request_id, own = self._all.refusal_headers(self.headers or [])
            self.transport.write(self._response(status, problem, request_id, [*own, (b"connection", b"close")]))
        if self._is_answering:
            # Whoever reads the body learns that there is nobody any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if in_turn and self.transport.can_write_eof():
            self.transport.write_eof()
            self._reading, self._since, self._body_wire = _OVER, self.loop.time(), 0
        else:
            self.transport.close()

    def _response(self, status: int, problem: Problem, request_id: str, headers: list[tuple[bytes, bytes]]) -> bytes:
        body = problem_body(problem, request_id)
        fields = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *problem.headers,
            *headers,
        ]
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        return b"%b%b\r\n%b" % (STATUS_LINE[status], head, body)


def _has_left(transport: asyncio.Transport) -> bool:
    """Whether the other side has closed the connection, which nobody notices who does not read (poll(2), POLLRDHUP)."""
    poller = select.poll()
    poller.register(transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
    return bool(poller.poll(0))
