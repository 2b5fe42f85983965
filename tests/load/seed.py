"""The documents both servers work with, and the requests that ask for them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from generated.access import PERMISSIONS
from handlers.app import build_services, token_keys
from handlers.platform.access import Principal
from handlers.platform.clock import SystemClock
from handlers.platform.store.port import Create, DocumentStore
from handlers.platform.tokens import Tokens
from handlers.settings import Settings, load_settings
from handlers.users.rules import new_user
from infra.local.demo import synthetic
from infra.local.demo.load import load
from tests.load.drive import request

PRODUCTS: Final = 3_000
USERS: Final = 64
LIMIT: Final = 20
CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SORTS: Final = ("price", "name", "created_at", "rating", "popularity")
CUSTOMER: Final = PERMISSIONS["customer"]
_PERMISSIONS: Final = frozenset({"read:products", "read:profile", "write:profile", "read:cart", "write:cart"})


def user(number: int) -> dict[str, Any]:
    """A customer by number."""
    return new_user(
        f"user-{number:04d}", email=f"customer{number}@example.com", name="Dana Whitfield", now=CREATED, currency="USD"
    )


def settings_of(folder: Path, **more: str) -> Settings:
    """The settings a server has that works in `folder`."""
    return load_settings({"ENV": "test", "DATA_DIR": str(folder), **more})


def fill(folder: Path, products: int = PRODUCTS, users: int = USERS) -> None:
    """Writes a new store into `folder`: the demo shop, `products` synthetic ones, customers."""
    asyncio.run(filled(settings_of(folder), products, users))


async def filled(settings: Settings, products: int, users: int) -> None:
    """`fill`, inside an event loop."""
    services = build_services(settings)
    try:
        await load(services)
        await _write_all(services.store, (("users", user(number)) for number in range(users)))
        await _write_all(services.store, (("products", document) for document in synthetic.products(products)))
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.store.close()


async def _write_all(store: DocumentStore, documents: Iterator[tuple[str, dict[str, Any]]]) -> None:
    async def writer() -> None:
        for container, document in documents:
            await store.write(container, Create(document))

    await asyncio.gather(*(writer() for _ in range(256)))


# --- requests -------------------------------------------------------------------------------------------------------


def token(settings: Settings, number: int, permissions: frozenset[str] = _PERMISSIONS) -> str:
    """An access token of a customer for the length of the bench."""
    tokens = Tokens(token_keys(settings), timedelta(hours=1), SystemClock())
    whole = user(number)
    return tokens.issue(
        Principal(
            id=whole["user_id"], role="customer", permissions=permissions, email=whole["email"], session_id="bench"
        )
    )


def lists(products: int = PRODUCTS) -> list[str]:
    """Paths of full pages of 20, by category and order, each asked for once before any comes again.

    There are more of them than answers are kept in memory, oldest out first: none is ever answered from there.
    """
    counts = Counter(document["category_slug"] for document in synthetic.products(products) if _active(document))
    return [
        f"/api/products?category={category}&sort={sort}&order={order}&page={page + 1}&limit={LIMIT}"
        for page in range(max(counts.values()) // LIMIT)
        for sort in _SORTS
        for order in ("asc", "desc")
        for category, count in sorted(counts.items())
        if (page + 1) * LIMIT <= count
    ]


def details(products: int = PRODUCTS) -> list[str]:
    """Paths of all active products, shuffled."""
    found = synthetic.products(products)
    paths = [f"/api/products/{document['product_id']}" for document in found if _active(document)]
    random.Random(7).shuffle(paths)
    return paths


def _active(product: dict[str, Any]) -> bool:
    return bool(product["status"] == "active")


def dealt(paths: Sequence[str], connections: int) -> list[list[bytes]]:
    """The paths as requests, dealt out to connections like cards."""
    return [[request("GET", path) for path in paths[at::connections]] for at in range(connections)]


def writes(settings: Settings, users: int = USERS) -> list[list[bytes]]:
    """For each user's connection: its account changed and changed back, so that each writes a document and an event."""
    bodies = (
        b'{"name":"Dana W. Whitfield","newsletter_opt_in":true}',
        b'{"name":"Dana Whitfield","newsletter_opt_in":false}',
    )
    streams = []
    for number in range(users):
        bearer = token(settings, number)
        streams.append([request("PUT", "/api/users/me", token=bearer, body=body) for body in bodies])
    return streams
