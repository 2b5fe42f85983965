"""Paths under `/local`, with `ENV=local` only and no part of the published contract."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.contract.body import ClientGone, check_media_type, parse_body, read_body
from handlers.contract.services import Services
from handlers.inventory import counting
from handlers.inventory.ledger import MAX_UNITS
from handlers.partners.mail import outbox_messages
from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, not_found, unavailable
from handlers.platform.store.port import StoreUnavailable

_MESSAGES: Final = "/local/messages"
_INVENTORY: Final = "/local/inventory/"

Page = Callable[[Scope, Receive], Awaitable[object]]


class Count(BaseModel):
    """How many units of a variant lie in the warehouse."""

    model_config = ConfigDict(extra="forbid")
    on_hand: Annotated[int, Field(ge=0, le=MAX_UNITS)]


class LocalPages:
    """What a developer and a test need to see and set on their own machine."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/local/"):
            await self._app(scope, receive, send)
            return
        try:
            await _send_json(send, await self._page(scope)(scope, receive))
        except Problem as problem:
            await send_problem(send, problem, scope["hph"].request_id)
        except StoreUnavailable:
            await send_problem(send, unavailable(), scope["hph"].request_id)
        except ClientGone:
            return

    def _page(self, scope: Scope) -> Page:
        """What answers a path. Raises `Problem` 404, 405."""
        method: str
        page: Page
        if scope["path"] == _MESSAGES:
            method, page = "GET", self._messages
        elif scope["path"].startswith(_INVENTORY) and self._services.settings.role != "gateway":
            method, page = "PUT", self._inventory
        else:
            raise not_found("Path")
        if scope["method"] != method:
            headers = ((b"allow", method.encode()),)
            raise Problem("METHOD_NOT_ALLOWED", "Method not allowed", details={"allow": method}, headers=headers)
        return page

    async def _messages(self, scope: Scope, _: Receive) -> object:
        """Mails and SMS sent so far, newest first; `?to=`: to one recipient."""
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("to", [None])[0]
        return {"items": outbox_messages(self._services.settings.data_dir, to=wanted)}

    async def _inventory(self, scope: Scope, receive: Receive) -> object:
        """Sets the units on hand of a variant; answers its level."""
        content = await read_body(receive, scope["headers"], self._services.settings.max_body_bytes)
        check_media_type(scope["headers"])
        count = parse_body(content, Count)
        variant_id: str = scope["path"].removeprefix(_INVENTORY)
        return await counting.set_on_hand(self._services, variant_id, count.on_hand, scope["hph"].request_id)


async def _send_json(send: Send, body: Any) -> None:
    content = orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
