"""`make import FILE=feed.csv` (or .jsonl): adds the products of a feed to the store that the environment names.

Bad lines are reported with number and reason and the rest is imported; they are also written to `FILE.rejected.csv`. A
run that was cut short is simply started again: what is there already is passed over.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from handlers.app import build_services
from handlers.categories.store import Categories
from handlers.contract.services import Services
from handlers.platform.clock import timestamp
from handlers.platform.errors import Problem
from handlers.platform.ids import new_id
from handlers.platform.store.port import StoreError
from handlers.products.bulk import add
from handlers.products.feed import BadRow, Line, Shop, product_of, read_lines
from handlers.products.store import CONTAINER
from handlers.products.write import Author
from handlers.settings import SettingsError, load_settings

TOGETHER: Final = 256
SHOWN: Final = 20
_WIDTH: Final = 30


@dataclass(slots=True)
class Report:
    """What has become of the lines so far."""

    created: int = 0
    there: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    lines_of: dict[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """How many lines were read."""
        return self.created + self.there + len(self.rejected)


async def import_feed(services: Services, path: Path, progress: TextIO | None = None) -> Report:
    """Imports a feed. Raises `BadRow` when it is no feed at all."""
    tree = await services.room(Categories).tree()
    shop = Shop(services.settings.shop_currency, frozenset(tree.all))
    author = Author(None, new_id("import"))
    report, bar = Report(), Bar(path.stat().st_size, progress)  # noqa: ASYNC240 - a command of its own, nobody waits
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = read_lines(file, is_csv=path.suffix.lower() == ".csv")
        while chunk := list(islice(lines, TOGETHER)):
            now = timestamp(services.clock.now())
            products = list(_products(chunk, now, shop, report))
            await asyncio.gather(*(_add(services, number, product, author, report) for number, product in products))
            bar.show(file.buffer.tell(), report)  # type: ignore[attr-defined]  # it has one
    bar.end(report)
    services.responses.changed(CONTAINER)
    return report


def _products(lines: list[Line], now: str, shop: Shop, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    for line in lines:
        if line.row is None:
            report.rejected.append((line.number, line.fault))
            continue
        try:
            product = product_of(line.row, now, shop)
        except BadRow as bad:
            report.rejected.append((line.number, str(bad)))
            continue
        first = report.lines_of.setdefault(product["sku"], line.number)
        if first == line.number:
            yield line.number, product
        else:
            report.rejected.append((line.number, f"sku: {product['sku']} stands on line {first} already"))


async def _add(services: Services, number: int, product: dict[str, Any], author: Author, report: Report) -> None:
    try:
        if await add(services, product, author) == "created":
            report.created += 1
        else:
            report.there += 1
    except Problem as problem:
        report.rejected.append((number, f"{problem.message} ({problem.rule})"))
    except StoreError as error:
        report.rejected.append((number, f"not written, start again: {type(error).__name__}"))


class Bar:
    """A progress bar on a terminal; elsewhere nothing."""

    def __init__(self, size: int, out: TextIO | None) -> None:
        self._size = max(size, 1)
        self._out = out if out is not None and out.isatty() else None
        self._started = time.monotonic()

    def show(self, position: int, report: Report) -> None:
        """Draws the bar anew."""
        if self._out is None:
            return
        share = min(1.0, position / self._size)
        seconds = time.monotonic() - self._started
        done = "#" * round(share * _WIDTH)
        speed = report.lines / seconds if seconds else 0
        self._out.write(f"\r[{done:.<{_WIDTH}}] {share:4.0%}  {report.lines:,} lines  {speed:,.0f}/s ")
        self._out.flush()

    def end(self, report: Report) -> None:
        """Draws the full bar and ends the line."""
        self.show(self._size, report)
        if self._out is not None:
            self._out.write("\n")


def write_rejected(path: Path, report: Report) -> Path | None:
    """Writes the bad lines beside the feed; None when there are none."""
    target = path.with_name(f"{path.name}.rejected.csv")
    if not report.rejected:
        target.unlink(missing_ok=True)
        return None
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason"])
        writer.writerows(sorted(report.rejected))
    return target


async def _main(path: Path) -> int:
    services = build_services(load_settings(os.environ))
    started = time.monotonic()
    try:
        report = await import_feed(services, path, sys.stderr)
    finally:
        await services.background.drain()
        services.passwords.close()
        await services.responses.close()
        await services.cache.close()
        await services.store.close()
    seconds = time.monotonic() - started
    print(
        f"{report.created:,} products imported, {report.there:,} were there, {len(report.rejected):,} lines rejected, "
        f"in {seconds:.1f} s"
    )
    for number, reason in sorted(report.rejected)[:SHOWN]:
        print(f"  line {number}: {reason}")
    rejected = write_rejected(path, report)
    if rejected is not None:
        print(f"  all of them: {rejected}")
    return 0 if not report.rejected else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the feed: make import FILE=feed.csv")
    try:
        sys.exit(asyncio.run(_main(Path(sys.argv[1]))))
    except (SettingsError, BadRow, OSError) as error:
        sys.exit(str(error))
