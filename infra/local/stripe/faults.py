"""Faults on purpose: which requests and which webhooks they hit, and what happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from infra.local.stripe.wire import AnswerLost, Refusal, Response

ANY: Final = "any"
# Before: the request never arrives. After: it has its effect. Reset: the connection breaks; time-out: it stays silent
# for `seconds` and breaks then. Slow: it takes `seconds`, has its effect then, and is answered.
EFFECTS: Final = ("reset_before", "reset_after", "timeout_before", "timeout_after", "slow")
WEBHOOK_EFFECTS: Final = ("duplicate", "late", "lost", "reordered")


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests `on` an operation, after letting `skip` of them pass.

    `on`: a name of `server.ROUTES` such as `payment_intents.confirm`, for webhooks a type of event; or `any`. `effect`:
    one of the names above, or a status (429, 500, 503). `commits`: the operation is carried out before that status.
    `seconds`: how long, for those that take time; for `late` and `reordered` webhooks how late at most.
    """

    effect: int | str
    on: str = ANY
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    commits: bool = False


@dataclass(slots=True)
class Faults:
    """The faults to come, and how many have come."""

    pending: list[Fault] = field(default_factory=list)
    happened: int = 0

    def add(self, fault: Fault) -> None:
        """Plans a fault. Raises `ValueError` for an effect there is none of."""
        if isinstance(fault.effect, str) and fault.effect not in (*EFFECTS, *WEBHOOK_EFFECTS):
            raise ValueError(f"{fault.effect!r} is no effect")
        self.pending.append(fault)

    def clear(self) -> None:
        """Nothing more goes wrong."""
        self.pending.clear()

    def due(self, on: str) -> Fault | None:
        """The fault that hits this one, if any does."""
        for fault in self.pending:
            if fault.on not in (ANY, on):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.pending.remove(fault)
            self.happened += 1
            return fault
        return None


async def before(fault: Fault | None) -> None:
    """What a fault does to a request on its way. Raises `AnswerLost`, and `Refusal` 429, which no key keeps."""
    if fault is None:
        return
    if fault.effect == 429:
        raise Refusal(429, "Request rate limit exceeded.", code="rate_limit", headers={"stripe-should-retry": "true"})
    if fault.effect == "timeout_before":
        await asyncio.sleep(fault.seconds)
    if fault.effect in ("timeout_before", "reset_before"):
        raise AnswerLost


async def within(fault: Fault | None, operation: Callable[[], Awaitable[Response]]) -> Response:
    """The operation, or what a fault makes of it. Its idempotency key keeps what this answers or raises."""
    if fault is not None and fault.effect == "slow":
        await asyncio.sleep(fault.seconds)
    if fault is None or not isinstance(fault.effect, int):
        return await operation()
    if fault.commits:
        await operation()
    message = "An unknown error occurred. If the problem persists, let us know."
    raise Refusal(fault.effect, message, type="api_error", begun=True, headers={"stripe-should-retry": "false"})


async def after(fault: Fault | None) -> None:
    """What a fault does to an answer on its way. Raises `AnswerLost`."""
    if fault is None:
        return
    if fault.effect == "timeout_after":
        await asyncio.sleep(fault.seconds)
    if fault.effect in ("timeout_after", "reset_after"):
        raise AnswerLost
