"""Product documents: made from a request, and changed by one. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import orjson
from pydantic import MISSING

from generated import models as m
from handlers.platform.errors import conflict, fault, invalid, unprocessable
from handlers.platform.money import AmountNotExact, minor_units
from handlers.platform.texts import slug_of

Json = dict[str, Any]

MAX_PRICES: Final = 50
# What administrators set, in the words of `ProductField`; the rest is counted, projected or made here.
EDITABLE: Final = (
    "category_slug",
    "sku",
    "name",
    "slug",
    "description",
    "long_description",
    "brand",
    "price",
    "images",
    "variants",
    "attributes",
    "seo",
    "status",
)
_PLAIN: Final = ("category_slug", "sku", "name", "slug", "description", "long_description", "brand", "status")


def new_product(body: m.ProductCreate, product_id: str, variant_ids: Sequence[str], now: str) -> Json:
    """The document of a new product; the stock shown is what it begins with."""
    slug = body.slug if body.slug is not MISSING else slug_of(body.name, product_id)
    status = body.status if body.status is not MISSING else "draft"
    product: Json = {
        "id": product_id,
        "product_id": product_id,
        "category_slug": body.category_slug,
        "sku": body.sku,
        "name": body.name.strip(),
        "slug": slug,
        "description": body.description.strip(),
        "long_description": body.long_description if body.long_description is not MISSING else "",
        "brand": body.brand.strip(),
        "price": _price(body.price),
        "images": _images(body.images if body.images is not MISSING else []),
        "variants": [_new_variant(variant, its_id) for variant, its_id in zip(body.variants, variant_ids, strict=True)],
        "attributes": dict(body.attributes) if body.attributes is not MISSING else {},
        "seo": {},
        "status": status,
        "rating": {"average": 0, "count": 0},
        "analytics": {"views": 0, "add_to_cart": 0, "purchases": 0, "conversion_rate": 0},
        "created_at": now,
        "updated_at": now,
    }
    product["seo"] = _seo(body.seo if body.seo is not MISSING else m.ProductSeoInput(), product)
    if status == "active":
        product["published_at"] = now
    return product


def changed_product(before: Json, body: m.ProductUpdate, new_ids: Sequence[str], now: str) -> tuple[Json, list[str]]:
    """The product after a change, and the fields that differ. `new_ids`: ids for the variants without one, in order.

    Raises `Problem` 422 for a variant that the product does not have, 400 for stock given to one that it has.
    """
    after = deepcopy(before)
    for name in _PLAIN:
        value = getattr(body, name)
        if value is not MISSING:
            after[name] = value.strip() if name in ("name", "description", "brand") else value
    if body.price is not MISSING:
        after["price"] = _price(body.price)
    if body.images is not MISSING:
        after["images"] = _images(body.images)
    if body.attributes is not MISSING:
        after["attributes"] = dict(body.attributes)
    if body.variants is not MISSING:
        after["variants"] = _variants(before, body.variants, new_ids)
    if body.seo is not MISSING:
        after["seo"] = _seo(body.seo, after)
    else:
        after["seo"] = _followed(before, after)
    changed = [name for name in EDITABLE if after[name] != before[name]]
    if changed:
        # Never back in time, whatever this machine's clock says: the index takes the newer of two.
        after["updated_at"] = max(now, before["updated_at"])
        if after["status"] == "active":
            after.setdefault("published_at", now)
    return after, changed


def check_prices(product: Json, currency: str) -> None:
    """Raises `Problem` 422 unless the prices make sense in the shop's currency."""
    price = product["price"]
    if price["currency"] != currency:
        raise unprocessable(f"The shop sells in {currency}", "price_invalid", currency=price["currency"])
    try:
        amount = minor_units(price["amount"], currency)
        compare_at = minor_units(price["compare_at"], currency) if "compare_at" in price else None
        steps = [minor_units(variant["price_adjustment"], currency) for variant in product["variants"]]
    except AmountNotExact as error:
        raise unprocessable(
            "A price has too many decimals for its currency", "price_invalid", amount=str(error)
        ) from None
    if compare_at is not None and compare_at <= amount:
        raise unprocessable("compare_at has to be above amount", "price_invalid", compare_at=price["compare_at"])
    if amount + min(steps) < 0:
        raise unprocessable("A variant would cost less than nothing", "price_invalid", amount=price["amount"])


