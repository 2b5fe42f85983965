"""The whole application on a real server, sent what no client library would send: always a 4xx in the envelope."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from tests.support.app import RunningApp
from tests.support.server import served
from tests.support.wait import eventually
from tests.support.wire import exchange, leave, request

JSON = b"Content-Type: application/json"
LOGIN = b'{"email":"nobody@example.com","password":"Mountain-Rail#42"}'


@pytest.fixture
async def base(running: RunningApp) -> AsyncIterator[str]:
    """The address of the application."""
    async with served(running.app) as address:
        yield address


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether nothing worse than a warning was logged."""
    return all(record.levelno < logging.ERROR for record in caplog.records)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/api/products/%ff", 400),
        (b"/api/products/%00", 400),
        (b"/%c3%28", 400),
        (b"/api/products/a%2Fb", 400),
        (b"/api/products/%2e%2e", 400),
        (b"/api/products/..%2f..%2fetc%2fpasswd", 400),
        (b"/api/products/%0d%0aSet-Cookie:%20x=1", 400),
        (b"/api/products/" + b"x" * 30_000, 400),
        (b"/api/products/%F0%9F%98%80", 400),
        (b"/../../etc/passwd", 404),
        (b"/%2e%2e/%2e%2e/etc/passwd", 404),
        (b"/docs/assets/../../../etc/passwd", 404),
        (b"/docs/assets/%2e%2e%2findex.html", 404),
        (b"//", 404),
        (b"//healthz", 404),
        (b"/healthz/", 404),
        (b"/HEALTHZ", 404),
        (b"/healthz%20", 404),
        (b"/api%2Fcart", 404),
        (b"/" + b"a/" * 15_000, 404),
        (b"/healthz?x=1", 400),
        (b"/healthz?x=%ff&%00", 400),
        (b"/healthz?" + b"a=1&" * 7_500, 400),
        (b"*", 404),
        (b"http://elsewhere.example.com/nothing", 404),
    ],
)
async def test_odd_targets_are_refused_in_the_envelope(
    base: str, target: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    (answer,) = await exchange(base, request("GET", target))
    assert answer.status == status
    assert answer.error["code"] in ("INVALID_REQUEST", "RESOURCE_NOT_FOUND")
    assert answer.header("set-cookie") is None
    assert len(answer.body) < 20_000
    assert quiet(caplog)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_refused_by_the_server_itself(
    base: str, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (answer, *more) = await exchange(base, raw)
    assert (answer.status, more) == (400, [])
    assert quiet(caplog)


async def test_every_cookie_is_survived(base: str, caplog: pytest.LogCaptureFixture) -> None:
    odd = [b"", b"=", b";;;", b"hph_access", b"hph_access=", b'hph_access="', b"hph_access=\xff\xfe.\xff.\xff"]
    odd += [
        b"hph_access=" + b"x" * 30_000,
        b"a=1; " * 2000,
        b'{"a":[1,2]}; $Version=1',
        b"hph_refresh=\xe9; hph_csrf=%00",
    ]
    for cookie in odd:
        (answer,) = await exchange(base, request("GET", "/api/cart", b"Cookie: " + cookie))
        assert answer.status in (200, 501)
        (answer,) = await exchange(base, request("GET", "/api/users/me", b"Cookie: " + cookie))
        assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")
    assert quiet(caplog)


async def test_headers_given_twice(base: str, running: RunningApp) -> None:
    bad = [b"Authorization: Bearer x", b"Authorization: Bearer y"]
    (answer,) = await exchange(base, request("GET", "/api/users/me", *bad))
    assert answer.status == 401
    types = [b"Content-Type: text/plain", JSON, b"Content-Length: 2"]
    (answer,) = await exchange(base, request("POST", "/api/auth/login", *types, body=b"{}"))
    assert answer.status == 415
    ids = [b"X-Request-Id: first-request-id", b"X-Request-Id: other-request-id"]
    (answer,) = await exchange(base, request("GET", "/nothing", *ids))
    assert answer.error["request_id"] in ("first-request-id", "other-request-id")


async def test_pipelined_requests_are_answered_in_their_order(base: str) -> None:
    first = request("GET", "/healthz", b"X-Request-Id: request-one", close=False)
    second = request("GET", "/nothing/%ff", b"X-Request-Id: request-two", close=False)
    size = b"Content-Length: %d" % len(LOGIN)
    third = request("POST", "/api/auth/login", JSON, size, b"X-Request-Id: request-three", body=LOGIN, close=False)
    last = request("DELETE", "/healthz", b"X-Request-Id: request-four")
    answers = await exchange(base, first + second + third + last)
    assert [answer.status for answer in answers] == [200, 400, 401, 405]
    ids = [answer.header("x-request-id") for answer in answers]
    assert ids == ["request-one", "request-two", "request-three", "request-four"]


async def test_head_and_no_content_have_no_body_on_the_wire(base: str) -> None:
    heads = b"".join(request("HEAD", path, close=False) for path in ("/healthz", "/nothing", "/docs", "/openapi.yaml"))
    answers = await exchange(base, heads + request("HEAD", "/metrics"), heads=5)
    assert [answer.status for answer in answers] == [200, 404, 200, 200, 200]
    assert all(int(answer.header("content-length") or 0) > 0 for answer in answers)
    (answer,) = await exchange(base, request("OPTIONS", "/healthz"))
    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize(
    "headers",
    [
        [b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: eA==", b"Sec-WebSocket-Version: 13"],
        [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"],
    ],
)
async def test_nothing_is_upgraded(base: str, headers: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    (answer, *_) = await exchange(base, request("GET", "/healthz", *headers))
    assert answer.status == 200
    assert quiet(caplog)


async def test_a_body_may_be_announced_first(base: str) -> None:
    headers = [JSON, b"Expect: 100-continue", b"Content-Length: %d" % len(LOGIN)]
    answers = await exchange(base, request("POST", "/api/auth/login", *headers, body=LOGIN))
    assert answers[-1].status == 401 or b"401" in answers[0].body


async def test_bodies_larger_than_said_or_allowed(base: str, caplog: pytest.LogCaptureFixture) -> None:
    (answer,) = await exchange(base, request("POST", "/api/auth/login", JSON, b"Content-Length: 99999999"))
    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    chunked = request(
        "POST", "/api/auth/login", JSON, b"Transfer-Encoding: chunked", body=chunk * 20 + b"0\r\n\r\n", close=False
    )
    refused, following = await exchange(base, chunked + request("GET", "/healthz"))
    assert (refused.status, refused.error["code"], following.status) == (413, "PAYLOAD_TOO_LARGE", 200)
    short = request("POST", "/api/auth/login", JSON, b"Content-Length: 2", body=b"{}" + LOGIN, close=False)
    answers = await exchange(base, short)
    assert answers[-1].status == 400
    assert quiet(caplog)


async def test_a_body_nobody_asked_for_is_passed_over(base: str) -> None:
    unasked = request("GET", "/healthz", b"Content-Length: 5", body=b"hello", close=False)
    answers = await exchange(base, unasked + request("GET", "/healthz"))
    assert [answer.status for answer in answers] == [200, 200]


async def test_a_client_that_leaves_amid_its_body_is_no_error(
    base: str, running: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    for head in (b"Content-Length: 1000", b"Transfer-Encoding: chunked"):
        await leave(base, request("POST", "/api/auth/login", JSON, head, body=b"5\r\n{    \r\n", close=False))

    def counted() -> bool:
        return b'operation="login",status="499"} 2.0' in running.services.telemetry.render()

    await eventually(counted)
    await leave(base, b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-")
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_slow_body_arrives_whole(base: str) -> None:
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = request("POST", "/api/auth/login", JSON, b"Content-Length: %d" % len(LOGIN))
    for part in (head[:30], head[30:], LOGIN[:10], LOGIN[10:]):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.01)
    answer = await reader.read(-1)
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "UNAUTHORIZED"


async def test_http_1_0_is_served(base: str) -> None:
    (answer,) = await exchange(base, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        ([], 400),
        ([b"shop", b"shop"], 400),
        ([b"shop", b"other.example.com"], 400),
        ([b""], 400),
        ([b"shop/path"], 400),
        ([b"a b"], 400),
        ([b"user@shop"], 400),
        ([b"shop:port"], 400),
        ([b"shop.example.com:8000"], 200),
        ([b"[::1]:8000"], 200),
        ([b"10.0.0.7"], 200),
    ],
)
async def test_there_is_exactly_one_valid_host(base: str, hosts: list[bytes], status: int) -> None:
    lines = [b"GET /healthz HTTP/1.1", *(b"Host: " + host for host in hosts), b"Connection: close", b"", b""]
    (answer, *_) = await exchange(base, b"\r\n".join(lines))
    assert answer.status == status
    if status == 400:
        assert answer.error["details"]["faults"][0]["path"] == "Host"
