"""Figures of the embedded document store on this machine: `python -m tests.load.bench_store [folder]`.

The folder should be on the disk that is meant; a memory file system makes every sync free.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from generated.containers import Container, Index, Key
from handlers.platform.store.port import And, Create, Eq, Json, Patch, Query, Range, Sort
from handlers.platform.store.sqlite import SqliteStore

NOTES = Container(
    name="notes", partition_key=("owner",), indexes=(Index((Key("status"), Key("at", True))), Index((Key("rank"),)))
)
# Every order of a catalogue twice: in one category, and in all.
SORTED = ("price.amount", "name", "created_at", "rating.average", "analytics.purchases")
PRODUCTS = Container(
    name="products",
    partition_key=("category_slug",),
    filters=("brand",),
    indexes=tuple(
        Index((*front, Key("status"), Key(path))) for front in ((), (Key("category_slug"),)) for path in SORTED
    ),
    cross_partition=frozenset({"catalogue"}),
)
ORDERS = Container(
    name="orders",
    partition_key=("user_id",),
    indexes=(
        Index((Key("user_id"), Key("status"), Key("created_at", True))),
        Index((Key("user_id"), Key("created_at", True))),
        Index((Key("status"), Key("created_at", True))),
        Index((Key("created_at", True),)),
        Index((Key("email"), Key("created_at", True))),
        Index((Key("created_at"),), kind="outbox"),
    ),
    kinds={"outbox": 604800},
)
CATALOGUE = 100_000
CALLERS = 64


def note(number: int) -> Json:
    """About 1 kB, two indexes."""
    return {
        "id": f"note-{number:09d}",
        "owner": f"owner-{number % 997}",
        "status": "open",
        "at": f"2026-01-01T00:00:{number % 60:02d}.000Z",
        "rank": number * 7919 % 10_007,
        "text": "x" * 870,
    }


def product(number: int) -> Json:
    """About 1.3 kB."""
    chance = random.Random(number)
    return {
        "id": f"product-{number:08d}",
        "category_slug": f"category-{number % 250}",
        "slug": f"slug-{number}",
        "name": f"Thing {chance.random():.6f}",
        "status": "active" if number % 20 else "draft",
        "brand": f"brand-{number % 40}",
        "price": {"amount": round(chance.random() * 900, 2), "currency": "USD"},
        "rating": {"average": round(chance.random() * 5, 1), "count": number % 90},
        "analytics": {"purchases": chance.randrange(5000), "views": 7},
        "created_at": f"2026-01-{number % 28 + 1:02d}T00:00:00.000Z",
        "description": "y" * 900,
    }


async def in_parallel(work: Callable[[int], Awaitable[object]], total: int, callers: int) -> list[float]:
    """Runs `work` for every number; answers each one's seconds."""
    numbers = iter(range(total))
    took: list[float] = []

    async def caller() -> None:
        for number in numbers:
            started = time.perf_counter()
            await work(number)
            took.append(time.perf_counter() - started)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return sorted(took)


async def lag(until: asyncio.Event) -> list[float]:
    """How late the event loop is, probed every 2 ms."""
    late = []
    while not until.is_set():
        started = time.perf_counter()
        await asyncio.sleep(0.002)
        late.append(time.perf_counter() - started - 0.002)
    return sorted(late)


async def writes(store: SqliteStore, name: str, work: Callable[[int], Awaitable[object]], total: int) -> None:
    """Writes a second, their time, and what they do to the loop."""
    done = asyncio.Event()
    probe = asyncio.create_task(lag(done))
    started, cpu = time.perf_counter(), time.process_time()
    took = await in_parallel(work, total, CALLERS)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    done.set()
    late = await probe
    p50, p99 = took[len(took) // 2] * 1e3, took[-len(took) // 100] * 1e3
    print(f"{name:34} {total / wall:8.0f}/s   p50 {p50:6.2f} ms  p99 {p99:6.2f} ms", end="")
    print(f"  cpu {cpu / total * 1e6:5.0f} us   loop lag p99 {late[-len(late) // 100 - 1] * 1e3:.2f} ms")


async def reads(name: str, work: Callable[[int], Awaitable[object]], total: int) -> None:
    """Reads a second from one caller, and the CPU time of each."""
    await work(0)
    started, cpu = time.perf_counter(), time.process_time()
    for number in range(total):
        await work(number)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"{name:34} {total / wall:8.0f}/s   {wall / total * 1e6:7.1f} us   cpu {cpu / total * 1e6:7.1f} us")


async def main(folder: Path) -> None:
    """All figures."""
    store = SqliteStore.open(folder / "bench.sqlite", {one.name: one for one in (NOTES, PRODUCTS, ORDERS)})
    await in_parallel(lambda n: store.write("notes", Create(note(10_000_000 + n))), 2000, CALLERS)
    await writes(store, "create 1 kB, 64 callers", lambda n: store.write("notes", Create(note(n))), 20_000)
    await writes(
        store,
        "conditional patch, 64 callers",
        lambda n: store.write(
            "notes",
            Patch(f"note-{n:09d}", increments={"rank": 1}, condition=Eq("status", "open")),
            partition=f"owner-{n % 997}",
        ),
        10_000,
    )

    async def order(n: int) -> object:
        pk = f"user-{n}"
        row = {"id": f"order-{n}", "user_id": pk, "status": "pending", "created_at": "2026-01-01T00:00:00.000Z"}
        event = {"id": f"event-{n}", "user_id": pk, "kind": "outbox", "created_at": "2026-01-01T00:00:00.000Z"}
        return await store.batch(
            "orders", pk, [Create({**row, "email": "a@b.c", "t": "x" * 900}), Create({**event, "t": "x" * 700})]
        )

    await writes(store, "order + outbox row, 64 callers", order, 10_000)
    started = time.perf_counter()
    await in_parallel(lambda n: store.write("products", Create(product(n))), CATALOGUE, 256)
    print(f"{CATALOGUE} products in {time.perf_counter() - started:.0f} s")
    await reads(
        "point read 1.3 kB", lambda n: store.read("products", f"category-{n % 250}", f"product-{n:08d}"), 30_000
    )
    shop = Eq("status", "active")
    price = (Sort("price.amount"),)
    pages = {
        "page of 20 by price": Query("products", None, shop, price, purpose="catalogue"),
        "page of 20 by price, descending": Query(
            "products", None, shop, (Sort("price.amount", True),), purpose="catalogue"
        ),
        "  behind a cursor": Query(
            "products", None, shop, price, after=(450.0, "product-00000001", "category-1"), purpose="catalogue"
        ),
        "  of one category": Query("products", "category-7", shop, price),
        "  with a price range": Query(
            "products", None, And([shop, Range("price.amount", ge=100, lt=200)]), price, purpose="catalogue"
        ),
        "  filtered by brand": Query("products", None, And([shop, Eq("brand", "brand-7")]), price, purpose="catalogue"),
    }
    for name, query in pages.items():
        await reads(name, lambda _, query=query: store.query(query), 2000)  # type: ignore[misc]  # a default binds the loop's value
    await reads("count of a category", lambda n: store.count(Query("products", f"category-{n % 250}", shop)), 2000)
    await reads("count of all active", lambda _: store.count(Query("products", None, shop, purpose="catalogue")), 20)
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as temporary:
        asyncio.run(main(Path(temporary)))
