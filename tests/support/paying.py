"""Stripe's stand-in beside a running application, and what the tests of payments need of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from handlers.contract.services import Services
from handlers.partners.stripe import StripeGateway
from handlers.payments.rules import Cause, Payable
from handlers.platform.store.port import Query
from infra.local.stripe import SECRET_KEY
from infra.local.stripe.http import serving
from infra.local.stripe.server import Server
from infra.local.stripe.webhooks import Endpoint
from tests.support.app import RunningApp, running_app
from tests.support.server import served

WEBHOOK_SECRET = "whsec_of_the_tests"
ADDRESS = {
    "name": "Dana Whitfield",
    "line1": "123 Main St",
    "line2": "Apt 4B",
    "city": "San Francisco",
    "state": "CA",
    "postal_code": "94102",
    "country": "US",
    "phone": "+14155550132",
}


@dataclass(slots=True)
class Paying:
    """A running application, and the stand-in that it pays with."""

    running: RunningApp
    stripe: Server

    @property
    def services(self) -> Services:
        """What the handlers work with."""
        return self.running.services


@asynccontextmanager
async def paying(folder: Path, redis_url: str | None, **more: str) -> AsyncIterator[Paying]:
    """An application that pays at a stand-in of its own. Webhooks go nowhere until `listening`."""
    async with serving() as stripe, running_app(folder, redis_url, **stripe_environ(stripe), **more) as running:
        yield Paying(running, stripe)


@asynccontextmanager
async def listening(shop: Paying) -> AsyncIterator[str]:
    """Serves the application on loopback, and lets the stand-in send its webhooks there; yields the address."""
    async with served(shop.running.app) as base:
        shop.stripe.webhooks.endpoint = Endpoint(f"{base}/api/webhooks/stripe", WEBHOOK_SECRET)
        yield base
        shop.stripe.webhooks.endpoint = None
        await shop.stripe.webhooks.idle()


def stripe_environ(stripe: Server) -> dict[str, str]:
    """The environment of an application that pays there."""
    return {
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


@asynccontextmanager
async def gateway(stripe: Server, *, seconds: float = 5.0, **options: Any) -> AsyncIterator[StripeGateway]:
    """The partner, impatient."""
    options = {"return_url": "http://127.0.0.1/return", "base": stripe.url, "pause": 0.02, **options}
    made = StripeGateway(SECRET_KEY, seconds=seconds, **options)
    try:
        yield made
    finally:
        await made.close()


def payable(**changes: Any) -> Payable:
    """An order to pay."""
    mark = uuid4().hex[:12]
    values: dict[str, Any] = {
        "order_id": f"order-{mark}",
        "order_number": "HPH-2026-001234",
        "user_id": f"user-{mark}",
        "amount": 130992,
        "currency": "USD",
        "items": [{"product_id": "product-1", "variant_id": "variant-1", "sku": "SKU-1", "quantity": 1}],
        "address": ADDRESS,
        "shipping_method": "standard",
        "weight": {"value": 2.7, "unit": "lbs"},
        "email": "dana@example.com",
    }
    return Payable(**{**values, **changes})


def cause() -> Cause:
    """A request that something is done for."""
    return Cause(f"request-{uuid4().hex[:8]}")


async def saved(shop: Paying, token: str = "pm_card_visa", user_id: str | None = None) -> tuple[str, str]:
    """A payment method saved with a new customer: their ids at Stripe."""
    partner = shop.services.gateway
    customer = await partner.create_customer(user_id or f"user-{uuid4().hex[:8]}", "dana@example.com", "Dana")
    found = await partner.find_method(token)
    return (await partner.attach(found.id, customer, uuid4().hex)).id, customer


async def events_of(services: Services, order_id: str) -> list[dict[str, Any]]:
    """The events written for an order's payment, oldest first."""
    page = await services.store.query(Query("payments", partition=order_id, kind="outbox", limit=100))
    rows = sorted((item.data for item in page.items), key=lambda row: row["sequence"])
    return [row["envelope"] for row in rows]


async def event_names(services: Services, order_id: str) -> list[str]:
    """Their names."""
    return [each["event_type"] for each in await events_of(services, order_id)]
