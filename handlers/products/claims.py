"""Slugs and SKUs belong to one product each (decision 21): claimed before a product carries them, released after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from generated.errors import ErrorRule
from handlers.contract.services import EventServices
from handlers.platform.errors import Problem, conflict
from handlers.platform.store.claims import ClaimTaken, claim, confirm, doubt, get_lookup, release
from handlers.platform.store.port import OutcomeUnknown, StoreError
from handlers.products.store import LOOKUP, SKU_CLAIM, SLUG_CLAIM, read

Json = dict[str, Any]
Claim = tuple[str, str]  # kind and value

_RULES: Final[dict[str, ErrorRule]] = {SLUG_CLAIM: "slug_taken", SKU_CLAIM: "sku_taken"}


def claims_of(product: Json) -> set[Claim]:
    """What only this product may be called."""
    skus = [product["sku"], *(variant["sku"] for variant in product["variants"])]
    return {(SLUG_CLAIM, product["slug"]), *((SKU_CLAIM, sku) for sku in skus)}


@asynccontextmanager
async def held(services: EventServices, product_id: str, wanted: Iterable[Claim]) -> AsyncIterator[None]:
    """Holds claims around the write of the product. Raises `Problem` 409 when one is another's.

    Released when the write fails, confirmed when it is done; where its outcome is unknown they stay pending, and the
    next who wants one of them looks whether the product carries it.
    """
    claims = sorted(wanted)
    await _claim_all(services, product_id, claims)
    try:
        yield
    except OutcomeUnknown:
        raise
    except Exception:
        await _release_quietly(services, product_id, claims)
        raise
    await asyncio.gather(*(confirm(services.store, *each, product_id) for each in claims))


async def doubt_all(services: EventServices, product_id: str, given_up: Iterable[Claim]) -> None:
    """Marks claims that the next write gives up, so that a crash behind it leaves nothing blocked."""
    await asyncio.gather(*(doubt(services.store, *each, product_id, clock=services.clock) for each in given_up))


async def release_all(services: EventServices, product_id: str, given_up: Iterable[Claim]) -> None:
    """Gives claims free."""
    await asyncio.gather(*(release(services.store, *each, product_id) for each in given_up))


async def carries(services: EventServices, product_id: str, kind: str, value: str) -> bool:
    """Whether the product's document carries the value: what settles a claim that a crash left pending."""
    target = await get_lookup(services.store, LOOKUP, product_id)
    document = await read(services.store, target["category_slug"], product_id) if target is not None else None
    return document is not None and (kind, value) in claims_of(document.data)


async def _claim_all(services: EventServices, product_id: str, claims: list[Claim]) -> None:
    results = await asyncio.gather(*(_claim(services, product_id, *each) for each in claims), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        mine = [each for each, result in zip(claims, results, strict=True) if result is None]
        await _release_quietly(services, product_id, mine)
        raise failures[0]


async def _claim(services: EventServices, product_id: str, kind: str, value: str) -> None:
    async def holds(owner: str) -> bool:
        return await carries(services, owner, kind, value)

    try:
        await claim(services.store, kind, value, product_id, clock=services.clock, holds=holds)
    except ClaimTaken as taken:
        raise taken_problem(kind, value) from taken


def taken_problem(kind: str, value: str) -> Problem:
    """409: another product is called so."""
    what = "slug" if kind == SLUG_CLAIM else "SKU"
    return conflict(f"This {what} belongs to another product", _RULES[kind], **{what.lower(): value})


async def _release_quietly(services: EventServices, product_id: str, claims: Iterable[Claim]) -> None:
    """The error that led here matters more; a claim left behind is settled by verification."""
    results = await asyncio.gather(
        *(release(services.store, *each, product_id) for each in claims), return_exceptions=True
    )
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, StoreError):
            raise result
