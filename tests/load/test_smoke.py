"""The pieces of the bench work: the driver counts right, the peer answers as we do, reports say what was found."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from handlers.app import build_services, create_app
from handlers.platform.logs import LineWriter
from handlers.platform.store.port import Query
from infra.contract.bundle import ROOT
from tests.load import seed, shoppers
from tests.load.drive import Address, LoadFailed, Track, pace, request, saturate
from tests.load.pairs import timeless
from tests.load.peer import create_peer
from tests.load.report import Check, Findings, Line, svg, table, write
from tests.support.app import client_of, lifespan

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the bench runs on Linux")


# --- the driver -----------------------------------------------------------------------------------------------------


@contextmanager
def answering(*parts: bytes, most: int = 10_000) -> Iterator[Address]:
    """A server that answers every request with the parts, each sent for itself, and leaves after `most` of them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            for _ in range(most):
                if not connection.recv(65536):
                    return
                for part in parts:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sendall(part)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        listener.close()


PARTS = [
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",),
    (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\nx: y\r\n\r", b"\nhe", b"llo"),
]


@pytest.mark.parametrize("parts", PARTS)
def test_the_closed_loop_counts_every_answer(parts: tuple[bytes, ...]) -> None:
    with answering(*parts) as address:
        sample = saturate(address, [[request("GET", "/")]] * 4, seconds=30, most=50)
    assert (sample.requests, dict(sample.statuses), sample.body_bytes) == (50, {200: 50}, 250)
    assert list(sample.latencies) == sorted(sample.latencies)
    assert sample.percentile(0.5) <= sample.percentile(0.99) <= sample.percentile(1.0)


def test_the_closed_loop_tells_failures_apart() -> None:
    with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as address:
        assert dict(saturate(address, [[request("GET", "/")]], seconds=30, most=3).statuses) == {204: 3}
    with answering(b"HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n") as address:
        assert dict(saturate(address, [[request("GET", "/")]], seconds=30, most=3).statuses) == {503: 3}


def test_a_closed_connection_is_no_answer() -> None:
    with answering(*PARTS[0], most=2) as address, pytest.raises(LoadFailed):
        saturate(address, [[request("GET", "/")]], seconds=30, most=5)


def test_the_open_loop_sends_what_is_due() -> None:
    tracks = {"a": Track([request("GET", "/a")], rate=100.0), "b": Track([request("GET", "/b")], rate=20.0)}
    with answering(*PARTS[0]) as address:
        samples = pace(address, tracks, seconds=0.5, connections=4)
    assert {name: dict(sample.statuses) for name, sample in samples.items()} == {"a": {200: 50}, "b": {200: 10}}


# --- the peer -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Ours and the peer, each with a copy of one store."""
    (tmp_path / "ours").mkdir()
    await seed.filled(seed.settings_of(tmp_path / "ours", PASSWORD_HASH_COST="4"), products=80, users=2)
    shutil.copytree(tmp_path / "ours", tmp_path / "peer")
    async with AsyncExitStack() as stack:
        clients = {}
        for name, create in (("ours", create_app), ("peer", create_peer)):
            settings = seed.settings_of(tmp_path / name, RATE_LIMIT_SCALE="1000")
            app = create(settings, build_services(settings), LineWriter(os.open(os.devnull, os.O_WRONLY)))
            await stack.enter_async_context(lifespan(app))
            clients[name] = await stack.enter_async_context(client_of(app))
        yield clients


async def answers(both: dict[str, httpx.AsyncClient], method: str, path: str, **more: Any) -> list[httpx.Response]:
    """What both answer."""
    return [await client.request(method, path, **more) for client in both.values()]


async def test_the_peer_answers_what_we_answer(both: dict[str, httpx.AsyncClient]) -> None:
    paths = [*seed.details(80)[:3], "/api/products?limit=20", "/api/products?sort=price&order=asc&page=2&limit=20"]
    paths += [f"/api/products?category={leaf}&sort=rating" for leaf in ("toys", "electronics-laptops")]
    for path in paths:
        ours, peer = await answers(both, "GET", path)
        assert (ours.status_code, peer.status_code) == (200, 200), path
        assert ours.json() == peer.json(), path
        for name in ("cache-control", "ratelimit-limit", "etag", "content-security-policy"):
            assert ours.headers.get(name) == peer.headers.get(name), (path, name)


async def test_the_peer_writes_what_we_write(both: dict[str, httpx.AsyncClient], tmp_path: Path) -> None:
    bearer = {"authorization": f"Bearer {seed.token(seed.settings_of(tmp_path / 'ours'), 1)}"}
    ours, peer = await answers(both, "PUT", "/api/users/me", headers=bearer, json={"name": "Dana W. Whitfield"})
    assert ours.status_code == peer.status_code == 200
    bodies = [answer.json() for answer in (ours, peer)]
    for body in bodies:
        assert body.pop("updated_at") > body["created_at"]
    assert bodies[0] == bodies[1]
    assert bodies[0]["name"] == "Dana W. Whitfield"
    events = [await event_of(tmp_path / name) for name in both]
    assert events[0] == events[1]
    assert events[0]["changed_fields"] == ["name"]


async def test_the_peer_fills_a_cart_as_we_do(both: dict[str, httpx.AsyncClient], tmp_path: Path) -> None:
    for name in both:
        await shoppers.stocked(seed.settings_of(tmp_path / name))
    bearer = {"authorization": f"Bearer {seed.token(seed.settings_of(tmp_path / 'ours'), 1, seed.CUSTOMER)}"}
    for article in (shoppers.goods()[0], shoppers.goods()[1], shoppers.goods()[0]):
        body = {**article, "quantity": 2}
        ours, peer = await answers(both, "POST", "/api/cart/items", headers=bearer, json=body)
        assert (ours.status_code, peer.status_code) == (200, 200), (ours.text, peer.text)
        assert timeless(ours.json()) == timeless(peer.json())
    assert [item["quantity"] for item in ours.json()["items"]] == [4, 2]
    for bad in ({"product_id": "product-none", "quantity": 1}, {**shoppers.goods()[0], "quantity": 99}):
        ours, peer = await answers(both, "POST", "/api/cart/items", headers=bearer, json=bad)
        assert ours.status_code == peer.status_code == 422
        assert ours.json()["error"]["code"] == peer.json()["error"]["code"]


async def test_the_peer_refuses_what_we_refuse(both: dict[str, httpx.AsyncClient]) -> None:
    bad = {"authorization": "Bearer nonsense"}
    for method, path, more in (
        ("GET", "/api/products/no-such-product", {}),
        ("GET", "/api/products?category=no-such-category", {}),
        ("PUT", "/api/users/me", {"json": {"name": "A"}}),
        ("GET", "/api/products", {"headers": bad}),
    ):
        ours, peer = await answers(both, method, path, **more)
        assert ours.status_code == peer.status_code >= 400, path
        assert ours.json()["error"]["code"] == peer.json()["error"]["code"], path


async def event_of(folder: Path) -> Any:
    """The data of the one event of the second customer."""
    services = build_services(seed.settings_of(folder))
    try:
        page = await services.store.query(Query("users", seed.user(1)["user_id"], kind="outbox"))
        (row,) = page.items
        return row.data["envelope"]["data"]
    finally:
        services.passwords.close()
        await services.store.close()


def test_lists_are_full_pages_each_once() -> None:
    paths = seed.lists(2_000)
    assert len(set(paths)) == len(paths) > 500
    assert [request("GET", path) for path in paths[1::4]] == seed.dealt(paths, 4)[1]


# --- the report -----------------------------------------------------------------------------------------------------


def test_reports_say_what_was_missed(tmp_path: Path) -> None:
    kept = Check("list, ours over the peer", 4.0, 3.5, "×", spread=(3.6, 4.4))
    missed = Check("start & first answer", 3.5, 3.0, "s", "at most")
    findings = Findings({"cpu": "some"}, [Line("list", "ours", {"requests/s": 1234.5})], [kept, missed], ["a remark"])
    assert findings.missed() == [missed]
    text = table(findings)
    assert "4.00 × (3.60 to 4.40), at least 3.50: kept" in text
    assert "MISSED" in text
    data, picture = write(findings, tmp_path / "bench")
    assert [check["holds"] for check in json.loads(data.read_text())["checks"]] == [True, False]
    root = ElementTree.fromstring(picture.read_text())
    assert root.tag.endswith("svg")
    assert len(svg([kept]).splitlines()) < len(svg([kept, missed]).splitlines())


# --- whole parts ----------------------------------------------------------------------------------------------------


def quick(folder: Path, *parts: str) -> dict[str, Any]:
    """A quick run of parts of the bench in a folder of its own. Floors may be missed there, nothing else may be."""
    command = [sys.executable, "-m", "tests.load.bench", "--quick", "--only", ",".join(parts)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=False, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    found: dict[str, Any] = json.loads((folder / "bench" / "bench.json").read_text())
    return found


def test_floors_of_events_and_cosmos_are_measured(tmp_path: Path) -> None:
    found = quick(tmp_path, "events", "cosmos")
    checks = {check["what"]: check for check in found["checks"]}
    assert list(checks) == [
        "events appended and delivered",
        "Cosmos point read: CPU over the bare SDK",
        "Cosmos write: CPU over the bare SDK",
        "RU, modelled: catalogue: product, point read of 2 kB",
        "RU, modelled: list of 20 in a partition (orders of 1 kB)",
        "RU, modelled: signup, with claim, token and event",
        "RU, modelled: checkout: add to the cart and order",
        "RU, modelled: checkout: all of it until the order is paid, a lone order",
        "RU, modelled: checkout: all of it, each of 12 orders at once",
    ]
    assert all(check["measured"] > 0 for check in checks.values())
    # Modelled units do not depend on the machine: their bounds hold everywhere. (But those of orders followed to their
    # end do a little, by the positions that are noted meanwhile, and are close to their bound.)
    assert all(check["holds"] for what, check in checks.items() if what.startswith("RU") and "all of it" not in what)
    sides = {line["side"] for line in found["lines"]}
    assert sides == {"ours", "plain", "bare SDK"}


def test_checkouts_and_an_import_are_measured(tmp_path: Path) -> None:
    found = quick(tmp_path, "checkout", "import")
    checks = {check["what"]: check["measured"] for check in found["checks"]}
    assert set(checks) >= {
        "checkouts a second (add + order)",
        "checkout, p95 at 16 at once",
        "order to processing, p95 at 50 a second",
        "import of 1,000 rows",
    }
    assert all(measured > 0 for measured in checks.values())
