"""The Cosmos adapter beside the bare SDK, and request units per operation: `python -m tests.load.cosmos`.

The processor's time is measured without a network: a transport that answers at once, the same for both sides. Request
units are those the stand-in reports: modelled after Microsoft's published figures, not measured at Azure.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from azure.core.pipeline.transport import AsyncHttpResponse, HttpRequest
from azure.cosmos.aio import CosmosClient

from generated.containers import CONTAINERS
from handlers.app import build_services, create_app
from handlers.platform.logs import LineWriter
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_connection import Account
from handlers.platform.store.cosmos_indexing import definition
from handlers.platform.store.port import Create, DocumentStore, Eq, Json, Query, Sort
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from infra.local.cosmos.server import Server
from infra.local.cosmos.transport import InProcessResponse, InProcessTransport, request_of
from infra.local.cosmos.wire import Request, Response
from tests.load.apart import run_apart, take_over
from tests.load.bench_store import NOTES, note
from tests.load.checkout_units import Meter, http_part, whole_process
from tests.load.report import Check, Findings, Line
from tests.load.session import Session

ROUNDS: Final = 150
CALLS: Final = 20
CEILING: Final = 1.15
PARTITIONS: Final = 4
SHOPPERS: Final = 12  # who order at once
_DATABASE: Final = "bench"


@dataclass(frozen=True, slots=True)
class Overhead:
    """Processor time per call in microseconds, ours and the bare SDK's, by short rounds in turn."""

    what: str
    ours: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """Ours over the bare SDK's: the median over pairs of rounds, which a machine with other work disturbs least."""
        return statistics.median(self.rounds)

    @property
    def rounds(self) -> list[float]:
        """The ratio of each pair of rounds."""
        return [ours / bare for ours, bare in zip(self.ours, self.bare, strict=True)]


@dataclass(frozen=True, slots=True)
class Units:
    """Request units of one operation, modelled, and the most it may cost (None: no bound)."""

    what: str
    units: float
    most: float | None = None


class CannedTransport(InProcessTransport):
    """Asks the stand-in the first time, and answers the same ever after."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._answers: dict[tuple[str | None, ...], Response] = {}

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """Answers one request."""
        key = (request.method, request.url, request.headers.get("Prefer"))
        if key not in self._answers or "pkranges" in request.url:
            asked: Request = request_of(request)
            self._answers[key] = await self._server.handle(asked)
        return InProcessResponse(request, self._answers[key])


async def overhead(*, rounds: int = ROUNDS, calls: int = CALLS) -> list[Overhead]:
    """A point read and a write of 1 kB with two indexes, ours and the bare SDK's in turn."""
    server = Server(f"http://overhead-{time.monotonic_ns()}.test", time.time)
    server.provide(_DATABASE, [definition(NOTES)])
    transport = CannedTransport(server)
    store = CosmosStore(Account(server.url, _DATABASE, WELL_KNOWN_KEY), {"notes": NOTES}, transport=transport)
    document, other = note(1), note(2)
    await store.write("notes", Create(document))
    async with CosmosClient(server.url, WELL_KNOWN_KEY, consistency_level="Session", transport=transport) as client:
        proxy = client.get_database_client(_DATABASE).get_container_client("notes")
        pairs: dict[str, tuple[Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]] = {
            "point read": (
                lambda: store.read("notes", document["owner"], document["id"]),
                lambda: proxy.read_item(document["id"], document["owner"]),
            ),
            "write": (
                lambda: store.write("notes", Create(document)),
                lambda: proxy.create_item(other),
            ),
        }
        found = [await _compare(name, *sides, rounds, calls) for name, sides in pairs.items()]
    await store.close()
    return found


async def _compare(
    what: str, ours: Callable[[], Awaitable[Any]], bare: Callable[[], Awaitable[Any]], rounds: int, calls: int
) -> Overhead:
    measured = Overhead(what, [], [])
    for call in (ours, bare):
        await _time(call, calls)
    for _ in range(rounds):
        measured.ours.append(await _time(ours, calls))
        measured.bare.append(await _time(bare, calls))
    return measured


async def _time(call: Callable[[], Awaitable[Any]], calls: int) -> float:
    """Processor time of one call, in microseconds."""
    started = time.process_time()
    for _ in range(calls):
        await call()
    return (time.process_time() - started) / calls * 1e6


