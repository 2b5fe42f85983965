"""The gateway's forwarding: two real servers on loopback, the second behind the first."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Receive, Scope, Send

from handlers.platform.edge import Edge
from handlers.platform.forward import Forwarder
from handlers.platform.logs import LineWriter
from handlers.platform.telemetry import Telemetry
from handlers.settings import Settings
from tests.support.server import served
from tests.support.wait import eventually

LIMIT = 100_000


@dataclass
class Service:
    """The service behind the gateway. Keeps what it was sent; answers by path."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    cancelled: int = 0
    left: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/slow":
            await self._await_leaving(receive)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.requests.append({"scope": scope, "headers": scope["headers"], "body": body})
        await getattr(self, "_" + path.strip("/").replace("/", "_").replace("-", "_"), self._echo)(receive, send)

    async def _await_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left += 1

    async def _echo(self, _: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"application/json"),
            (b"set-cookie", b"hph_access=a; HttpOnly"),
            (b"set-cookie", b"hph_refresh=b; HttpOnly"),
            (b"etag", b'"7"'),
            (b"connection", b"x-internal"),
            (b"x-internal", b"1"),
            (b"keep-alive", b"timeout=5"),
            (b"proxy-authenticate", b"Basic"),
            (b"access-control-allow-origin", b"https://behind.example.com"),
            (b"x-request-id", b"another-id"),
            (b"ratelimit-limit", b"1"),
            (b"vary", b"Origin"),
        ]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"ok":true}'})

    async def _large(self, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _number in range(50):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
        await send({"type": "http.response.body"})

    async def _empty(self, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def _zipped(self, _: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"gzip"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"\x1f\x8b\x08\x00"})

    async def _bad_gateway(self, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    async def _redirect(self, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"/elsewhere")]})
        await send({"type": "http.response.body"})

    async def _events(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        leaving = asyncio.create_task(self._await_leaving(receive))
        waiting = asyncio.create_task(self.hold.wait())
        await asyncio.wait({leaving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (leaving, waiting):
            task.cancel()
        await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": True})
        await send({"type": "http.response.body"})

    async def _half(self, _: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"200000")]})
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})


@dataclass
class Gateway:
    """A gateway in front of a service."""

    url: str
    service: Service
    client: httpx.AsyncClient


