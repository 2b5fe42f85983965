"""Ours and the peer in turn: the same requests, on the same core, from copies of the same store."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from handlers.platform.responses.responses import MEMORY_BYTES
from handlers.settings import Settings
from tests.load import seed
from tests.load.drive import Sample, request, saturate
from tests.load.report import Check, Findings, Line
from tests.load.servers import Server, running
from tests.load.session import Session
from tests.load.shoppers import SHOPPERS, Shoppers, stock

Streams = Sequence[Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request and the ratio it has to reach; no floor: for information.

    `peers`: what the peer is asked instead.
    """

    key: str
    title: str
    streams: Streams
    floor: float | None
    peers: Streams | None = None

    def of(self, side: str) -> Streams:
        """The requests to one side."""
        return self.peers if self.peers is not None and side == "peer" else self.streams


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure. A round is one run of each side."""

    rounds: int
    seconds: float
    warm_up: float


FULL: Final = Plan(rounds=9, seconds=1.6, warm_up=1.0)
QUICK: Final = Plan(rounds=3, seconds=0.4, warm_up=0.3)
SIDES: Final = ("ours", "peer")
CONNECTIONS: Final = 64
OUR_RULES: Final = "/api/cart/items-by-our-rules"
PAGE_BYTES: Final = 20_000  # at least


def cases(settings: Settings) -> list[Case]:
    """What is compared."""
    paths = seed.lists()
    if len(paths) * PAGE_BYTES <= MEMORY_BYTES:
        raise ValueError("lists would be answered from memory: ask for more of them")
    others = Shoppers(settings, first=SHOPPERS)  # with carts that are empty on both sides
    again = [[request("GET", paths[0])]] * CONNECTIONS
    return [
        Case("list", "list of 20, made anew", seed.dealt(paths, CONNECTIONS), 3.5),
        Case("list", "list of 20, the same again", again, None),
        Case("detail", "detail", seed.dealt(seed.details(), CONNECTIONS), 2.3),
        Case("write", "authenticated write", seed.writes(settings), 1.5),
        Case("cart", "cart add", Shoppers(settings).adds(CONNECTIONS), 2.0),
        Case(
            "cart", "cart add, our rules in both", others.adds(CONNECTIONS), None, others.adds(CONNECTIONS, OUR_RULES)
        ),
    ]


def compare(session: Session) -> None:
    """Runs the cases that the session asks for; adds what it found."""
    session.say(f"store of {seed.PRODUCTS:,} products")
    template = session.room("template")
    seed.fill(template, users=2 * SHOPPERS)
    stock(template)
    for name in SIDES:
        shutil.copytree(template, session.folder / name)
    with ExitStack() as stack:
        both = [stack.enter_context(running(name, session, session.folder / name)) for name in SIDES]
        for case in cases(seed.settings_of(template)):
            if case.key in session.only:
                _same_answer(both, case)
                _measure(both, case, session)
        memory = ", ".join(f"{server.name} {server.anonymous_mb():.0f} MB" for server in both)
        session.findings.remarks.append(f"Anonymous memory after all of this, {seed.PRODUCTS:,} products: {memory}.")


def _measure(both: Sequence[Server], case: Case, session: Session) -> None:
    plan = QUICK if session.quick else FULL
    samples: dict[str, list[Sample]] = {server.name: [] for server in both}
    for server in both:
        saturate(server.address, case.of(server.name), seconds=plan.warm_up)
    for number in range(plan.rounds):
        # A B, B A, A B …: whatever drifts meets both alike.
        for server in both if number % 2 == 0 else reversed(both):
            before = server.cpu_seconds()
            sample = saturate(server.address, case.of(server.name), seconds=plan.seconds)
            sample.notes["cpu"] = (server.cpu_seconds() - before) / sample.requests
            expect_success(server, case.title, sample)
            samples[server.name].append(sample)
        rates = ", ".join(f"{name} {runs[-1].rate:,.0f}/s" for name, runs in samples.items())
        session.say(f"{case.title}, round {number + 1} of {plan.rounds}: {rates}")
    for server in both:
        session.findings.lines.append(Line(case.title, server.name, _values(samples[server.name])))
    _ratio(case, samples, session.findings)


def _ratio(case: Case, samples: dict[str, list[Sample]], findings: Findings) -> None:
    ratios = sorted(a.rate / b.rate for a, b in zip(samples["ours"], samples["peer"], strict=True))
    measured = statistics.median(ratios)
    by_cpu = statistics.median(
        b.notes["cpu"] / a.notes["cpu"] for a, b in zip(samples["ours"], samples["peer"], strict=True)
    )
    if case.floor is not None:
        spread = (ratios[0], ratios[-1])
        findings.checks.append(Check(f"{case.title}, ours over the peer", measured, case.floor, "×", spread=spread))
    busiest = max(sample.driver_busy for runs in samples.values() for sample in runs)
    findings.remarks.append(
        f"{case.title}: {measured:.2f} × by requests a second, {by_cpu:.2f} × by CPU time; "
        f"the generator was busy {busiest:.0%} of its core at most."
    )


def _values(runs: Sequence[Sample]) -> dict[str, float]:
    def middle(of: Callable[[Sample], float]) -> float:
        return statistics.median(of(run) for run in runs)

    return {
        "requests/s": middle(lambda run: run.rate),
        "p50 ms": middle(lambda run: run.percentile(0.5)),
        "p95 ms": middle(lambda run: run.percentile(0.95)),
        "p99 ms": middle(lambda run: run.percentile(0.99)),
        "CPU µs each": middle(lambda run: run.notes["cpu"] * 1e6),
        "body kB": middle(lambda run: run.body_bytes / run.requests / 1000),
    }


def expect_success(server: Server, title: str, sample: Sample) -> None:
    """Raises `RuntimeError` unless every answer was a success."""
    if set(sample.statuses) != {200}:
        output = server.output.read_text()[-2000:]
        raise RuntimeError(f"{title}: {server.name} answered {dict(sample.statuses)}\n{output}")


def _same_answer(both: Sequence[Server], case: Case) -> None:
    """Refuses to compare what is not the same. Writes differ in the moment of the change alone."""
    bodies = [timeless(fetch(server, case.of(server.name)[0][0])) for server in both]
    if bodies[0] != bodies[1]:
        raise RuntimeError(f"{case.title}: the two do not answer the same")


def timeless(node: Any) -> Any:
    """An answer without its moments."""
    if isinstance(node, list):
        return [timeless(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {name: timeless(value) for name, value in node.items() if not name.endswith("_at")}


def fetch(server: Server, raw: bytes) -> dict[str, object]:
    """One request on a connection of its own; the JSON of its answer."""
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(raw.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{server.name} answered {head.splitlines()[0].decode()}: {body[:500].decode()}")
    answer: dict[str, object] = json.loads(body)
    return answer
