"""Any number of products for measuring: `python -m infra.local.demo.synthetic 100000` adds them to the demo shop.

Deterministic: the n-th product is always the same. They spread over the leaf categories of the demo tree; a tenth is
not active, some are sold out.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from handlers.app import build_services
from handlers.settings import load_settings
from infra.local.demo import shop
from infra.local.demo.load import load
from infra.local.demo.seed import seed_products

Json = dict[str, Any]

_ADJECTIVES: Final = (
    "Alpine",
    "Bright",
    "Calm",
    "Cosy",
    "Crisp",
    "Festive",
    "Frosty",
    "Gentle",
    "Golden",
    "Quiet",
    "Warm",
)
_COLORS: Final = ("Red", "Green", "Blue", "Black", "White", "Gold", "Silver", "Sand")
_MATERIALS: Final = ("Wool", "Cotton", "Oak", "Steel", "Glass", "Ceramic", "Leather", "Bamboo")
_NOUNS: Final = (
    "Lamp",
    "Blanket",
    "Jumper",
    "Kettle",
    "Puzzle",
    "Sledge",
    "Speaker",
    "Candle",
    "Rucksack",
    "Teapot",
    "Camera",
)
_ENDINGS: Final = ("haus", "line", "craft", "berg", "wave", "field")
_BRANDS: Final = tuple(first + ending for first in ("Nord", "Peak", "Fir", "Lux") for ending in _ENDINGS)
_PRAISES: Final = (
    "made for long evenings",
    "a gift for every day",
    "tried and loved by our team",
    "packed without plastic",
)


def products(count: int) -> Iterator[Json]:
    """The first `count` synthetic products, as they are published."""
    leaves = [document["slug"] for document in shop.categories(shop.source()) if "-" in document["slug"]]
    for number in range(count):
        yield product(number, leaves)


def product(number: int, leaves: list[str]) -> Json:
    """The product of a number."""
    chance = random.Random(number)  # noqa: S311 - chance that is the same every time
    color, material = chance.choice(_COLORS), chance.choice(_MATERIALS)
    name = f"{chance.choice(_ADJECTIVES)} {material} {chance.choice(_NOUNS)} {number % 977}"
    sku, slug = f"SYN-{number:07d}", f"synthetic-{number}"
    brand = chance.choice(_BRANDS)
    sentence = f"{name} in {color.lower()}, {chance.choice(_PRAISES)}."
    draft = {
        "category_slug": leaves[number % len(leaves)],
        "sku": sku,
        "name": name,
        "slug": slug,
        "description": sentence,
        "long_description": f"{sentence}\n\nBy {brand}. " + "It arrives before the holidays. " * 4,
        "brand": brand,
        "price": {"amount": chance.randint(490, 99_900) / 100, "currency": shop.CURRENCY, "tax_rate": 0.0825},
        "images": [{"url": f"https://cdn.example.com/products/{slug}-1.jpg", "alt": name}],
        "variants": [
            {
                "sku": f"{sku}-{size}",
                "attributes": {"size": size},
                "on_hand": chance.choice((0, 0, 3, 20, 90)),
            }
            for size in ("S", "L")
        ],
        "attributes": {"color": color, "material": material, "series": f"Series {number % 40}"},
        "status": "draft" if number % 20 == 7 else "archived" if number % 20 == 13 else "active",
    }
    return shop.product_of(draft, slug, chance, shop.OPENED + timedelta(minutes=number % 100_000))


async def _main(count: int) -> None:
    services = build_services(load_settings(os.environ))
    started = time.monotonic()
    try:
        await load(services)
        written = await seed_products(services, products(count))
        print(f"{written} synthetic products in {time.monotonic() - started:.0f} s")
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.store.close()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
