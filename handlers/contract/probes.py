"""Probes and metrics of a process that answers nothing else: the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.platform.bus.port import BusError
from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, not_found
from handlers.platform.ids import new_id
from handlers.platform.store.port import StoreError
from handlers.platform.telemetry import CONTENT_TYPE, Telemetry
from handlers.version import VERSION

CHECK_SECONDS: Final = 2.0
Check = Callable[[], Awaitable[None]]


class Probes:
    """`/healthz`, `/readyz` and `/metrics`. `checks` must all pass for the process to be ready."""

    def __init__(self, lifespan: ASGIApp, telemetry: Telemetry, checks: Mapping[str, Check]) -> None:
        self._lifespan = lifespan
        self._telemetry = telemetry
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, send)
            except Problem as problem:
                await send_problem(send, problem, new_id("req"))

    async def _answer(self, scope: Scope, send: Send) -> None:
        if scope["path"] == "/healthz":
            await _send(send, orjson.dumps({"status": "ok", "version": VERSION}), "application/json")
        elif scope["path"] == "/readyz":
            await _send(send, orjson.dumps(await self._readiness()), "application/json")
        elif scope["path"] == "/metrics":
            await _send(send, self._telemetry.render(), CONTENT_TYPE)
        else:
            raise not_found("Path")

    async def _readiness(self) -> dict[str, Any]:
        names = list(self._checks)
        states = await asyncio.gather(*(_passes(self._checks[name]) for name in names))
        checks = [{"name": name, "status": "up" if up else "down"} for name, up in zip(names, states, strict=True)]
        if not all(states):
            raise Problem("SERVICE_UNAVAILABLE", "A dependency is down", details={"checks": checks})
        return {"status": "ok", "version": VERSION, "checks": checks}


async def _passes(check: Check) -> bool:
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
    except (StoreError, BusError, TimeoutError):
        return False
    return True


async def _send(send: Send, content: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode("ascii")),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
