"""Loads the demo shop into an empty store, once."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal

from handlers.banners.store import CONTAINER as BANNERS
from handlers.categories.store import CONTAINER as CATEGORIES
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.access import ANONYMOUS
from handlers.platform.clock import timestamp
from handlers.platform.request import RequestInfo
from handlers.platform.store.port import Create, Upsert
from handlers.settings import Settings
from handlers.users import store as users
from handlers.users.rules import new_user
from infra.local.demo import shop
from infra.local.demo.seed import seed_products

PASSWORD: Final = "HolidayPeak!2026"  # noqa: S105 - it stands in the README
ACCOUNTS: Final[tuple[tuple[str, str, Literal["customer", "staff", "admin"]], ...]] = (
    ("customer@example.com", "Casey Customer", "customer"),
    ("staff@example.com", "Sam Staff", "staff"),
    ("admin@example.com", "Alex Admin", "admin"),
)
PROMOTIONS: Final = "promo_codes"
_MARKER: Final = "demo-data"


class NotHere(Exception):
    """Demo data in production: its accounts have a password that everybody knows."""


async def load(services: Services, *, accounts: bool = True) -> bool:
    """Writes the demo shop, unless it is there; answers whether it wrote. Raises `NotHere` outside local and test."""
    refuse_in_production(services.settings)
    if await services.store.read("counters", _MARKER, _MARKER) is not None:
        return False
    await asyncio.gather(load_catalogue(services), _load_accounts(services) if accounts else asyncio.sleep(0))
    await services.store.write("counters", Create({"id": _MARKER, "name": _MARKER}))
    return True


def refuse_in_production(settings: Settings) -> None:
    """Raises `NotHere` where demo data has no place."""
    if settings.env not in ("local", "test"):
        raise NotHere(f"Demo data is for ENV=local and test; this is {settings.env}.")


async def load_catalogue(services: Services) -> int:
    """Writes categories, products, banners and promotions. Answers the number of products."""
    refuse_in_production(services.settings)
    content, now = shop.source(), services.clock.now()
    documents: list[tuple[str, dict[str, Any]]] = [(CATEGORIES, each) for each in shop.categories(content)]
    documents += [(BANNERS, each) for each in shop.banners(content, now)]
    documents += [(PROMOTIONS, each) for each in shop.promotions(content, now)]
    await asyncio.gather(*(services.store.write(container, Upsert(each)) for container, each in documents))
    return await seed_products(services, shop.products(content))


async def _load_accounts(services: Services) -> None:
    call = Call(services, ANONYMOUS, RequestInfo("demo-data", "", 0.0), ())
    hashes = await asyncio.gather(*(services.passwords.hash(PASSWORD) for _ in ACCOUNTS))
    for (email, name, role), hashed in zip(ACCOUNTS, hashes, strict=True):
        user = new_user(
            f"user-demo-{role}",
            email=email,
            name=name,
            now=services.clock.now(),
            currency=services.settings.shop_currency,
            password_hash=hashed,
            email_verified=True,
            role=role,
        )
        user["last_login"] = timestamp(services.clock.now())
        await users.create(call, user)
