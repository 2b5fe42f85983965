"""The gateway's other half: passes a request on to the service behind it and streams the answer back (RFC 9110, 7.6).

The service verifies tokens again (decision 61), so credentials pass unchanged. What concerns one connection is taken
off in both directions; what the edge says on every answer is taken off the service's, which has an edge of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

import aiohttp
from starlette.types import Receive, Scope, Send
from yarl import URL

from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, unavailable
from handlers.platform.request import SCOPE_KEY, RequestInfo
from handlers.platform.stopping import Stopping
from handlers.platform.upstreams import AVOID_SECONDS, MAX_UNDER_WAY, Place, Upstream

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 2.0
TOTAL_SECONDS: Final = 30.0
# Shorter than uvicorn's 5 s, so that we never write into a connection that the other side is just closing.
KEEP_ALIVE_SECONDS: Final = 4.0
WHOLE_BYTES: Final = 65_536

Header = tuple[bytes, bytes]

_HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
# Written anew: the client may not say where it comes from.
_NOT_FORWARDED: Final = _HOP_BY_HOP | {
    *(b"host", b"expect", b"x-request-id", b"forwarded"),
    *(b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip"),
}
_NOT_RETURNED: Final = _HOP_BY_HOP | {
    *(b"server", b"date", b"x-request-id", b"x-content-type-options", b"referrer-policy", b"strict-transport-security"),
    *(b"cross-origin-opener-policy", b"cross-origin-resource-policy"),
    *(b"access-control-allow-origin", b"access-control-allow-credentials", b"access-control-expose-headers"),
    *(b"ratelimit-limit", b"ratelimit-remaining", b"ratelimit-reset"),
}
_GATEWAY_ERRORS: Final = frozenset({502, 504})


class _Gone(Exception):
    """The client closed its connection; there is nobody to answer."""


class _TooLarge(Exception):
    """The body turned out to be larger than allowed."""


class Forwarder:
    """An ASGI application that forwards each request to one of some addresses. For one event loop; `close` it then.

    They are asked in turn. Where no connection comes about nothing was sent, so the next one is asked, once: with a
    single address, which is a Service of Kubernetes, another connection leads elsewhere too.

    Answers 503 with `Retry-After` when the other side is away or takes longer than `total_seconds` (server-sent events
    may take as long as they like), 413 when the body exceeds `max_body_bytes`, or less where the
    operation needs less.
    """

    def __init__(
        self,
        *base_urls: str,
        max_body_bytes: int,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        stopping: Stopping | None = None,
    ) -> None:
        self._bases = [Upstream(URL(url)) for url in base_urls]
        self._turn = 0
        self._places = asyncio.Semaphore(MAX_UNDER_WAY * len(base_urls))
        self._max_body_bytes = max_body_bytes
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._session: aiohttp.ClientSession | None = None
        self._streams: set[asyncio.Timeout] = set()
        self._stopping = stopping or Stopping()
        self._stopping.hear(self._end_streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forwards one request."""
        info: RequestInfo = scope[SCOPE_KEY]
        limit = self._max_body_bytes if info.max_body_bytes is None else info.max_body_bytes
        body = _Body(receive, scope["headers"], limit)
        exchange = asyncio.ensure_future(self._exchange(scope, info, body, send))
        watch = asyncio.ensure_future(body.client_gone())
        try:
            await asyncio.wait({exchange, watch}, return_when=asyncio.FIRST_COMPLETED)
            if exchange.done():
                exchange.result()
        finally:
            # Cancelling the exchange closes its connection: the service behind learns that nobody waits any more.
            for task in (exchange, watch):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def close(self) -> None:
        """Closes the connections; a later request opens them again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, scope: Scope, info: RequestInfo, body: _Body, send: Send) -> None:
        answer = _Answer(send)
        try:
            async with asyncio.timeout(self._total_seconds) as limit:
                try:
                    async with Place(self._places, info) as place:
                        await self._pass_somewhere(_Passing(scope, info, body, answer, limit, place))
                finally:
                    self._streams.discard(limit)
        except _Gone:
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if body.gone:
                return
            if answer.begun:
                if answer.endless and self._stopping.begun:
                    await answer.end(b"")
                    return
                # Too late for an envelope: the server cuts the connection, and the client sees an unfinished answer.
                raise
            await send_problem(send, self._problem(error, body, info), info.request_id)
        except Problem as problem:
            await send_problem(send, problem, info.request_id)

    def _end_streams(self) -> None:
        """This process is to end: streams do not end by themselves."""
        for limit in self._streams:
            limit.reschedule(asyncio.get_running_loop().time())

    def _problem(self, error: BaseException, body: _Body, info: RequestInfo) -> Problem:
        if body.too_large:
            return too_large(body.limit)
        log.warning("forwarding failed", extra={"request_id": info.request_id, "reason": type(error).__name__})
        return unavailable()

    async def _pass_somewhere(self, passing: _Passing) -> None:
        body = passing.body
        if body.declared > body.limit:
            raise too_large(body.limit)
        first = self._next_base()
        try:
            await self._pass(first, passing)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            first.avoided_at = time.monotonic()
            if body.started:
                raise
            await self._pass(self._next_base(), passing)

    def _next_base(self) -> Upstream:
        """The next address in turn that neither refused a connection lately nor is about to end; else the next."""
        lately = time.monotonic() - AVOID_SECONDS
        count = len(self._bases)
        self._turn = (self._turn + 1) % count
        in_turn = [self._bases[(self._turn + number) % count] for number in range(count)]
        return next((base for base in in_turn if base.avoided_at < lately), in_turn[0])

    async def _pass(self, base: Upstream, passing: _Passing) -> None:
        scope, info, body, answer = passing.scope, passing.info, passing.body, passing.answer
        async with self._connected().request(
            scope["method"],
            base.target(scope),
            headers=_request_headers(scope, info),
            data=body if body.present else None,
            allow_redirects=False,
        ) as response:
            if response.headers.get("connection") == "close":
                # It drains, most likely: others are asked first, lest a request comes when it closes its listener.
                base.avoided_at = time.monotonic()
            if response.status in _GATEWAY_ERRORS:
                raise unavailable()
            if response.content_type == "text/event-stream":
                passing.limit.reschedule(None)
                passing.place.leave()
                answer.endless = True
                self._streams.add(passing.limit)
            await answer.begin(response.status, _answer_headers(response.raw_headers))
            if (response.content_length or WHOLE_BYTES + 1) <= WHOLE_BYTES:
                await answer.end(await response.read())
                return
            async for chunk in response.content.iter_any():
                await answer.more(chunk)
            await answer.end(b"")

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                trust_env=False,
            )
        return self._session


@dataclass(frozen=True, slots=True)
class _Passing:
    """One request on its way through."""

    scope: Scope
    info: RequestInfo
    body: _Body
    answer: _Answer
    limit: asyncio.Timeout
    place: Place


class _Body:
    """The request's body on its way in. `declared`: its Content-Length, 0 when it says none."""

    def __init__(self, receive: Receive, headers: Iterable[Header], limit: int) -> None:
        self._receive = receive
        self.limit = limit
        self._read = asyncio.Event()
        self.started = False
        self.declared = 0
        self.present = False
        self.gone = False
        self.too_large = False
        for key, value in headers:
            if key == b"content-length" and value.isdigit():
                self.declared = int(value) if len(value) < 19 else limit + 1
                self.present = self.declared > 0
            elif key == b"transfer-encoding":
                self.present = True
        if not self.present:
            self._read.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `_Gone` when the client leaves, `_TooLarge` beyond the limit."""
        if self.started:
            # aiohttp repeats a PUT on a fresh connection when an idle one was closed; what was read is gone.
            raise ConnectionError("the body cannot be sent twice")
        self.started = True
        size = 0
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                raise _Gone
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            size += len(chunk)
            if size > self.limit:
                self.too_large = True
                raise _TooLarge
            if chunk:
                yield chunk
        self._read.set()

    async def client_gone(self) -> None:
        """Returns when the client has closed its connection. Listens after the body: only one may listen at a time."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True