@asynccontextmanager
async def forwarding(base_url: str, **more: Any) -> AsyncIterator[tuple[str, httpx.AsyncClient]]:
    """A gateway before some address, and a client of it."""
    forwarder = Forwarder(base_url, max_body_bytes=LIMIT, **more)
    edge = Edge(forwarder, Settings(env="test"), Telemetry(), LineWriter(capacity=0))
    async with served(edge) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield url, client
    await forwarder.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway and the service behind it."""
    service = Service()
    async with served(service) as behind, forwarding(behind) as (url, client):
        yield Gateway(url, service, client)
        service.hold.set()


def values(headers: Any, name: bytes) -> list[bytes]:
    """All values of a header."""
    return [value for key, value in headers if key == name]


async def test_a_request_passes_unchanged(gateway: Gateway) -> None:
    answer = await gateway.client.post(
        "/api/a%2Fb/%C3%A4?q=a%20b&q=%2B&empty",
        content=b'{"name": "Ann"}',
        headers={"Authorization": "Bearer abc", "Cookie": "a=1; b=2", "X-Request-Id": "client-id-1", "If-Match": '"7"'},
    )
    assert answer.status_code == 201
    assert answer.json() == {"ok": True}
    (request,) = gateway.service.requests
    assert request["body"] == b'{"name": "Ann"}'
    scope, headers = request["scope"], request["headers"]
    assert scope["method"] == "POST"
    assert scope["raw_path"] == b"/api/a%2Fb/%C3%A4"
    assert scope["query_string"] == b"q=a%20b&q=%2B&empty"
    assert values(headers, b"authorization") == [b"Bearer abc"]
    assert values(headers, b"cookie") == [b"a=1; b=2"]
    assert values(headers, b"if-match") == [b'"7"']
    assert values(headers, b"x-request-id") == [b"client-id-1"]
    assert values(headers, b"content-length") == [b"15"]
    assert answer.headers["x-request-id"] == "client-id-1"


async def test_an_answer_passes_with_every_cookie_and_without_the_services_edge(gateway: Gateway) -> None:
    answer = await gateway.client.get("/api/cart", headers={"Origin": "http://localhost:3000"})
    assert answer.headers.get_list("set-cookie") == ["hph_access=a; HttpOnly", "hph_refresh=b; HttpOnly"]
    assert answer.headers["etag"] == '"7"'
    assert answer.headers.get_list("access-control-allow-origin") == ["http://localhost:3000"]
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert answer.headers.get_list("vary") == ["Origin"]
    for name in ("x-internal", "keep-alive", "proxy-authenticate", "ratelimit-limit", "server"):
        assert name not in answer.headers


async def test_what_concerns_one_connection_stays_there(gateway: Gateway) -> None:
    await gateway.client.get(
        "/api/cart",
        headers={"Connection": "x-mine, close", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "Basic abc"},
    )
    headers = gateway.service.requests[0]["headers"]
    for name in (b"x-mine", b"te", b"proxy-authorization"):
        assert values(headers, name) == []


async def test_the_client_cannot_say_where_it_comes_from(gateway: Gateway) -> None:
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
    }
    await gateway.client.get("/api/cart", headers=lies)
    headers = gateway.service.requests[0]["headers"]
    assert values(headers, b"x-forwarded-for") == [b"127.0.0.1"]
    assert values(headers, b"x-forwarded-proto") == [b"http"]
    assert values(headers, b"forwarded") == values(headers, b"x-real-ip") == []


async def test_no_headers_are_made_up(gateway: Gateway) -> None:
    reader, writer = await connect(gateway.url)
    writer.write(b"GET /api/cart HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n")
    await reader.read()
    names = {key for key, _ in gateway.service.requests[0]["headers"]}
    assert names == {b"host", b"x-request-id", b"x-forwarded-for", b"x-forwarded-proto"}
    writer.close()


async def test_bodies_stream_both_ways(gateway: Gateway) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"y" * 10_000

    answer = await gateway.client.put("/large", content=chunks())
    assert answer.content == b"x" * 500_000
    assert gateway.service.requests[0]["body"] == b"y" * 90_000


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS"])
async def test_methods(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.request(method, "/api/cart")
    assert answer.status_code == 201
    assert gateway.service.requests[0]["scope"]["method"] == method
    assert (answer.content == b"") is (method == "HEAD")


async def test_empty_encoded_and_redirecting_answers_stay_as_they_are(gateway: Gateway) -> None:
    assert (await gateway.client.get("/empty")).status_code == 204
    async with gateway.client.stream("GET", "/zipped") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert [chunk async for chunk in answer.aiter_raw()] == [b"\x1f\x8b\x08\x00"]
    redirect = await gateway.client.get("/redirect")
    assert (redirect.status_code, redirect.headers["location"]) == (302, "/elsewhere")


async def test_a_body_beyond_the_limit_is_413(gateway: Gateway) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"y" * 10_000

    declared = await gateway.client.post("/api/cart", content=b"y" * (LIMIT + 1))
    assert (declared.status_code, declared.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    streamed = await gateway.client.post("/api/cart", content=chunks())
    assert (streamed.status_code, streamed.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert gateway.service.requests == []


async def test_a_service_that_is_away_is_503() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with forwarding(f"http://127.0.0.1:{unused.getsockname()[1]}") as (_, client):
            answer = await client.get("/api/cart", headers={"X-Request-Id": "client-id-1"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert answer.json()["error"]["request_id"] == "client-id-1"


async def test_a_service_that_takes_too_long_is_503() -> None:
    service = Service()
    async with served(service) as behind, forwarding(behind, total_seconds=0.2) as (_, client):
        answer = await client.get("/slow")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        await eventually(lambda: service.left == 1)


async def test_another_gateways_504_is_503(gateway: Gateway) -> None:
    answer = await gateway.client.get("/bad-gateway")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_events_may_take_as_long_as_they_like() -> None:
    service = Service()
    async with (
        served(service) as behind,
        forwarding(behind, total_seconds=0.2) as (_, client),
        client.stream("GET", "/events") as answer,
    ):
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"data: 1\n\n"
        # Well beyond the total: an ordinary answer would have been cut.
        await asyncio.sleep(0.4)
        service.hold.set()
        assert b"".join([piece async for piece in pieces]) == b"data: 2\n\n"


async def test_a_client_that_leaves_ends_the_stream_behind(gateway: Gateway) -> None:
    async with gateway.client.stream("GET", "/events") as answer:
        assert await anext(answer.aiter_raw()) == b"data: 1\n\n"
    await eventually(lambda: gateway.service.left == 1)


async def test_a_client_that_leaves_before_the_answer_ends_the_call_behind(gateway: Gateway) -> None:
    _, writer = await connect(gateway.url)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await eventually(lambda: gateway.service.left == 1)


async def test_a_client_that_leaves_while_sending_ends_the_call_behind(gateway: Gateway) -> None:
    _, writer = await connect(gateway.url)
    writer.write(b"POST /api/cart HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await eventually(lambda: gateway.service.left == 1)
    assert gateway.service.requests == []


async def test_an_answer_that_breaks_off_breaks_off_here_too(gateway: Gateway) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.client.get("/half")


@pytest.mark.parametrize(
    "target", ["@evil.example.com/", "http://evil.example.com/api/cart", "//evil.example.com/api/cart"]
)
async def test_no_target_leads_anywhere_else(gateway: Gateway, target: str) -> None:
    reader, writer = await connect(gateway.url)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    status = int(answer.split()[1])
    # Refused, or answered by the service behind, and by nobody else.
    assert status in (400, 404) or len(gateway.service.requests) == 1


async def test_many_at_once(gateway: Gateway) -> None:
    answers = await asyncio.gather(*(gateway.client.post(f"/api/{n}", content=b"%d" % n) for n in range(100)))
    assert {answer.status_code for answer in answers} == {201}
    sent = {(request["scope"]["path"], request["body"]) for request in gateway.service.requests}
    assert sent == {(f"/api/{n}", b"%d" % n) for n in range(100)}


async def test_a_base_with_a_path() -> None:
    service = Service()
    async with served(service) as behind, forwarding(behind + "/inner/") as (_, client):
        await client.get("/api/cart?a=1")
    assert service.requests[0]["scope"]["path"] == "/inner/api/cart"


async def test_closing_twice_and_going_on() -> None:
    service = Service()
    async with served(service) as behind:
        forwarder = Forwarder(behind, max_body_bytes=LIMIT)
        edge = Edge(forwarder, Settings(env="test"), Telemetry(), LineWriter(capacity=0))
        async with served(edge) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            assert (await client.get("/api/cart")).status_code == 201
            await forwarder.close()
            await forwarder.close()
            assert orjson.loads((await client.get("/api/cart")).content) == {"ok": True}
        await forwarder.close()


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection, for what no client library would send."""
    return await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))