def skus_of(product: Json) -> list[str]:
    """Every SKU of the product. Raises `Problem` 409 when one stands there twice."""
    skus = [product["sku"], *(variant["sku"] for variant in product["variants"])]
    twice = next((sku for sku in skus if skus.count(sku) > 1), None)
    if twice is not None:
        raise conflict("SKUs are unique, products and variants together", "sku_taken", sku=twice)
    return skus


def content_tag(product: Json) -> str:
    """The version of what administrators set: neither counters nor stock nor ratings change it."""
    content = {name: product[name] for name in EDITABLE}
    content["variants"] = [{k: v for k, v in variant.items() if k != "stock"} for variant in product["variants"]]
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def price_now(price: Mapping[str, Any], now: str, by: str | None) -> Json:
    """The entry of the price history for a price that begins to apply."""
    return {"price": dict(price), "started_at": now, **({"changed_by": by} if by else {})}


def priced(prices: Sequence[Json], price: Mapping[str, Any], now: str, by: str | None) -> list[Json]:
    """The price history, newest first, after a new price."""
    before = [{**prices[0], "ended_at": now}, *prices[1:]] if prices else []
    return [price_now(price, now, by), *before][:MAX_PRICES]


def snapshot(product: Json) -> Json:
    """The product as events tell of it (asyncapi: ProductSnapshot)."""
    names = ("product_id", "category_slug", "sku", "name", "slug", "description", "brand", "price", "variants")
    return {name: product[name] for name in (*names, "attributes", "status", "rating", "updated_at")}


def _price(price: m.ProductPriceInput) -> Json:
    document: Json = {"amount": price.amount, "currency": price.currency}
    if price.compare_at is not MISSING:
        document["compare_at"] = price.compare_at
    return {**document, "tax_rate": price.tax_rate}


def _images(images: Sequence[m.ProductImageInput]) -> list[Json]:
    return [
        {"url": image.url, "alt": image.alt, "order": image.order if image.order is not MISSING else number}
        for number, image in enumerate(images, 1)
    ]


def _new_variant(variant: m.ProductVariantInput | m.ProductVariantUpdate, variant_id: str) -> Json:
    weight = {"weight_grams": variant.weight_grams} if variant.weight_grams is not MISSING else {}
    return {
        "variant_id": variant_id,
        "sku": variant.sku,
        "attributes": dict(variant.attributes) if variant.attributes is not MISSING else {},
        "price_adjustment": variant.price_adjustment if variant.price_adjustment is not MISSING else 0.0,
        "stock": variant.on_hand if variant.on_hand is not MISSING else 0,
        **weight,
    }


def _variants(before: Json, wanted: Sequence[m.ProductVariantUpdate], new_ids: Sequence[str]) -> list[Json]:
    known = {variant["variant_id"]: variant for variant in before["variants"]}
    ids = iter(new_ids)
    variants: list[Json] = []
    for place, variant in enumerate(wanted):
        if variant.variant_id is MISSING:
            variants.append(_new_variant(variant, next(ids)))
            continue
        if variant.variant_id not in known or any(v["variant_id"] == variant.variant_id for v in variants):
            raise unprocessable("The product has no such variant", "variant_not_found", variant_id=variant.variant_id)
        if variant.on_hand is not MISSING:
            raise invalid(
                [fault("body", f"/variants/{place}/on_hand", "Stock is changed by inventory adjustments only")]
            )
        stock = known[variant.variant_id]["stock"]
        variants.append({**_new_variant(variant, variant.variant_id), "stock": stock})
    return variants


def _seo(seo: m.ProductSeoInput, product: Json) -> Json:
    derived = _derived_seo(product)
    given = {name: getattr(seo, name) for name in derived}
    return {name: derived[name] if value is MISSING else value for name, value in given.items()}


def _derived_seo(product: Json) -> Json:
    return {
        "meta_title": product["name"],
        "meta_description": product["description"][:500],
        "canonical_url": f"/product/{product['slug']}",
    }


def _followed(before: Json, after: Json) -> Json:
    """What was derived follows name, description and slug; what was set stays."""
    old, new = _derived_seo(before), _derived_seo(after)
    return {name: new[name] if value == old[name] else value for name, value in before["seo"].items()}
