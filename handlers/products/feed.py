"""A product feed: CSV or JSON lines, one product a line, as suppliers send them. Pure.

CSV has a header. Columns: `category_slug sku name description brand amount` are needed; `currency tax_rate compare_at
slug long_description status on_hand weight_grams variant_sku image_url image_alt` may be there, and `attribute:<name>`
for each attribute. A row has one variant. JSON lines are bodies of `createProduct`, with as many variants as they like.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TextIO

import orjson
from pydantic import ValidationError

from generated import models as m
from handlers.contract.body import finite_json
from handlers.platform.errors import Problem
from handlers.products.documents import check_prices, new_product, skus_of

Json = dict[str, Any]

MAX_LINE: Final = 1_000_000
_NEEDED: Final = ("category_slug", "sku", "name", "description", "brand", "amount")
_ATTRIBUTE: Final = "attribute:"
_TEXTS: Final = ("category_slug", "sku", "name", "slug", "description", "long_description", "brand", "status")


class BadRow(Exception):
    """A line that is no product; the text says why, for the one who sent the feed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the feed: its number in the file, and what stands there, or why it cannot be read."""

    number: int
    row: Json | None
    fault: str = ""


def read_lines(file: TextIO, *, is_csv: bool) -> Iterator[Line]:
    """The lines of a feed. Raises `BadRow` when a CSV file lacks a needed column."""
    return _csv_lines(file) if is_csv else _json_lines(file)


def text_fault(row: Json) -> str | None:
    """Why a line's texts could not stand in an answer; None when they can. As strict as bodies over HTTP are."""
    try:
        content = orjson.dumps(row)
    except (TypeError, ValueError) as error:
        return f"not fit for JSON: {error}"
    return finite_json(content)


def product_of(row: Json, now: str, shop: Shop) -> Json:
    """The document of a line. Raises `BadRow`.

    Ids follow from the SKU, so that a feed that is sent again leads to the same products.
    """
    fault = text_fault(row)
    if fault is not None:
        raise BadRow(fault)
    try:
        body = m.ProductCreate.model_validate(row)
        variant_ids = [f"variant-{_digest(variant.sku)}" for variant in body.variants]
        product = new_product(body, f"product-{_digest(body.sku)}", variant_ids, now)
        check_prices(product, shop.currency)
        skus_of(product)
    except ValidationError as error:
        raise BadRow("; ".join(_fault(each) for each in error.errors(include_url=False)[:3])) from None
    except Problem as problem:
        raise BadRow(problem.message) from None
    if product["category_slug"] not in shop.categories:
        raise BadRow(f"category_slug: there is no category {product['category_slug']!r}")
    return product


@dataclass(frozen=True, slots=True)
class Shop:
    """What a product has to fit in with."""

    currency: str
    categories: frozenset[str]


def _csv_lines(file: TextIO) -> Iterator[Line]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.DictReader(file)
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise BadRow(f"columns are missing: {', '.join(missing)}")
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The reader counts a line once it has read it.
            yield Line(reader.line_num + 1, None, str(error))
            continue
        try:
            yield Line(reader.line_num, _from_csv(row))
        except (ValueError, AttributeError, TypeError) as error:
            yield Line(reader.line_num, None, str(error))


def _from_csv(row: Mapping[str, Any]) -> Json:
    if None in row:
        raise ValueError("more fields than the header has")
    given = {name: value.strip() for name, value in row.items() if value is not None and value.strip()}
    body: Json = {name: given[name] for name in _TEXTS if name in given}
    price: Json = {"currency": given.get("currency", "USD"), "tax_rate": _number(given, "tax_rate", 0.0)}
    price["amount"] = _number(given, "amount", None)
    if "compare_at" in given:
        price["compare_at"] = _number(given, "compare_at", None)
    variant: Json = {
        "sku": given.get("variant_sku", f"{given.get('sku', '')}-1"),
        "on_hand": int(given.get("on_hand", "0")),
    }
    if "weight_grams" in given:
        variant["weight_grams"] = int(given["weight_grams"])
    attributes = {name[len(_ATTRIBUTE) :]: value for name, value in given.items() if name.startswith(_ATTRIBUTE)}
    body |= {"price": price, "variants": [variant], "attributes": attributes}
    if "image_url" in given:
        body["images"] = [{"url": given["image_url"], "alt": given.get("image_alt", given.get("name", ""))[:200]}]
    return body


def _number(given: Mapping[str, str], name: str, otherwise: float | None) -> float:
    if name not in given:
        if otherwise is None:
            raise ValueError(f"{name}: a number is needed")
        return otherwise
    try:
        return float(given[name])
    except ValueError:
        raise ValueError(f"{name}: {given[name]!r} is no number") from None


def _json_lines(file: TextIO) -> Iterator[Line]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Line(number, None, f"no JSON: {error}")
            continue
        if isinstance(row, dict):
            yield Line(number, row)
        else:
            yield Line(number, None, "a JSON object is needed")


def _fault(error: Mapping[str, Any]) -> str:
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
