"""Importing a feed: good rows arrive, bad ones are named, and a second run finishes what the first began."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio

from handlers.products.feed import BadRow, read_lines
from infra.local.import_feed import Report, import_feed, write_rejected
from tests.products.test_crashes import crashes
from tests.support.shop import Shop, new_product
from tests.support.wait import eventually

Json = dict[str, Any]
HEADER = ["category_slug", "sku", "name", "description", "brand", "amount", "on_hand", "status", "attribute:color"]


def row(**changes: str) -> list[str]:
    """A line of a CSV feed."""
    mark = uuid4().hex[:10].upper()
    values = {
        "category_slug": "home-kitchen",
        "sku": f"FEED-{mark}",
        "name": f"Ladle {mark}",
        "description": "A ladle.",
        "brand": "Feedmaker",
        "amount": "12.50",
        "on_hand": "9",
        "status": "active",
        "attribute:color": "Red",
        **changes,
    }
    return [values[name] for name in HEADER]


def written(path: Path, rows: list[list[str]]) -> Path:
    """A CSV file with these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def _seen_in_the_end(shop: Shop) -> AsyncIterator[None]:
    """What was imported past the API is in the index before other tests compare the two."""
    yield

    async def seen() -> bool:
        listed = (await shop.get("/api/products", limit=1))["total"]
        return bool(listed == len(await shop.products()))

    await eventually(seen, 30)


@pytest.mark.asyncio(loop_scope="session")
async def test_good_rows_arrive_and_bad_ones_are_named(shop: Shop, tmp_path: Path) -> None:
    twice = f"FEED-{uuid4().hex[:8].upper()}"
    rows = [
        row(),
        row(amount="twelve"),
        row(category_slug="nowhere"),
        row(sku="lower case"),
        row(sku=twice),
        row(sku=twice),
        row(amount="-1"),
        row(name=""),
        [*row(), "too", "much"],
        row(),
        row(sku="ELEC-APPLE-IPHONE-16"),
    ]
    feed = written(tmp_path / "feed.csv", rows)
    report = await import_feed(shop.services, feed)
    reasons = dict(report.rejected)
    assert report.created == 3
    assert sorted(reasons) == [3, 4, 5, 7, 8, 9, 10, 12]
    assert "twelve" in reasons[3]
    assert "nowhere" in reasons[4]
    assert "line 6" in reasons[7]
    assert "sku_taken" in reasons[12]
    target = write_rejected(feed, report)
    assert target is not None
    assert len(target.read_text(encoding="utf-8").splitlines()) == 9
    assert write_rejected(feed, Report()) is None
    assert not target.exists()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_shop_shows_it(shop: Shop, tmp_path: Path) -> None:
    line = row(name=f"Soup Terrine {uuid4().hex[:6]}")
    await import_feed(shop.services, written(tmp_path / "feed.csv", [line]))
    slug = line[2].lower().replace(" ", "-")
    product = await shop.get(f"/api/products/{slug}")
    assert product["price"]["amount"] == 12.5
    assert product["attributes"] == {"color": "Red"}
    assert (await shop.get(f"/api/products/{product['product_id']}/inventory"))["available"] == 9
    path = f"/api/admin/products/{product['product_id']}"
    history = (await shop.as_admin("GET", path)).json()["price_history"]
    assert "changed_by" not in history[0]
    assert (await shop.as_admin("PUT", path, {"name": "Changed", "slug": f"{slug}-2"})).status_code == 200
    assert (await shop.as_admin("DELETE", path)).status_code == 204


@pytest.mark.asyncio(loop_scope="session")
async def test_json_lines_carry_whole_products(shop: Shop, tmp_path: Path) -> None:
    body = new_product()
    lines = [orjson.dumps(body), b"", b"{not json", b"[1]", orjson.dumps({**new_product(), "variants": []})]
    feed = tmp_path / "feed.jsonl"
    feed.write_bytes(b"\n".join(lines))
    report = await import_feed(shop.services, feed)
    assert report.created == 1
    assert sorted(line for line, _ in report.rejected) == [3, 4, 5]


@pytest.mark.asyncio(loop_scope="session")
async def test_no_line_however_odd_stops_the_others(shop: Shop, tmp_path: Path) -> None:
    odd = [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 6000,
        orjson.dumps({**new_product(), "name": "Lad\x00le"}),
        orjson.dumps(new_product()).replace(b'"name":"', b'"name":"\\ud800'),
        orjson.dumps({**new_product(), "name": "NaN Infinity"}),
        b"\xff\xfe",
        b"null",
    ]
    feed = tmp_path / "feed.jsonl"
    feed.write_bytes(b"\n".join([orjson.dumps(new_product()), *odd, orjson.dumps(new_product())]))
    report = await import_feed(shop.services, feed)
    assert (report.created, sorted(line for line, _ in report.rejected)) == (3, [2, 3, 4, 5, 6, 8, 9])
    feed = written(
        tmp_path / "feed.csv", [row(), row(name="Lad\x00le"), row(name="x" * 1_100_000), row(), row(amount="NaN")]
    )
    report = await import_feed(shop.services, feed)
    assert (report.created, sorted(line for line, _ in report.rejected)) == (2, [3, 4, 6])


@pytest.mark.asyncio(loop_scope="session")
async def test_a_run_that_was_cut_short_is_finished_by_the_next(shop: Shop, tmp_path: Path) -> None:
    feed = written(tmp_path / "feed.csv", [row() for _ in range(12)])
    assert await crashes(shop, 30, lambda: import_feed(shop.services, feed))
    second = await import_feed(shop.services, feed)
    assert (second.created + second.there, second.rejected) == (12, [])
    third = await import_feed(shop.services, feed)
    assert (third.created, third.there) == (0, 12)


def test_a_csv_file_without_its_columns_is_no_feed() -> None:
    with pytest.raises(BadRow, match="amount"):
        list(read_lines(io.StringIO("sku,name\nA,B\n"), is_csv=True))
