"""What probes say of a process, and the application of the process that answers nothing else: the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from generated import views as v
from handlers.contract.services import EventServices
from handlers.platform.envelope import send_problem
from handlers.platform.errors import Problem, not_found
from handlers.platform.ids import new_id
from handlers.platform.telemetry import CONTENT_TYPE
from handlers.version import VERSION

RETRY_AFTER: Final = 2  # seconds

Check = Callable[[], bool]


def liveness(services: EventServices) -> v.Liveness:
    """That the process runs, with what it knows of its dependencies: nothing is asked now."""
    return {
        "status": "ok",
        "version": VERSION,
        "embedded": services.settings.embedded_parts,
        "dependencies": [
            {"name": state.name, "status": state.status, "latency_ms": round(state.seconds * 1000, 1)}
            for state in services.dependencies.states()
        ],
    }


def readiness(checks: Mapping[str, Check]) -> v.Readiness:
    """Whether this process can do its work. Raises `Problem` 503 that lists the checks while one does not hold.

    A shared dependency is never part of it: all processes would be out of service at once (decision 80).
    """
    found: list[v.ReadinessCheck] = [
        {"name": name, "status": "up" if holds() else "down"} for name, holds in checks.items()
    ]
    if any(check["status"] == "down" for check in found):
        headers = ((b"retry-after", b"%d" % RETRY_AFTER),)
        raise Problem("SERVICE_UNAVAILABLE", "Not ready", details={"checks": found}, headers=headers)
    return {"status": "ok", "version": VERSION, "checks": found}


class Probes:
    """`/healthz`, `/readyz` and `/metrics`, all from memory. `checks` must all hold for the process to be ready."""

    def __init__(self, lifespan: ASGIApp, services: EventServices, checks: Mapping[str, Check]) -> None:
        self._lifespan = lifespan
        self._services = services
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._respond(scope, send)
            except Problem as problem:
                await send_problem(send, problem, new_id("req"))

    async def _respond(self, scope: Scope, send: Send) -> None:
        if scope["path"] == "/healthz":
            await _send(send, orjson.dumps(liveness(self._services)), "application/json")
        elif scope["path"] == "/readyz":
            await _send(send, orjson.dumps(readiness(self._checks)), "application/json")
        elif scope["path"] == "/metrics":
            await _send(send, self._services.telemetry.render(), CONTENT_TYPE)
        else:
            raise not_found("Path")


async def _send(send: Send, content: bytes, content_type: str) -> None:
    headers = [
        (b"content-type", content_type.encode("ascii")),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
