"""The documents of the demo shop, made from `catalogue.yaml`: the same file, the same shop."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from generated import models as m
from handlers.categories.store import document_of
from handlers.platform.clock import timestamp
from handlers.platform.money import major_units, minor_units
from handlers.platform.texts import slug_of
from handlers.products.documents import new_product

Json = dict[str, Any]

CURRENCY: Final = "USD"
OPENED: Final = datetime(2025, 9, 1, 8, tzinfo=UTC)
MAX_VARIANTS: Final = 6
_SOURCE: Final = Path(__file__).with_name("catalogue.yaml")
_CDN: Final = "https://cdn.example.com"
# One product in so many is sold out, and one in so many sold out in a variant.
_SOLD_OUT: Final = 14
_PARTLY: Final = 5


def source() -> Json:
    """The file, parsed."""
    content: Json = yaml.load(_SOURCE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def categories(content: Json) -> Iterator[Json]:
    """The documents of the tree, parents first."""
    for node, parent, position in _nodes(content["categories"], None):
        yield document_of(
            node["slug"],
            node["name"],
            description=node["description"],
            parent_slug=parent,
            image_url=f"{_CDN}/categories/{node['slug']}.jpg",
            position=position,
            now=timestamp(OPENED),
        )


def products(content: Json) -> Iterator[Json]:
    """The products as they are published, their stock on the variants."""
    for node, _, _ in _nodes(content["categories"], None):
        for number, line in enumerate(node.get("products", ())):
            yield _product(node, number, [part.strip() for part in line.split("|")])


def banners(content: Json, now: datetime) -> Iterator[Json]:
    """The banners; their times lie around `now`."""
    for position, banner in enumerate(content["banners"]):
        banner_id = f"banner-{_digest(banner['image'])}"
        days = banner["days"]
        window = {} if days is None else {"starts_at": _day(now, days[0]), "ends_at": _day(now, days[1])}
        yield {
            "id": banner_id,
            "banner_id": banner_id,
            "placement": banner["placement"],
            "title": banner["title"],
            "subtitle": banner["subtitle"],
            "image_url": f"{_CDN}/banners/{banner['image']}.jpg",
            "link_url": banner["link_url"],
            "position": position,
            **window,
            "status": banner.get("status", "active"),
            "created_at": timestamp(OPENED),
            "updated_at": timestamp(OPENED),
        }


def promotions(content: Json, now: datetime) -> Iterator[Json]:
    """The promotion codes; one of them ended yesterday."""
    for promotion in content["promotions"]:
        ends = {"ends_at": _day(now, promotion["ends"])} if "ends" in promotion else {}
        yield {
            "id": promotion["code"],
            "code": promotion["code"],
            "description": promotion["description"],
            "type": promotion["type"],
            "value": promotion["value"],
            **ends,
            "once_per_customer": promotion.get("once", False),
            "redeemed": 0,
            "active": True,
            "created_at": timestamp(OPENED),
            "updated_at": timestamp(OPENED),
        }


def product_of(draft: Json, slug: str, chance: random.Random, created: datetime) -> Json:
    """A published product from a draft as administrators send it, with a history that chance has made up."""
    body = m.ProductCreate.model_validate(draft)
    variant_ids = [f"variant-{_digest(variant['sku'])}" for variant in draft["variants"]]
    product = new_product(body, f"product-{_digest(slug)}", variant_ids, timestamp(created))
    reviews = chance.choice((0, 0, 3, 12, 40, 128, 350))
    carts = chance.randint(0, 900)
    purchases = chance.randint(0, carts)
    return {
        **product,
        "rating": {"average": round(chance.uniform(2.6, 5.0), 1) if reviews else 0, "count": reviews},
        "analytics": {
            "views": carts * chance.randint(3, 12) + chance.randint(0, 50),
            "add_to_cart": carts,
            "purchases": purchases,
            "conversion_rate": round(purchases / carts, 4) if carts else 0,
        },
    }


def _nodes(nodes: list[Json], parent: str | None) -> Iterator[tuple[Json, str | None, int]]:
    for place, node in enumerate(nodes, 1):
        yield node, parent, place * 10
        yield from _nodes(node.get("children", []), node["slug"])


def _product(node: Mapping[str, Any], number: int, line: list[str]) -> Json:
    name, brand, price, sentence = line
    slug = slug_of(f"{brand} {name}", "product")
    chance = random.Random(slug)  # noqa: S311 - chance that is the same every time
    sku = _sku(node["slug"], slug)
    draft = {
        "category_slug": node["slug"],
        "sku": sku,
        "name": name,
        "slug": slug,
        "description": sentence,
        "long_description": f"{sentence}\n\n{node['about']}",
        "brand": brand,
        "price": _price(float(price), chance),
        "images": [{"url": f"{_CDN}/products/{slug}-{view}.jpg", "alt": f"{brand} {name}"} for view in (1, 2, 3)],
        "variants": list(_variants(node["options"], sku, float(price), chance)),
        "attributes": {key: values[number % len(values)] for key, values in node["attributes"].items()},
        "status": "active",
    }
    return product_of(draft, slug, chance, OPENED + timedelta(hours=chance.randint(0, 24 * 80)))


def _price(amount: float, chance: random.Random) -> Json:
    price: Json = {"amount": amount, "currency": CURRENCY, "tax_rate": 0.0825}
    if chance.randrange(4) == 0:
        price["compare_at"] = major_units(minor_units(amount, CURRENCY) * 125 // 100, CURRENCY)
    return price


def _variants(options: Mapping[str, list[str]], sku: str, price: float, chance: random.Random) -> Iterator[Json]:
    sold_out, partly = chance.randrange(_SOLD_OUT) == 0, chance.randrange(_PARTLY) == 0
    keys = list(options)
    for number, values in enumerate(itertools.islice(itertools.product(*options.values()), MAX_VARIANTS)):
        empty = sold_out or (partly and number == 0)
        # The second of the options that cost more (memory, a larger box) is a tenth dearer.
        dearer = (
            keys[-1] in ("ram", "storage", "pack", "kit", "weight", "edition") and values[-1] != options[keys[-1]][0]
        )
        yield {
            "sku": f"{sku}-{_code(values)}",
            "attributes": dict(zip(keys, values, strict=True)),
            "price_adjustment": float(round(price / 10)) if dearer else 0.0,
            "on_hand": 0 if empty else chance.choice((2, 4, 12, 30, 80, 150)),
        }


def _code(values: tuple[str, ...]) -> str:
    return "-".join(slug_of(value, "x").upper() for value in values)[:30].strip("-")


def _sku(category: str, slug: str) -> str:
    return f"{category.partition('-')[0].upper()[:4]}-{slug.upper()[:26].strip('-')}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _day(now: datetime, days: int) -> str:
    return timestamp(now + timedelta(days=days))
