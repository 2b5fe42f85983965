"""The same calls at our stand-in and at localstripe, which others wrote: where it behaves as Stripe does, so do we.

localstripe runs in a process of its own. It knows no idempotency keys, refunds more than was paid, and refuses much of
what we send (design/facts/local-parts.md), so only the plain life of a card payment is compared.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import stripe

from handlers.partners.stripe_webhooks import verified
from infra.local.processes import dying_with_parent
from infra.local.stripe import SECRET_KEY
from infra.local.stripe.http import serving
from tests.support.app import MovableClock
from tests.support.wait import eventually

Steps = list[dict[str, Any]]

# How to say that cards will do: the pinned version of the API, and the older one that localstripe speaks.
CARDS = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
THEIR_CARDS = {"payment_method_types": ["card"]}

# Its own command binds every interface.
SERVE = """
import sys
from aiohttp import web
from localstripe.server import app, store
store.dump_to_disk = lambda: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """The address of localstripe."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = dying_with_parent([sys.executable, "-c", SERVE, str(port)])
    with subprocess.Popen(command) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@asynccontextmanager
async def client(base: str) -> AsyncIterator[stripe.StripeClient]:
    http = stripe.AIOHTTPClient(timeout=10)
    try:
        yield stripe.StripeClient(SECRET_KEY, base_addresses={"api": base}, http_client=http, max_network_retries=0)
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # the vendor's library has no type here


async def listening(base: str) -> None:
    async def answers() -> bool:
        try:
            async with httpx.AsyncClient() as caller:
                return (await caller.get(f"{base}/v1/customers")).status_code == 401
        except httpx.HTTPError:
            return False

    await eventually(answers, seconds=30)


async def life_of_payments(base: str, kinds: Any) -> Steps:
    """What a shop sees of Stripe, without what is by chance."""
    steps: Steps = []
    async with client(base) as api:
        customer = await api.v1.customers.create_async({"email": "dana@example.com", "metadata": {"user_id": "u1"}})
        steps.append(
            {"email": customer.email, "metadata": dict(customer.metadata.to_dict()) if customer.metadata else {}}
        )
        for token in ("pm_card_visa", "pm_card_visa_chargeDeclined"):
            try:
                method = await api.v1.payment_methods.attach_async(token, {"customer": customer.id})
                assert method.card is not None
                steps.append({"brand": method.card.brand, "last4": method.card.last4, "type": method.type})
            except stripe.CardError as error:
                steps.append({"attach": token, "status": error.http_status, "code": error.code})
        listed = await api.v1.payment_methods.list_async({"customer": customer.id, "type": "card"})
        steps.append({"count": len(listed.data), "more": listed.has_more})
        for token in ("pm_card_visa", "pm_card_chargeCustomerFail", await asking(api)):
            steps.append(await pay(api, customer.id, token, kinds))
        steps.append(await unpaid(api, customer.id, kinds))
    return steps


async def asking(api: stripe.StripeClient) -> str:
    """A card that asks for authentication, by its number: localstripe has no token for it."""
    card: Any = {"number": "4000002760003184", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    return (await api.v1.payment_methods.create_async({"type": "card", "card": card})).id


async def pay(api: stripe.StripeClient, customer: str, token: str, kinds: Any) -> dict[str, Any]:
    method = await api.v1.payment_methods.attach_async(token, {"customer": customer})
    order: Any = {
        "amount": 1999,
        "currency": "usd",
        "customer": customer,
        "payment_method": method.id,
        "metadata": {"order_id": "order-1"},
    }
    intent = await api.v1.payment_intents.create_async(order | kinds)
    seen = {"created": intent.status, "amount": intent.amount, "currency": intent.currency}
    try:
        intent = await api.v1.payment_intents.confirm_async(intent.id)
    except stripe.CardError as error:
        seen |= {"status": error.http_status, "code": error.code}
        intent = await api.v1.payment_intents.retrieve_async(intent.id)
    seen |= {"after": intent.status, "error": intent.last_payment_error is not None}
    if intent.status == "succeeded":
        refund = await api.v1.refunds.create_async({"payment_intent": intent.id, "amount": 500})
        seen |= {"refunded": refund.amount, "refund": refund.status}
    return seen


async def unpaid(api: stripe.StripeClient, customer: str, kinds: Any) -> dict[str, Any]:
    order: Any = {"amount": 500, "currency": "usd", "customer": customer}
    intent = await api.v1.payment_intents.create_async(order | kinds)
    cancelled = await api.v1.payment_intents.cancel_async(intent.id)
    try:
        await api.v1.payment_intents.retrieve_async("pi_nobodys")
    except stripe.InvalidRequestError as error:
        return {"before": intent.status, "after": cancelled.status, "missing": error.http_status}
    return {}


async def test_both_tell_the_same_story(other: str) -> None:
    await listening(other)
    async with serving() as ours:
        assert await life_of_payments(ours.url, CARDS) == await life_of_payments(other, THEIR_CARDS)


async def test_its_webhooks_are_verified_as_ours_are(other: str) -> None:
    await listening(other)
    received: list[tuple[bytes, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        headers = dict(scope["headers"])
        received.append((message["body"], headers[b"stripe-signature"].decode()))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    from tests.support.server import served  # noqa: PLC0415

    async with served(app) as address, httpx.AsyncClient(base_url=other) as caller, client(other) as api:
        await caller.post("/_config/webhooks/shop", data={"url": address, "secret": "whsec_theirs"})
        await api.v1.customers.create_async({"email": "dana@example.com"})
        await eventually(lambda: bool(received))
        await caller.post("/_config/webhooks/shop", data={"url": address, "secret": "whsec_theirs", "events[]": "none"})
    content, header = received[0]
    assert verified(content, header, "whsec_theirs", MovableClock()).type == orjson.loads(content)["type"]


def test_it_stays_out_of_what_ships() -> None:
    assert "localstripe" not in Path("infra/locks/run.txt").read_text("ascii")
