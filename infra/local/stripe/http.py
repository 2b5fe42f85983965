"""The stand-in over HTTP: an ASGI application under uvicorn, bound to loopback. `python -m infra.local.stripe`.

Its controls, in JSON and with the secret key as bearer token, are no part of Stripe's API:
`PUT /stand-in/faults`, `PUT /stand-in/webhook-faults` take lists of faults (fields of `faults.Fault`), `DELETE` ends
them; `PUT /stand-in/endpoint` takes `{"url", "secret"}`; `POST /stand-in/authenticate` takes `{"id", "outcome"}` of a
payment intent, `POST /stand-in/settle` of a refund; `POST /stand-in/cancel`, `refund` and `dispute` take the `id` of an
intent; `GET /stand-in/calls` counts requests by operation.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.local.stripe import SECRET_KEY
from infra.local.stripe.faults import Fault
from infra.local.stripe.server import Server
from infra.local.stripe.webhooks import Endpoint
from infra.local.stripe.wire import AnswerLost, Json, Refusal, Request, Response, parse_form

CONTROLS: Final = "/stand-in/"
TRANSPORT: Final = "stand-in.transport"


class Protocol(HttpToolsProtocol):
    """Uvicorn's protocol, which lets the application get at its connection: to break it is one of the faults."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]  # not one of ASGI's own


class Application:
    """The ASGI application around a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or breaks its connection."""
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        body = await _body(receive)
        try:
            response = await self._response(scope, headers, body)
        except AnswerLost:
            scope["extensions"][TRANSPORT].abort()
            await asyncio.sleep(0)  # uvicorn hears of it, and does not miss an answer
            return
        content = response.content
        sent = {
            **response.headers,
            "content-type": "application/json",
            "content-length": str(len(content)),
            "cache-control": "no-cache, no-store",
        }
        raw = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in sent.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    async def _response(self, scope: Scope, headers: dict[str, str], body: bytes) -> Response:
        path, method = scope["path"], scope["method"]
        try:
            if path.startswith(CONTROLS):
                return self._control(method, path.removeprefix(CONTROLS), headers, body)
            params = {**parse_form(scope["query_string"]), **parse_form(body)}
        except Refusal as refusal:
            return refusal.response()
        return await self._server.handle(Request(method, path, params, headers))

    def _control(self, method: str, name: str, headers: dict[str, str], body: bytes) -> Response:
        server = self._server
        if headers.get("authorization") != f"Bearer {server.key}":
            raise Refusal(401, "The controls take the secret key")
        content: Any = orjson.loads(body) if body else {}
        match method, name:
            case "PUT" | "DELETE", "faults" | "webhook-faults":
                faults = server.faults if name == "faults" else server.webhooks.faults
                faults.clear()
                for each in content or ():
                    faults.add(Fault(**each))
                return Response(200, {"happened": faults.happened})
            case "PUT", "endpoint":
                server.webhooks.endpoint = Endpoint(**content)
                return Response(200, {})
            case "POST", _ if name in _HAPPENINGS:
                happens, names = _HAPPENINGS[name]
                given = {each: content[each] for each in names if each in content}
                return Response(200, happens(server, content["id"], **given))
            case "GET", "calls":
                return Response(200, dict(server.calls))
        raise Refusal(404, f"There is no control {method} {name}")


# What happens to an object `id` without the shop, and what may be said of it.
_HAPPENINGS: Final[dict[str, tuple[Callable[..., Json], tuple[str, ...]]]] = {
    "authenticate": (Server.authenticate, ("outcome",)),
    "settle": (Server.settle_refund, ("outcome",)),
    "cancel": (Server.end_intent, ("reason",)),
    "refund": (Server.refund_in_dashboard, ("amount",)),
    "dispute": (Server.dispute, ("reason",)),
}


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


@asynccontextmanager
async def serving(
    *,
    port: int = 0,
    key: str = SECRET_KEY,
    file: Path | None = None,
    endpoint: Endpoint | None = None,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Server]:
    """A server on loopback for the time of a block; `Server.url` says where."""
    server = Server(now, key=key, file=file)
    server.webhooks.endpoint = endpoint
    # asyncio switches Nagle's algorithm off only on sockets that say they are TCP; with it every answer waits 40 ms.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        Application(server),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
    )
    config.load()
    runner = uvicorn.Server(config)
    runner.lifespan = config.lifespan_class(config)
    # What `serve` does, without its signal handlers and its loop, whose tick every test would wait for.
    await runner.startup(sockets=[listener])
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield server
    finally:
        await server.close()
        await runner.shutdown(sockets=[listener])
