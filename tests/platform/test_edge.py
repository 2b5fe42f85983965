"""The outermost layer, called as a server calls it and through a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from generated.errors import ErrorCode
from handlers.platform.edge import Edge
from handlers.platform.errors import Problem, not_found
from handlers.platform.logs import LineWriter
from handlers.platform.request import RequestInfo
from handlers.platform.telemetry import Telemetry
from handlers.settings import Settings
from tests.support.server import served

ORIGIN = "https://shop.example.com"
Headers = list[tuple[bytes, bytes]]


class Lines(LineWriter):
    """Keeps the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        """Keeps one line."""
        self.kept.append(orjson.loads(line))


@dataclass
class Outcome:
    """What a call of the edge led to."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    info: RequestInfo | None = None

    def header(self, name: bytes) -> bytes | None:
        """The only header of a name."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, (name, found)
        return found[0] if found else None

    @property
    def error(self) -> Any:
        """The error of an envelope."""
        return orjson.loads(self.body)["error"]


def settings(**more: Any) -> Settings:
    """Settings of these tests."""
    return Settings(**{"env": "production", "cors_origins": (ORIGIN,), **more})


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """An application with an answer."""
    info: RequestInfo = scope["hph"]
    info.operation_id, info.template = "getOrder", "/api/orders/{order_id}"
    info.principal_id, info.role = "user-1", "customer"
    info.request_units += 2.5
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hel", "more_body": True})
    await send({"type": "http.response.body", "body": b"lo"})


class Bench:
    """An edge around an application, with its lines and metrics at hand."""

    def __init__(self, app: ASGIApp = hello, **more: Any) -> None:
        self.lines = Lines()
        self.telemetry = Telemetry()
        self.edge = Edge(app, settings(**more), self.telemetry, self.lines, wall_clock=lambda: 0.0)

    async def call(
        self, headers: Headers | None = None, *, method: str = "GET", client: tuple[str, int] | None = ("192.0.2.1", 1)
    ) -> Outcome:
        """Calls the edge once."""
        outcome = Outcome()
        scope: Scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": "/api/orders/order-1",
            "query_string": b"email=ann@example.com",
            "headers": [(b"host", b"shop"), *(headers or [])],
            "client": client,
        }

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                outcome.status, outcome.headers = message["status"], message["headers"]
            else:
                outcome.body += message.get("body", b"")

        async def receive() -> Any:
            return {"type": "http.request"}

        await self.edge(scope, receive, send)
        outcome.info = scope["hph"]
        return outcome


async def test_answers_get_an_id_and_security_headers() -> None:
    outcome = await Bench().call()
    assert outcome.status == 200
    assert outcome.body == b"hello"
    assert outcome.header(b"x-content-type-options") == b"nosniff"
    assert outcome.header(b"referrer-policy") == b"no-referrer"
    assert outcome.header(b"content-security-policy") == b"default-src 'none'; frame-ancestors 'none'"
    assert outcome.header(b"strict-transport-security") == b"max-age=31536000; includeSubDomains"
    assert outcome.header(b"cross-origin-opener-policy") == b"same-origin"
    assert outcome.header(b"cross-origin-resource-policy") == b"same-origin"
    assert outcome.header(b"vary") == b"Origin"
    assert (outcome.header(b"x-request-id") or b"").startswith(b"req-")
    assert outcome.header(b"access-control-allow-origin") is None


async def test_no_hsts_on_a_developers_machine() -> None:
    assert (await Bench(env="local").call()).header(b"strict-transport-security") is None


async def test_a_page_brings_its_own_policy() -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-security-policy", b"default-src 'self'")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    assert (await Bench(page).call()).header(b"content-security-policy") == b"default-src 'self'"


@pytest.mark.parametrize("given", [b"client-id-1", b"a.b_c-d8", b"x" * 128])
async def test_a_sound_request_id_is_kept(given: bytes) -> None:
    bench = Bench()
    outcome = await bench.call([(b"x-request-id", given)])
    assert outcome.header(b"x-request-id") == given
    assert bench.lines.kept[0]["request_id"] == given.decode()


@pytest.mark.parametrize(
    "given",
    [b"", b"short", b"x" * 129, b"with space", b"line\nbreak", b"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", b"12345678\n"],
)
async def test_any_other_request_id_is_replaced(given: bytes) -> None:
    assert (await Bench().call([(b"x-request-id", given)])).header(b"x-request-id") != given


async def test_addresses_are_believed_of_trusted_proxies_only() -> None:
    forwarded = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-proto", b"https")]
    trusting = await Bench(trusted_proxies=("192.0.2.0/24",)).call(forwarded)
    assert trusting.info is not None
    assert trusting.info.address == "1.2.3.4"
    careful = await Bench().call(forwarded)
    assert careful.info is not None
    assert careful.info.address == "192.0.2.1"
    local = await Bench().call(client=None)
    assert local.info is not None
    assert local.info.address == ""


async def test_the_scheme_is_what_a_trusted_proxy_says() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["scheme"])
        await hello(scope, receive, send)

    for proxies, value in (((), b"https"), (("192.0.2.0/24",), b"https"), (("192.0.2.0/24",), b"gopher")):
        await Bench(app, trusted_proxies=proxies).call([(b"x-forwarded-proto", value)])
    assert seen == ["http", "https", "http"]


