"""A real gateway in front of a real crud service, two processes: what each does, and what happens without crud."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from infra.contract.bundle import ROOT
from tests.support.app import ORIGIN
from tests.support.people import PASSWORD, new_address
from tests.support.processes import Process, free_port, running_process

SHARED = {"JWT_SECRET": "j" * 40, "DATA_KEY": "d" * 40, "CORS_ORIGINS": ORIGIN, "CHECK_ANSWERS": "true"}
ITEM = {"product_id": "product-0", "quantity": 1}
# May come more than once by their nature.
REPEATED = {"set-cookie", "vary"}


@dataclass(slots=True)
class Pair:
    """Gateway and crud, with a client of each."""

    gateway: Process
    crud: Process
    client: httpx.Client
    behind: httpx.Client
    crud_environ: dict[str, str]

    def crud_saw(self, operation: str) -> float:
        """How many requests of an operation reached crud."""
        lines = self.behind.get("/metrics").text.splitlines()
        counted = [line for line in lines if line.startswith(f'http_requests_total{{operation="{operation}"')]
        return sum(float(line.rsplit(" ", 1)[1]) for line in counted)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Pair]:
    """The two processes, on one Valkey."""
    folder = tmp_path_factory.mktemp("pair")
    crud_environ = {**SHARED, "ROLE": "crud", "REDIS_URL": redis_url, "TRUSTED_PROXIES": "127.0.0.0/8"}
    with running_process(folder / "crud", crud_environ) as crud:
        environ = {**SHARED, "ROLE": "gateway", "REDIS_URL": redis_url, "CRUD_SERVICE_URL": crud.base}
        with (
            running_process(folder / "gateway", environ) as gateway,
            httpx.Client(base_url=gateway.base) as client,
            httpx.Client(base_url=crud.base) as behind,
        ):
            yield Pair(gateway, crud, client, behind, crud_environ)


def test_a_session_lives_behind_the_gateway(pair: Pair) -> None:
    email = new_address()
    body = {"name": "Dana Whitfield", "email": email, "password": PASSWORD}
    assert pair.client.post("/api/auth/signup", json=body).status_code == 201
    with httpx.Client(base_url=pair.gateway.base, headers={"Origin": ORIGIN}) as browser:
        session = browser.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert session.status_code == 200, session.text
        assert set(browser.cookies) == {"hph_access", "hph_refresh", "hph_csrf", "hph_device"}
        assert browser.put("/api/users/me", json={"name": "Dana W."}).json()["error"]["details"] == {
            "rule": "csrf_failed"
        }
        csrf = {"X-CSRF-Token": session.json()["csrf_token"]}
        changed = browser.put("/api/users/me", json={"name": "Dana W."}, headers=csrf)
        assert (changed.status_code, changed.json()["name"]) == (200, "Dana W.")
        stale = {**csrf, "If-Match": '"another"'}
        assert browser.put("/api/users/me", json={"name": "X"}, headers=stale).status_code == 412
        assert browser.post("/api/auth/refresh", headers=csrf).status_code == 200


def test_a_request_id_goes_all_the_way(pair: Pair) -> None:
    answer = pair.client.get("/api/products", headers={"X-Request-Id": "request-of-the-test"})
    assert answer.headers["x-request-id"] == "request-of-the-test"
    for process in (pair.gateway, pair.crud):
        (line,) = [entry for entry in process.lines("request-of-the-test") if entry["logger"] == "access"]
        assert (line["operation_id"], line["status"]) == ("listProducts", answer.status_code)
    unnamed = pair.client.get("/api/products").headers["x-request-id"]
    assert pair.crud.lines(unnamed)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/products"),
        ("HEAD", "/api/products"),
        ("GET", "/api/products/nothing"),
        ("GET", "/api/products?page=0"),
        ("GET", "/api/users/me"),
        ("GET", "/api/nothing"),
        ("PATCH", "/api/products"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/auth/guest"),
        ("DELETE", "/api/wishlist/product-1"),
        ("OPTIONS", "/api/cart"),
        ("GET", "/docs"),
    ],
)
def test_every_header_is_said_once(pair: Pair, method: str, path: str) -> None:
    answer = pair.client.request(method, path, headers={"Origin": ORIGIN})
    counted = Counter(name.lower() for name, _ in answer.headers.raw)
    names = {name.decode(): times for name, times in counted.items()}
    assert {name: times for name, times in names.items() if times > 1 and name not in REPEATED} == {}
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    if path != "/docs":
        assert "ratelimit-remaining" in names


def test_an_error_keeps_nothing_of_the_success(pair: Pair) -> None:
    cached = pair.client.get("/api/products")
    assert cached.status_code == 200
    assert "max-age" in cached.headers["cache-control"]
    assert pair.client.get("/api/products?page=0").headers["cache-control"] == "no-store"


def test_what_the_gateway_refuses_does_not_reach_crud(pair: Pair) -> None:
    before = pair.crud_saw("getMe"), pair.crud_saw("listUsers"), pair.crud_saw("login")
    guest = pair.client.post("/api/auth/guest").json()
    bearer = {"Authorization": f"Bearer {guest['access_token']}"}
    with httpx.Client(base_url=pair.gateway.base) as client:
        assert client.get("/api/users/me").status_code == 401
        assert client.get("/api/users/me", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
        assert client.get("/api/admin/users", headers=bearer).status_code == 403
        large = client.post("/api/auth/login", content=b" " * 1_048_577, headers={"Content-Type": "application/json"})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert (pair.crud_saw("getMe"), pair.crud_saw("listUsers"), pair.crud_saw("login")) == before


def test_crud_looks_at_tokens_itself(pair: Pair) -> None:
    assert pair.behind.get("/api/users/me").status_code == 401
    assert pair.behind.get("/api/users/me", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert pair.behind.get("/api/admin/users").status_code == 401


def test_limits_are_taken_at_the_gateway(pair: Pair) -> None:
    body = {"email": new_address()}
    statuses = [pair.client.post("/api/auth/forgot-password", json=body).status_code for _ in range(5)]
    assert statuses[:3] == [202, 202, 202]
    assert statuses[3:] == [429, 429]
    assert pair.crud_saw("forgotPassword") == 3


def test_probes_and_metrics_are_each_process_own(pair: Pair) -> None:
    before = pair.crud_saw("getLiveness")
    assert pair.client.get("/healthz").status_code == 200
    assert pair.client.get("/readyz").status_code == 200
    assert pair.crud_saw("getLiveness") == before
    assert "hph_limit_decisions" in pair.client.get("/metrics").text


@pytest.mark.parametrize("role", ["gateway", "crud"])
def test_silent_connections_and_large_heads_stop_no_process(pair: Pair, role: str) -> None:
    base = pair.gateway.base if role == "gateway" else pair.crud.base
    host, port = base.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(400)]
    times = []
    for _ in range(9):
        started = time.perf_counter()
        probe = HTTPConnection(host, int(port))
        probe.request("GET", "/healthz")
        assert probe.getresponse().status == 200
        probe.close()
        times.append(time.perf_counter() - started)
    for connection in silent:
        connection.close()
    assert sorted(times)[4] < 0.1
    assert httpx.get(f"{base}/healthz", headers={"X-Long": "x" * 40_000}).status_code == 431
    metrics = httpx.get(f"{base}/metrics").text
    # 127.0.0.1 is a trusted proxy for crud, as the gateway's address is.
    crowded = 'hph_connections_ended_total{reason="crowded"} 0.0' not in metrics
    assert crowded is (role == "gateway")


def test_without_crud_the_gateway_says_503_until_it_is_back(pair: Pair, tmp_path: Path) -> None:
    port = int(pair.crud.base.rsplit(":", 1)[1])
    pair.crud.kill()
    for method in ("GET", "HEAD"):
        away = pair.client.request(method, "/api/products", headers={"X-Request-Id": "request-in-vain"})
        assert (away.status_code, away.headers["x-request-id"]) == (503, "request-in-vain")
        assert int(away.headers["retry-after"]) >= 1
        assert away.headers["cache-control"] == "no-store"
    error = pair.client.get("/api/products").json()["error"]
    assert (error["code"], error["message"]) == ("SERVICE_UNAVAILABLE", "Service temporarily unavailable")
    assert pair.client.get("/healthz").status_code == 200
    assert httpx.get(f"{pair.gateway.base}/api/users/me").status_code == 401
    with running_process(tmp_path / "crud", pair.crud_environ, port) as again:
        assert pair.client.get("/api/products").status_code == 200
        assert again.terminate() == 0
    assert pair.client.get("/api/products").status_code == 503
    assert pair.gateway.terminate() == 0


@pytest.mark.parametrize(
    ("role", "file"), [("all", "documents.sqlite3"), ("all", "events.sqlite3"), ("worker", "events.sqlite3")]
)
def test_unusable_files_end_the_start_with_one_line(tmp_path: Path, role: str, file: str) -> None:
    (tmp_path / file).mkdir()  # whatever the rights of whoever runs this, a folder is no file
    environ = {**os.environ, "ENV": "test", "ROLE": role, "DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    command = [sys.executable, "-m", "handlers.app"]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot be opened" in done.stderr
    assert str(tmp_path) in done.stderr


def test_a_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    nonsense = {**SHARED, "ROLE": "gateway", "CRUD_SERVICE_URL": "nonsense"}
    with pytest.raises(RuntimeError, match="CRUD_SERVICE_URL"), running_process(tmp_path / "a", nonsense):
        pass
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        elsewhere = {**SHARED, "ROLE": "gateway", "CRUD_SERVICE_URL": "http://127.0.0.1:9"}
        with pytest.raises(RuntimeError, match="address already in use"):
            running_process(tmp_path / "b", elsewhere, taken).__enter__()


def test_a_rolling_restart_of_crud_fails_no_request(tmp_path: Path, redis_url: str) -> None:
    # `make flows` restarts both, the gate the first one.
    requests = int(os.environ.get("ROLLING_REQUESTS", "0"))
    drain = "5" if requests else "2"
    crud = {**SHARED, "ROLE": "crud", "REDIS_URL": redis_url, "TRUSTED_PROXIES": "127.0.0.0/8", "DRAIN_SECONDS": drain}
    ports = [free_port(), free_port()]
    addresses = ",".join(f"http://127.0.0.1:{port}" for port in ports)
    gateway = {**SHARED, "ROLE": "gateway", "REDIS_URL": redis_url, "CRUD_SERVICE_URL": addresses}
    gateway["RATE_LIMIT_SCALE"] = crud["RATE_LIMIT_SCALE"] = "10000"
    with ExitStack() as stack:
        # Two processes on one machine share their documents.
        running = [stack.enter_context(running_process(tmp_path / "crud", crud, port)) for port in ports]
        front = stack.enter_context(running_process(tmp_path / "gateway", gateway))
        done = threading.Event()
        statuses: Counter[int] = Counter()

        def load() -> None:
            with httpx.Client(base_url=front.base) as client:
                while not done.is_set() or sum(statuses.values()) < requests:
                    statuses[client.get("/api/products?limit=5").status_code] += 1
                    statuses[client.post("/api/cart/items", json=ITEM).status_code] += 1

        with ThreadPoolExecutor(4) as pool:
            callers = [pool.submit(load) for _ in range(4)]
            for process, port in zip(running[: 2 if requests else 1], ports, strict=False):
                assert process.terminate() == 0
                stack.enter_context(running_process(tmp_path / "crud", crud, port))
            done.set()
            for caller in callers:
                caller.result()
    assert sum(statuses.values()) >= max(requests, 100)
    # There is no such product, which only crud can know.
    assert set(statuses) == {200, 422}, statuses
