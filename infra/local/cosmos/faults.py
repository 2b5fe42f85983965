"""Faults on purpose: which requests they hit, and what happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from infra.local.cosmos.wire import SUB_STATUS, Request, Response, answer

Handler = Callable[[Request], Awaitable[Response]]

# What may be hit: anything on documents, or one kind of it.
ANY, READ, WRITE, QUERY, BATCH, FEED = "any", "read", "write", "query", "batch", "feed"
_KINDS: Final = {ANY: (READ, WRITE, QUERY, BATCH, FEED), WRITE: (WRITE, BATCH)}
_SUB_STATUS: Final = {410: 1002, 404: 1002, 429: 3200}


class AnswerLost(Exception):
    """The connection ends without an answer."""


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests `on` a kind, after letting `skip` of them pass.

    `effect`: a status (429, 449, 410, 503, 408, 500, 404 for a session token not yet served), `lost_before` and
    `lost_after` the commit, or `slow` by `seconds` before it and then answered. `retry_after`: milliseconds, with 429.
    `commits`: the status is answered although the request was carried out.
    """

    effect: int | str
    on: str = ANY
    times: int = 1
    skip: int = 0
    retry_after: int | None = None
    seconds: float = 0.0
    commits: bool = False


@dataclass(slots=True)
class Faults:
    """The faults to come, and how many have come."""

    pending: list[Fault] = field(default_factory=list)
    happened: int = 0

    def add(self, fault: Fault) -> None:
        """Plans a fault."""
        self.pending.append(fault)

    def clear(self) -> None:
        """Nothing more goes wrong."""
        self.pending.clear()

    async def around(self, request: Request, handler: Handler) -> Response:
        """Answers a request, or does to it what is planned. Raises `AnswerLost`."""
        fault = self._due(kind_of(request)) if self.pending else None
        if fault is None:
            return await handler(request)
        self.happened += 1
        if fault.effect == "slow":
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        if fault.effect == "lost_after" or fault.commits:
            await handler(request)
        if isinstance(fault.effect, str):
            raise AnswerLost(fault.effect)
        headers = {SUB_STATUS: str(_SUB_STATUS.get(fault.effect, 0))}
        if fault.retry_after is not None:
            headers["x-ms-retry-after-ms"] = str(fault.retry_after)
        return answer(fault.effect, {"code": str(fault.effect), "message": "a fault on purpose"}, headers)

    def _due(self, kind: str | None) -> Fault | None:
        for fault in self.pending:
            if kind is None or (fault.on != kind and kind not in _KINDS.get(fault.on, ())):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.pending.remove(fault)
            return fault
        return None


def kind_of(request: Request) -> str | None:
    """What a request does to documents; None: it is about something else."""
    segments = request.segments
    if len(segments) not in {5, 6} or segments[4] != "docs":
        return None
    if request.method == "GET":
        return READ if len(segments) == 6 else FEED
    if request.flag("x-ms-documentdb-isquery") or request.flag("x-ms-cosmos-is-query-plan-request"):
        return QUERY
    return BATCH if request.flag("x-ms-cosmos-is-batch-request") else WRITE