async def request_units() -> list[Units]:
    """What operations cost by the model, on a container of four ranges, the dearer case for reads across."""
    server, store = _shop()
    for number in range(60):
        await store.write("orders", Create(_order(number)))
    await store.write("products", Create(_product()))
    newest = (Sort("created_at", True),)
    mine = Query("orders", "user-1", sort=newest, limit=20)
    staff = Query("orders", None, Eq("status", "paid"), newest, limit=20, purpose="staff_orders")
    placed = [Create(_order(99)), Create(_event(99))]
    found = [
        Units("catalogue: product, point read of 2 kB", await _cost(server, _read_product(store)), 3),
        Units("list of 20 in a partition (orders of 1 kB)", await _cost(server, store.query(mine)), 15),
        Units("list of 20 across 4 ranges (staff)", await _cost(server, store.query(staff))),
        Units("count in a partition", await _cost(server, store.count(mine))),
        Units("order with its event, one batch", await _cost(server, store.batch("orders", "user-1", placed))),
        Units("write of 1 kB", await _cost(server, store.write("orders", Create(_order(100))))),
    ]
    await store.close()
    found += await _journey(*_shop())
    with tempfile.TemporaryDirectory() as folder:
        http = await http_part(*_shop(), Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        alone = await whole_process(*_shop(), Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        whole = await whole_process(*_shop(), Path(folder), SHOPPERS)
    return [
        *found,
        Units("checkout: add to the cart and order", round(http, 2), 120),
        # 400 until the quote that a saved card needs, the account's version at each write and two mails came with it.
        Units("checkout: all of it until the order is paid, a lone order", round(alone, 2), 450),
        Units(f"checkout: all of it, each of {SHOPPERS} orders at once", round(whole, 2), 400),
    ]


def _shop() -> tuple[Meter, CosmosStore]:
    """Every container, empty."""
    server = Meter(f"http://units-{time.monotonic_ns()}.test", time.time, partitions=PARTITIONS)
    server.provide(_DATABASE, [definition(container) for container in CONTAINERS.values()])
    account = Account(server.url, _DATABASE, WELL_KNOWN_KEY)
    return server, CosmosStore(account, CONTAINERS, transport=InProcessTransport(server))


async def _read_product(store: DocumentStore) -> None:
    assert await store.read("products", "electronics", "product-1") is not None


async def _cost(server: Server, operation: Awaitable[Any]) -> float:
    before = server.charged
    await operation
    return round(server.charged - before, 2)


async def _journey(server: Server, store: CosmosStore) -> list[Units]:
    """Signing up and in through the whole application; everything counts, what is done in the background too."""
    import httpx  # noqa: PLC0415 - the application's part only

    from tests.support.app import lifespan, settings_for  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), None, ROLE="crud", AGENT_BASE_URL="none")  # no relay: it polls
        services = build_services(settings, store=store)
        app = create_app(settings, services, LineWriter(os.open(os.devnull, os.O_WRONLY)))
        transport = httpx.ASGITransport(app=app)
        async with lifespan(app), httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            person = {"email": "dana@example.com", "password": "Mountain-Rail#42"}

            async def call(path: str, body: Json) -> None:
                answer = await client.post(path, json=body)
                assert answer.status_code < 300, answer.text
                await services.background.drain()

            await call("/api/auth/signup", {"name": "Ben", **person, "email": "ben@example.com"})  # opens containers
            signup = await _cost(server, call("/api/auth/signup", {"name": "Dana", **person}))
    return [Units("signup, with claim, token and event", signup, 30)]


def _order(number: int) -> Json:
    document = {
        "id": f"order-{number:03d}",
        "user_id": "user-1" if number % 2 else f"user-{number}",
        "email": "dana@example.com",
        "status": "paid",
        "payment_status": "paid",
        "fulfillment_status": "new",
        "created_at": f"2026-01-25T10:{number % 60:02d}:00.000Z",
        "items": [],
        "text": "x" * 700,
    }
    return {**document, "user_id": "user-1"} if number >= 99 else document


def _event(number: int) -> Json:
    return {
        "id": f"event-{number}",
        "user_id": "user-1",
        "kind": "outbox",
        "ttl": 604_800,
        "envelope": {"x": "y" * 600},
    }


def _product() -> Json:
    return {
        "id": "product-1",
        "category_slug": "electronics",
        "updated_at": "2026-01-25T10:45:00.000Z",
        "text": "x" * 1_900,
    }


def cosmos(session: Session) -> None:
    """Measures in a process on the servers' core; adds what it found."""
    session.say("cosmos: processor time over the bare SDK, request units by the model")
    take_over(session.findings, run_apart(session, "tests.load.cosmos", "json"))


def measure(findings: Findings, *, quick: bool = False) -> None:
    """Measures in this process; adds what it found."""
    for one in asyncio.run(overhead(rounds=15 if quick else ROUNDS)):
        middle = {"ours": statistics.median(one.ours), "bare SDK": statistics.median(one.bare)}
        findings.lines += [Line(f"cosmos {one.what}", side, {"µs of CPU": value}) for side, value in middle.items()]
        rounds = statistics.quantiles(one.rounds, n=10)
        title = f"Cosmos {one.what}: CPU over the bare SDK"
        findings.checks.append(Check(title, one.ratio, CEILING, "x", "at most", spread=(rounds[0], rounds[-1])))
    for cost in asyncio.run(request_units()):
        findings.lines.append(Line(f"RU (modelled): {cost.what}", "ours", {"RU": cost.units}))
        if cost.most is not None:
            findings.checks.append(Check(f"RU, modelled: {cost.what}", cost.units, cost.most, "RU", "at most"))
    findings.remarks.append("Request units are the stand-in's: modelled on published figures, not measured at Azure.")


def main() -> int:
    """Prints the figures, with `json` as the bench reads them; exit code 1 when a bound is missed (not with `json`)."""
    findings = Findings({})
    measure(findings, quick="quick" in sys.argv)
    if "json" in sys.argv:
        print(orjson.dumps(findings.as_json()).decode())
        return 0
    for line in findings.lines:
        print(f"{line.what:60} {line.side:10} {orjson.dumps(line.values).decode()}")
    for check in findings.checks:
        print(check)
    print(*findings.remarks, sep="\n")
    return 1 if findings.missed() else 0


if __name__ == "__main__":
    raise SystemExit(main())