class _Answer:
    """The answer on its way back."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.endless = False

    async def begin(self, status: int, headers: list[Header]) -> None:
        self.begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def more(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk})


def too_large(limit: int) -> Problem:
    """413, with the limit in bytes."""
    return Problem("PAYLOAD_TOO_LARGE", "Request body too large", details={"limit_bytes": limit})


def _request_headers(scope: Scope, info: RequestInfo) -> list[tuple[str, str]]:
    headers = [
        (key.decode("latin-1"), value.decode("latin-1")) for key, value in _kept(scope["headers"], _NOT_FORWARDED)
    ]
    return [
        *headers,
        ("x-request-id", info.request_id),
        ("x-forwarded-for", info.address),
        ("x-forwarded-proto", scope["scheme"]),
    ]


def _answer_headers(headers: Iterable[Header]) -> list[Header]:
    lower = [(key.lower(), value) for key, value in headers]
    # Our own edge says `Vary: Origin`.
    return [h for h in _kept(lower, _NOT_RETURNED) if h != (b"vary", b"Origin")]


def _kept(headers: Iterable[Header], dropped: frozenset[bytes]) -> list[Header]:
    """The headers without those of one connection, which `Connection` may name too (RFC 9110, 7.6.1)."""
    headers = list(headers)
    named = {name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",")}
    return [(key, value) for key, value in headers if key not in dropped and key not in named]
