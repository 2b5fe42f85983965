"""The catalogue at 100,000 products: lists, filters, facets, search at a steady rate; details beside a small shop."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final
from urllib.parse import quote

from infra.local.demo import synthetic
from infra.local.demo.load import PASSWORD
from tests.load import seed
from tests.load.drive import Track, pace, request, saturate
from tests.load.pairs import CONNECTIONS, expect_success, fetch
from tests.load.report import Check, Line
from tests.load.servers import Server, running
from tests.load.session import Session

PRODUCTS: Final = 100_000
RATE: Final = 50.0  # a second, over all kinds
LOGINS: Final = 20.0  # a minute
P95_MS: Final = 50.0
SECONDS: Final = 24.0
_WORDS: Final = (
    "wool",
    "golden lamp",
    "cermaic teapot",
    "frosty",
    "puzzel",
    "nordhaus camera",
    "quiet oak",
    "series 7",
)
_FILTERS: Final = (
    '{"price":{"min":50,"max":120}}',
    '{"brand":["Nordhaus","Peakline"],"in_stock":true}',
    '{"rating":4,"attributes":{"color":["Red","Blue"]}}',
    '{"attributes":{"material":["Oak"]},"price":{"max":300}}',
)


def catalogue(session: Session) -> None:
    """Measures a large shop alone, then its details beside a small one; adds what it found."""
    products = 5_000 if session.quick else PRODUCTS
    large, small = session.room("large"), session.room("small")
    session.say(f"store of {products:,} products")
    seed.fill(large, products, users=1)
    seed.fill(small, 0, users=1)
    with ExitStack() as stack:
        big = stack.enter_context(running("ours", session, large))
        memory = big.anonymous_mb()
        session.findings.remarks.append(
            f"With {products:,} products the first answer came after {big.first_answer:.1f} s; "
            f"{memory:.0f} MB of anonymous memory then, ",
        )
        _steady(big, session)
        session.findings.remarks[-1] += f"{big.anonymous_mb():.0f} MB after the load."
        other = stack.enter_context(running("ours", session, small))
        _details(big, other, products, session)


def _steady(server: Server, session: Session) -> None:
    seconds = 4.0 if session.quick else SECONDS
    session.say(f"{RATE:g} requests a second for {seconds:g} s, {LOGINS:g} logins a minute beside them")
    kinds = {"list": _lists(), "filter": _filtered(), "facets": _facets(), "search": _searches()}
    tracks = {kind: Track([request("GET", path) for path in paths], RATE / len(kinds)) for kind, paths in kinds.items()}
    body = f'{{"email":"customer@example.com","password":"{PASSWORD}"}}'.encode()
    tracks["login"] = Track([request("POST", "/api/auth/login", body=body)], LOGINS / 60)
    before = server.cpu_seconds()
    for kind, sample in pace(server.address, tracks, seconds=seconds).items():
        expect_success(server, kind, sample)
        values = {f"p{share * 100:g} ms": sample.percentile(share) for share in (0.5, 0.95, 0.99)}
        session.findings.lines.append(
            Line(f"{kind}, paced", "ours", {**values, "most ms": sample.latencies[-1] * 1000})
        )
        if kind in kinds:
            check = Check(f"p95 of {kind} in a large catalogue", values["p95 ms"], P95_MS, "ms", "at most")
            session.findings.checks.append(check)
    busy = (server.cpu_seconds() - before) / seconds
    session.findings.remarks.append(f"The large catalogue under that load took {busy:.0%} of its core.")


def _details(big: Server, small: Server, products: int, session: Session) -> None:
    """Random details of the large shop and of the small one, on one core.

    Many short rounds, A B, B A: what the machine does meanwhile meets both, and spoils few of them. The median of the
    rounds' ratios counts. CPU time a request, which others on the core do not change, is told beside it.
    """
    big_stream = seed.dealt(seed.details(products), CONNECTIONS)
    streams = ((big, big_stream), (small, seed.dealt(_demo_paths(small), CONNECTIONS)))
    rates: dict[Server, list[float]] = {big: [], small: []}
    cpu: dict[Server, list[float]] = {big: [], small: []}
    for server, stream in streams:
        saturate(server.address, stream, seconds=0.5 if session.quick else 3.0)
    rounds, seconds = (2, 0.4) if session.quick else (21, 0.6)
    for number in range(rounds):
        for server, stream in streams if number % 2 == 0 else reversed(streams):
            before = server.cpu_seconds()
            sample = saturate(server.address, stream, seconds=seconds)
            expect_success(server, "detail", sample)
            rates[server].append(sample.rate)
            cpu[server].append((server.cpu_seconds() - before) / sample.requests)
        session.say(f"detail, round {number + 1} of {rounds}: {rates[big][-1]:,.0f}/s and {rates[small][-1]:,.0f}/s")
    for name, server in ((f"detail, {products:,} products", big), ("detail, 205 products", small)):
        values = {"requests/s": statistics.median(rates[server]), "CPU µs": statistics.median(cpu[server]) * 1e6}
        session.findings.lines.append(Line(name, "ours", values))
    ratios = sorted(one / other for one, other in zip(rates[big], rates[small], strict=True))
    spread = (ratios[0], ratios[-1])
    by_cpu = statistics.median(other / one for one, other in zip(cpu[big], cpu[small], strict=True))
    middle = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    session.findings.remarks.append(
        f"Detail, large over small: {by_cpu:.2f} × by CPU time; "
        f"half of the rounds' ratios by requests a second lie between {middle[0]:.2f} and {middle[1]:.2f}."
    )
    check = Check("detail, large catalogue over small", statistics.median(ratios), 0.9, "×", spread=spread)
    session.findings.checks.append(check)


def _leaves() -> list[str]:
    return sorted({document["category_slug"] for document in synthetic.products(60)})


def _lists() -> list[str]:
    orders = [("price", "asc"), ("popularity", "desc"), ("rating", "desc"), ("created_at", "desc"), ("name", "asc")]
    return [
        f"/api/products?{where}sort={sort}&order={order}&page={page}"
        for page in (1, 2, 5)
        for sort, order in orders
        for where in ("", *(f"category={leaf}&" for leaf in _leaves()))
    ]


def _filtered() -> list[str]:
    return [
        f"/api/products?{where}filters={quote(wanted)}&sort={sort}"
        for sort in ("price", "rating")
        for wanted in _FILTERS
        for where in ("", *(f"category={leaf}&" for leaf in _leaves()))
    ]


def _facets() -> list[str]:
    return [
        f"/api/products/filters?{where}{wanted}"
        for wanted in ("", *(f"filters={quote(each)}" for each in _FILTERS), *(f"q={quote(words)}" for words in _WORDS))
        for where in ("", *(f"category={leaf}&" for leaf in _leaves()))
    ]


def _searches() -> list[str]:
    return [
        f"/api/products/search?q={quote(words)}&page={page}{where}"
        for page in (1, 2)
        for words in _WORDS
        for where in ("", *(f"&category={leaf}" for leaf in _leaves()))
    ]


def _demo_paths(server: Server) -> Sequence[str]:
    paths: list[str] = []
    for page in range(1, 4):
        answer = fetch(server, request("GET", f"/api/products?limit=100&page={page}"))
        items = answer["items"]
        assert isinstance(items, list)
        paths += [f"/api/products/{item['product_id']}" for item in items]
    return paths
