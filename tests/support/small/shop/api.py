"""Handlers of the small contract: they say what reached them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import orjson
from pydantic import BaseModel

from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform.cache import CacheUnavailable
from handlers.platform.errors import not_found
from handlers.platform.ids import new_id
from handlers.platform.store.port import Create, StoreUnavailable

Json = dict[str, Any]

# Refunds wait here while a test holds them.
GATE = asyncio.Event()
GATE.set()

# What became of the streams, in order; the tests read it.
STREAMS: list[str] = []


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value.isoformat() if isinstance(value, date | datetime) else value


def _echo(parameters: Any = None, **more: Any) -> Json:
    seen = asdict(parameters) if parameters is not None else {}
    return {"seen": {name: _plain(value) for name, value in {**seen, **more}.items()}}


async def list_things(parameters: Any, call: Call) -> Json:
    return _echo(parameters)


async def create_thing(body: Any, call: Call) -> Reply[Json]:
    return Reply(_echo(body=body, size=len(call.body_bytes)), etag="1")


async def get_special(call: Call) -> Json:
    return _echo(special=True, cookies=call.cookies, accept=call.header(b"accept"))


async def get_thing(parameters: Any, call: Call) -> Json:
    return _echo(parameters)


async def update_thing(parameters: Any, body: Any, call: Call) -> Json:
    return _echo(parameters, body=body)


async def delete_thing(parameters: Any, call: Call) -> None:
    return None


async def get_part(parameters: Any, call: Call) -> Json:
    return _echo(parameters)


async def send_free(body: Any, call: Call) -> Json:
    return _echo(body=body)


async def get_report(parameters: Any, call: Call) -> Reply[Any]:
    if parameters.format == "csv":
        return Reply.file("day;sum\r\n2026-01-25;é\r\n".encode(), "text/csv", "sales.csv")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Reply.file(b"PK\x03\x04\x00\xff", kind, "sales.xlsx")


async def stream_events(parameters: Any, call: Call) -> Reply[Any]:
    return Reply.events(_events(parameters))


async def _events(parameters: Any) -> AsyncIterator[bytes]:
    STREAMS.append("opened")
    try:
        for number in range(parameters.count):
            yield b"id: %d\ndata: {}\n\n" % number
        if parameters.fail:
            raise RuntimeError("the stream broke")
        if parameters.count == 0:
            while True:
                yield b": still here\n\n"
                await asyncio.sleep(0.005)
    finally:
        STREAMS.append("closed")


async def get_text(call: Call) -> Reply[Any]:
    return Reply.text("naïve".encode(), "text/plain; charset=utf-8")


async def get_raw(call: Call) -> Reply[Json]:
    return Reply.raw(orjson.dumps(_echo(raw=True)), dict, etag="v1")


async def get_old(parameters: Any, call: Call) -> Json:
    if parameters.refuse:
        raise not_found("Thing", thing_id="x")
    return _echo(old=True)


async def accept_thing(call: Call) -> Json:
    return _echo()


async def get_broken(parameters: Any, call: Call) -> Any:
    answers: Json = {
        "leak": {"seen": {}, "password_hash": "x"},
        "missing": {},
        "text": Reply.text(b"x", "text/plain"),
        "status": Reply({"seen": {}}, status=299),
        "empty": Reply({"seen": {}}, status=204),
        "stream": Reply.events(_events(parameters)),
        "unserialisable": {"seen": {"x": object()}},
        "huge": {"seen": {"x": 2**70}},
        "surrogate": {"seen": {"x": "\ud800"}},
    }
    failures: Json = {
        "raises": RuntimeError("a secret detail"),
        "cancelled": TimeoutError("too slow"),
        "store": StoreUnavailable("disk"),
        "cache": CacheUnavailable("away"),
    }
    if parameters.how in failures:
        raise failures[parameters.how]
    return answers[parameters.how]


async def get_limited(call: Call) -> Json:
    return _echo()


async def ask_staff(call: Call) -> Json:
    return _echo(id=call.principal.id, role=call.principal.role, credential=call.principal.credential)


async def refund_once(parameters: Any, body: Any, call: Call) -> Json:
    """Counts refunds of an order; `body.name` says what is to go wrong."""
    store, order = call.services.store, parameters.order_id
    once = await call.once("payments", order)
    await GATE.wait()
    if body.name == "refused":
        raise not_found("Order")
    refund = {"id": new_id("refund"), "order_id": order}
    answer = _echo(refund=refund["id"])
    if body.name != "forgotten":
        await store.batch("payments", order, [Create(refund), *once.remember(answer)])
    return answer