async def test_an_allowed_origin_may_read_the_answer() -> None:
    outcome = await Bench().call([(b"origin", ORIGIN.encode())])
    assert outcome.header(b"access-control-allow-origin") == ORIGIN.encode()
    assert outcome.header(b"access-control-allow-credentials") == b"true"
    exposed = (outcome.header(b"access-control-expose-headers") or b"").lower()
    for name in (b"etag", b"ratelimit-remaining", b"x-request-id", b"retry-after"):
        assert name in exposed


async def test_credentials_by_setting() -> None:
    outcome = await Bench(cors_allow_credentials=False).call([(b"origin", ORIGIN.encode())])
    assert outcome.header(b"access-control-allow-origin") == ORIGIN.encode()
    assert outcome.header(b"access-control-allow-credentials") is None


@pytest.mark.parametrize(
    "origin",
    [b"https://evil.example.com", b"null", b"https://shop.example.com.evil.com", b"HTTPS://SHOP.EXAMPLE.COM", b"*"],
)
async def test_a_foreign_origin_may_not(origin: bytes) -> None:
    bench = Bench()
    preflight = [(b"origin", origin), (b"access-control-request-method", b"POST")]
    for outcome in (await bench.call([(b"origin", origin)]), await bench.call(preflight, method="OPTIONS")):
        assert not [key for key, _ in outcome.headers if key.startswith(b"access-control")]


async def test_a_preflight_is_answered_at_the_edge() -> None:
    bench = Bench()
    outcome = await bench.call(
        [(b"origin", ORIGIN.encode()), (b"access-control-request-method", b"PUT")], method="OPTIONS"
    )
    assert (outcome.status, outcome.body) == (204, b"")
    assert outcome.header(b"access-control-allow-origin") == ORIGIN.encode()
    assert outcome.header(b"access-control-allow-credentials") == b"true"
    assert b"PUT" in (outcome.header(b"access-control-allow-methods") or b"")
    allowed = (outcome.header(b"access-control-allow-headers") or b"").lower()
    for name in (b"authorization", b"content-type", b"if-match", b"idempotency-key", b"x-csrf-token", b"x-request-id"):
        assert name in allowed
    assert outcome.header(b"vary") == b"Origin"
    assert bench.lines.kept[0]["operation_id"] == "preflight"


async def test_other_options_go_inside() -> None:
    assert (await Bench().call(method="OPTIONS")).body == b"hello"
    assert (await Bench().call([(b"access-control-request-method", b"PUT")], method="OPTIONS")).body == b"hello"


async def test_one_line_for_a_request_and_nothing_private_in_it() -> None:
    bench = Bench()
    await bench.call([(b"x-request-id", b"req-12345678"), (b"authorization", b"Bearer abc")])
    (line,) = bench.lines.kept
    assert line.pop("duration_ms") >= 0
    assert line == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "logger": "access",
        "request_id": "req-12345678",
        "method": "GET",
        "route": "/api/orders/{order_id}",
        "operation_id": "getOrder",
        "status": 200,
        "bytes": 5,
        "principal_id": "user-1",
        "role": "customer",
        "request_units": 2.5,
    }
    assert b'http_requests_total{operation="getOrder",status="200"} 1.0' in bench.telemetry.render()
    assert b'http_request_units_total{operation="getOrder"} 2.5' in bench.telemetry.render()


async def test_an_odd_method_does_not_reach_the_log() -> None:
    bench = Bench()
    await bench.call(method="ann@example.com")
    assert bench.lines.kept[0]["method"] == "other"


async def test_whatever_goes_wrong_inside_is_an_envelope(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("oops")

    bench = Bench(broken)
    outcome = await bench.call([(b"origin", ORIGIN.encode()), (b"x-request-id", b"req-12345678")])
    assert outcome.status == 500
    assert outcome.error["code"] == "INTERNAL_SERVER_ERROR"
    assert outcome.error["request_id"] == "req-12345678"
    assert "oops" not in outcome.body.decode()
    assert outcome.header(b"access-control-allow-origin") == ORIGIN.encode()
    assert bench.lines.kept[0]["level"] == "error"
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.__dict__["request_id"] == "req-12345678"


async def test_a_problem_that_nobody_answered_keeps_its_status() -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        raise not_found("Path")

    assert (await Bench(refusing).call()).error["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("code", "level"), [("NOT_IMPLEMENTED", "info"), ("SERVICE_UNAVAILABLE", "error"), ("CONFLICT", "info")]
)
async def test_what_is_only_planned_is_no_error_in_the_log(code: ErrorCode, level: str) -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem(code, "Not now")

    bench = Bench(refusing)
    await bench.call()
    assert bench.lines.kept[0]["level"] == level


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("midway")

    outcome = await Bench(half).call()
    assert (outcome.status, outcome.body) == (200, b"half")


async def test_a_client_that_left_is_499_in_the_log() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        return

    async def cancelled(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    bench = Bench(silent)
    await bench.call()
    assert bench.lines.kept[0]["status"] == 499
    bench = Bench(cancelled)
    with pytest.raises(asyncio.CancelledError):
        await bench.call()
    assert bench.lines.kept[0]["status"] == 499


async def test_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])
        assert "hph" not in scope

    call: Callable[..., Awaitable[None]] = Bench(app).edge
    await call({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


async def test_through_a_real_server() -> None:
    bench = Bench()
    async with served(bench.edge) as url, httpx.AsyncClient() as client:
        answer = await client.get(url + "/api/orders/1?email=ann@example.com", headers={"Origin": ORIGIN})
    assert answer.text == "hello"
    assert "server" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "ann" not in str(bench.lines.kept)
