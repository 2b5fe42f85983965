"""The documents both servers work with, and the requests that ask for them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from generated.containers import CONTAINERS
from handlers.app import token_keys
from handlers.categories.store import document_of
from handlers.platform.access import Principal
from handlers.platform.clock import SystemClock
from handlers.platform.store.port import Create
from handlers.platform.store.sqlite import SqliteStore
from handlers.platform.tokens import Tokens
from handlers.settings import Settings
from handlers.users.rules import new_user
from tests.load.drive import request

PRODUCTS: Final = 2_000
PER_CATEGORY: Final = 100
USERS: Final = 64
LIMIT: Final = 20
CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SORTS: Final = ("price", "name", "created_at", "rating", "popularity")
_PERMISSIONS: Final = frozenset({"read:products", "read:profile", "write:profile", "read:cart", "write:cart"})
_WORDS: Final = (
    *("silver", "compact", "quiet", "foldable", "cordless", "heavy", "light", "bright"),
    *("classic", "modern", "solid", "smart", "wide", "slim", "deep", "warm"),
)
_THINGS: Final = (
    "laptop",
    "lamp",
    "kettle",
    "jacket",
    "speaker",
    "chair",
    "mixer",
    "watch",
    "camera",
    "table",
    "drill",
)


def category_of(number: int, products: int = PRODUCTS) -> str:
    """The category of a product by its number."""
    return f"category-{number % max(1, products // PER_CATEGORY)}"


def product(number: int, products: int = PRODUCTS) -> dict[str, Any]:
    """A product as the contract's example has it: two variants, two pictures, texts; about 2 kB."""
    chance = random.Random(number)
    category = category_of(number, products)
    name = f"{chance.choice(_WORDS).title()} {chance.choice(_WORDS)} {chance.choice(_THINGS)} {number}"
    slug = name.lower().replace(" ", "-")
    moment = (CREATED + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    sku = f"SKU-{number:07d}"
    return {
        "id": product_id(number),
        "product_id": product_id(number),
        "category_slug": category,
        "sku": sku,
        "name": name,
        "slug": slug,
        "description": f"{name}: made for every day, easy to clean, with two years of guarantee.",
        "long_description": " ".join(chance.choices(_WORDS + _THINGS, k=60)).capitalize() + ".",
        "brand": f"Brand {chance.randrange(40)}",
        "price": {
            "amount": chance.randrange(500, 200_000) / 100,
            "currency": "USD",
            "compare_at": 2499.0,
            "tax_rate": 0.0825,
        },
        "images": [
            {"url": f"https://cdn.example.com/products/{slug}-{n}.jpg", "alt": f"{name}, view {n}", "order": n}
            for n in (1, 2)
        ],
        "variants": [
            {
                "variant_id": f"variant-{number:08d}-{n}",
                "sku": f"{sku}-{n}",
                "attributes": {"color": chance.choice(["Silver", "Black", "Blue"]), "size": chance.choice("SML")},
                "price_adjustment": 40.0 * n,
                "stock": chance.randrange(60),
            }
            for n in (0, 1)
        ],
        "attributes": {
            "material": chance.choice(["Steel", "Wood", "Glass"]),
            "weight": f"{chance.randrange(1, 30)} kg",
        },
        "seo": {
            "meta_title": name,
            "meta_description": f"Buy {name}. Free delivery before the holidays.",
            "canonical_url": f"/product/{slug}",
        },
        "status": "active",
        "rating": {"average": chance.randrange(10, 51) / 10, "count": chance.randrange(200)},
        "analytics": {
            "views": chance.randrange(20_000),
            "add_to_cart": chance.randrange(900),
            "purchases": chance.randrange(300),
            "conversion_rate": 0.262,
        },
        "created_at": moment,
        "updated_at": moment,
        "published_at": moment,
    }


def product_id(number: int) -> str:
    """The id of a product by its number."""
    return f"product-{number:08d}"


def user(number: int) -> dict[str, Any]:
    """A customer by number."""
    return new_user(
        f"user-{number:04d}", email=f"customer{number}@example.com", name="Dana Whitfield", now=CREATED, currency="USD"
    )


def fill(folder: Path, products: int = PRODUCTS, users: int = USERS) -> None:
    """Writes a new store with categories, products and users into `folder`."""
    asyncio.run(_fill(folder, products, users))


async def _fill(folder: Path, products: int, users: int) -> None:
    store = SqliteStore.open(folder / "documents.sqlite3", CONTAINERS)
    try:
        categories = sorted({category_of(number, products) for number in range(products)})
        documents: Iterator[tuple[str, dict[str, Any]]] = iter(
            [
                *(("categories", _category(slug, place)) for place, slug in enumerate(categories)),
                *(("users", user(number)) for number in range(users)),
            ]
        )
        await _write_all(store, documents)
        await _write_all(store, (("products", product(number, products)) for number in range(products)))
    finally:
        await store.close()


async def _write_all(store: SqliteStore, documents: Iterator[tuple[str, dict[str, Any]]]) -> None:
    async def writer() -> None:
        for container, document in documents:
            await store.write(container, Create(document))

    await asyncio.gather(*(writer() for _ in range(256)))


def _category(slug: str, position: int) -> dict[str, Any]:
    return document_of(
        slug,
        slug.replace("-", " ").title(),
        description="",
        parent_slug=None,
        image_url=None,
        position=position,
        now=CREATED.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    )


# --- requests -------------------------------------------------------------------------------------------------------


def token(settings: Settings, number: int) -> str:
    """An access token of a customer for the length of the bench."""
    tokens = Tokens(token_keys(settings), timedelta(hours=1), SystemClock())
    whole = user(number)
    return tokens.issue(
        Principal(
            id=whole["user_id"], role="customer", permissions=_PERMISSIONS, email=whole["email"], session_id="bench"
        )
    )


def lists(products: int = PRODUCTS) -> list[str]:
    """Paths of full pages of 20, by category and order, each asked for once before any comes again.

    There are more of them than answers are kept in memory, oldest out first: none is ever answered from there.
    """
    categories = sorted({category_of(number, products) for number in range(products)})
    return [
        f"/api/products?category={category}&sort={sort}&order={order}&page={page}&limit={LIMIT}"
        for page in range(1, PER_CATEGORY // LIMIT + 1)
        for sort in _SORTS
        for order in ("asc", "desc")
        for category in categories
    ] + [
        f"/api/products?sort={sort}&order={order}&page={page}&limit={LIMIT}"
        for page in range(1, 51)
        for sort in _SORTS
        for order in ("asc", "desc")
    ]


def details(products: int = PRODUCTS) -> list[str]:
    """Paths of all products, shuffled."""
    paths = [f"/api/products/{product_id(number)}" for number in range(products)]
    random.Random(7).shuffle(paths)
    return paths


def dealt(paths: list[str], connections: int) -> list[list[bytes]]:
    """The paths as requests, dealt out to connections like cards."""
    return [[request("GET", path) for path in paths[at::connections]] for at in range(connections)]


def writes(settings: Settings, users: int = USERS) -> list[list[bytes]]:
    """For each user's connection: its account changed and changed back, so that each writes a document and an event."""
    bodies = (
        b'{"name":"Dana W. Whitfield","phone":"+14155550132"}',
        b'{"name":"Dana Whitfield","phone":"+14155550199"}',
    )
    streams = []
    for number in range(users):
        bearer = token(settings, number)
        streams.append([request("PUT", "/api/users/me", token=bearer, body=body) for body in bodies])
    return streams