@asynccontextmanager
async def forgetful() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A service that answers once on a connection, keeps it open, and closes it when something more comes."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        heard.append(await reader.read(65_536))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
    server.close()


async def test_a_lost_idle_connection_is_tried_again_where_that_is_safe() -> None:
    async with forgetful() as (behind, _), forwarding(behind) as (_, client):
        assert (await client.get("/api/cart")).text == "ok"
        assert (await client.get("/api/cart")).text == "ok"


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_body_is_never_sent_twice(method: str) -> None:
    async with forgetful() as (behind, heard), forwarding(behind) as (_, client):
        assert (await client.get("/api/cart")).text == "ok"
        answer = await client.request(method, "/api/cart", content=b"the body")
        assert answer.status_code == 503
        await eventually(lambda: len(heard) >= 2)
        assert sum(b"the body" in message for message in heard) <= 1


def refusing() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_is_tried_once_elsewhere(method: str) -> None:
    service = Service()
    async with served(service) as behind:
        forwarder = Forwarder(refusing(), behind, max_body_bytes=LIMIT)
        edge = Edge(forwarder, Settings(env="test"), Telemetry(), LineWriter(capacity=0))
        async with served(edge) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            content = b'{"name": "Ann"}' if method == "POST" else None
            answers = [await client.request(method, "/api/cart", content=content) for _ in range(6)]
            assert {answer.status_code for answer in answers} == {201}
            assert [request["body"] for request in service.requests] == [content or b""] * 6
        await forwarder.close()


async def test_where_all_refuse_it_is_503() -> None:
    forwarder = Forwarder(refusing(), refusing(), max_body_bytes=LIMIT)
    edge = Edge(forwarder, Settings(env="test"), Telemetry(), LineWriter(capacity=0))
    async with served(edge) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post("/api/cart", content=b"{}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    await forwarder.close()


async def test_where_no_place_is_free_soon_it_is_503_and_priority_comes_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlers.platform.forward.MAX_UNDER_WAY", 1)
    service = Service()

    async def marking(scope: Scope, receive: Receive, send: Send) -> None:
        scope["hph"].priority = scope["path"] == "/api/orders"
        await forwarder(scope, receive, send)

    async with served(service) as behind:
        forwarder = Forwarder(behind, max_body_bytes=LIMIT)
        edge = Edge(marking, Settings(env="test"), Telemetry(), LineWriter(capacity=0))
        async with served(edge) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            await forwarder._places.acquire()
            refused = await client.get("/api/cart")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert (await client.get("/api/orders")).status_code == 201
            forwarder._places.release()
            assert (await client.get("/api/cart")).status_code == 201
        await forwarder.close()
