"""The demo shop in a running application, for the tests of the catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson

from handlers.contract.services import Services
from handlers.platform.store.port import Query
from handlers.products.catalogue import Catalogue
from handlers.products.counters import Counters
from infra.local.demo.load import PASSWORD, load
from infra.local.stripe.http import serving
from infra.local.stripe.server import Server
from tests.support.app import RunningApp, running_app
from tests.support.paying import stripe_environ

Json = dict[str, Any]


@dataclass(slots=True)
class Shop:
    """A running application with the demo data, its administrator, and the stand-in that it pays with."""

    running: RunningApp
    stripe: Server
    admin: Mapping[str, str] = field(default_factory=dict)

    async def sign_in(self) -> None:
        """Signs the administrator in, again where a test has moved the clock."""
        async with self.running.new_client() as client:
            answer = await client.post("/api/auth/login", json={"email": "admin@example.com", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.admin = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @property
    def services(self) -> Services:
        """What the handlers work with."""
        return self.running.services

    @property
    def client(self) -> httpx.AsyncClient:
        """A caller without a token."""
        return self.running.client

    async def get(self, path: str, **query: Any) -> Json:
        """The answer to a GET that succeeds; `filters` may be a dict."""
        answer = await self.client.get(path, params=parameters(query))
        assert answer.status_code == 200, answer.text
        content: Json = answer.json()
        return content

    async def refused(self, path: str, **query: Any) -> Json:
        """The error of a GET that is refused."""
        answer = await self.client.get(path, params=parameters(query))
        assert answer.status_code >= 400, answer.text
        error: Json = answer.json()["error"]
        return error

    async def as_admin(self, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
        """A request of the administrator."""
        content = orjson.dumps(body) if body is not None else None
        kind = {"Content-Type": "application/json"} if body is not None else {}
        sent = {**self.admin, **kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.client.request(method, path, content=content, headers=sent)

    async def created(self, **changes: Any) -> Json:
        """A new product that sells, with a slug and SKUs of its own."""
        answer = await self.as_admin("POST", "/api/admin/products", new_product(**changes))
        assert answer.status_code == 201, answer.text
        product: Json = answer.json()
        return product

    async def products(self, *, status: str | None = "active") -> list[Json]:
        """Every product in the store, read past the index: what the tests compare with."""
        # What was counted so far is written now, and not while the test looks at an order.
        await self.services.room(Counters).flush()
        found: list[Json] = []
        query = Query("products", purpose="catalogue_index", limit=1000)
        page = await self.services.store.query(query)
        found += [item.data for item in page.items]
        assert page.next is None
        return [product for product in found if status in (None, product["status"])]


def parameters(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters as they are sent."""
    texts = {name: orjson.dumps(value).decode() if isinstance(value, dict) else value for name, value in query.items()}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in texts.items()}


def new_product(**changes: Any) -> Json:
    """What an administrator sends for a new product."""
    mark = uuid4().hex[:10]
    return {
        "category_slug": "toys-building",
        "sku": f"TEST-{mark.upper()}",
        "name": f"Test Lighthouse {mark}",
        "description": "A lighthouse of wooden blocks.",
        "brand": "Brightwood",
        "price": {"amount": 39.5, "currency": "USD", "tax_rate": 0.0825},
        "variants": [
            {"sku": f"TEST-{mark.upper()}-S", "attributes": {"size": "Small"}, "on_hand": 7},
            {"sku": f"TEST-{mark.upper()}-L", "attributes": {"size": "Large"}, "price_adjustment": 10.0, "on_hand": 0},
        ],
        "attributes": {"age": "From 3 years"},
        "status": "active",
        **changes,
    }


@asynccontextmanager
async def running_shop(folder: Path, redis_url: str, **more: str) -> AsyncIterator[Shop]:
    """The application with the demo data, its administrator signed in; `more` are further environment variables."""
    # The administrator is signed in once for a session of tests, which may take longer than a token usually lives.
    environ = {"JWT_ACCESS_EXPIRY_MINUTES": "60", **more}
    async with serving() as stripe, running_app(folder, redis_url, **environ, **stripe_environ(stripe)) as running:
        await load(running.services)
        await running.services.room(Catalogue).start()
        shop = Shop(running, stripe)
        await shop.sign_in()
        yield shop
