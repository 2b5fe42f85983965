"""Webhooks: signed events, sent until they are taken (Stripe documentation: Webhooks; Verify events manually)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson

from infra.local.stripe.faults import Fault, Faults
from infra.local.stripe.wire import Json

# What a shop listens to; others are in the log of events only.
ENABLED: Final = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.canceled",
    "charge.refunded",
    "charge.dispute.created",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
# Seconds before each further attempt. Stripe goes on for days.
RETRIES: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
TIMEOUT_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go. `events`: their types, or `*`."""

    url: str
    secret: str
    events: Sequence[str] = ENABLED

    def wants(self, event: Json) -> bool:
        """Whether this type of event goes there."""
        return event["type"] in self.events or "*" in self.events


@dataclass(slots=True)
class Delivery:
    """One attempt: which event, and what was answered (0: nothing)."""

    event_id: str
    type: str
    status: int


def signature(secret: str, content: bytes, at: int) -> str:
    """The header `Stripe-Signature`: `t=…,v1=…`, HMAC-SHA256 over time and body."""
    signed = hmac.digest(secret.encode(), str(at).encode() + b"." + content, "sha256").hex()
    return f"t={at},v1={signed}"


@dataclass(slots=True)
class Webhooks:
    """Sends events to an endpoint, each on its own: no order is promised, and none after the process has ended."""

    now: Callable[[], float]
    endpoint: Endpoint | None = None
    retries: Sequence[float] = RETRIES
    faults: Faults = field(default_factory=Faults)
    deliveries: list[Delivery] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _held: list[asyncio.Event] = field(default_factory=list)
    _session: aiohttp.ClientSession | None = None

    def deliver(self, event: Json) -> None:
        """Sends an event in the background, to whoever is the endpoint now."""
        endpoint = self.endpoint
        if endpoint is None or not endpoint.wants(event):
            return
        fault = self.faults.due(event["type"])
        if fault is not None and fault.effect == "lost":
            return
        for _ in range(2 if fault is not None and fault.effect == "duplicate" else 1):
            task = asyncio.get_running_loop().create_task(self._send(endpoint, event, fault))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Returns when nothing is on its way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Ends what is on its way, after a moment for what is about to arrive."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=GRACE_SECONDS)
        for task in set(self._tasks):
            task.cancel()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, endpoint: Endpoint, event: Json, fault: Fault | None) -> None:
        await self._wait(fault)
        content = orjson.dumps(event, option=orjson.OPT_INDENT_2)
        for pause in (*self.retries, None):
            if await self._attempt(endpoint, event, content):
                break
            if pause is None:
                return
            await asyncio.sleep(pause)
        # The next one is past; what was held back for it may follow.
        while self._held:
            self._held.pop().set()

    async def _wait(self, fault: Fault | None) -> None:
        if fault is not None and fault.effect == "late":
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.effect == "reordered":
            passed = asyncio.Event()
            self._held.append(passed)
            try:
                await asyncio.wait_for(passed.wait(), fault.seconds or None)
            except TimeoutError:
                self._held.remove(passed)

    async def _attempt(self, endpoint: Endpoint, event: Json, content: bytes) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": signature(endpoint.secret, content, int(self.now())),
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            async with self._session.post(endpoint.url, data=content, headers=headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        self.deliveries.append(Delivery(event["id"], event["type"], status))
        return 200 <= status < 300
