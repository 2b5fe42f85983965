"""Paths under `/local`, with `ENV=local` only and no part of the published contract."""

from __future__ import annotations

from urllib.parse import parse_qs

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.services import Services
from handlers.partners.mail import outbox_messages
from handlers.platform.envelope import send_problem
from handlers.platform.errors import not_found


class LocalPages:
    """What a developer and a test need to see and set on their own machine."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/local/"):
            await self._app(scope, receive, send)
            return
        if (scope["method"], scope["path"]) == ("GET", "/local/messages"):
            wanted = parse_qs(scope["query_string"].decode("latin-1")).get("to", [None])[0]
            messages = outbox_messages(self._services.settings.data_dir, to=wanted)
            await _send_json(send, {"items": messages})
            return
        await send_problem(send, not_found("Path"), scope["hph"].request_id)


async def _send_json(send: Send, body: object) -> None:
    content = orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
