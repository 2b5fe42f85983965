"""A start that waits for its dependencies, and probes that answer meanwhile."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from handlers.platform import startup as module
from handlers.platform.errors import Problem
from handlers.platform.startup import Startup, StartupGate
from handlers.platform.store.port import StoreUnavailable
from infra.contract.bundle import ROOT
from infra.local.cosmos.auth import WELL_KNOWN_KEY
from tests.support.processes import Process, free_port, running_process
from tests.support.wait import eventually


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.01)


async def test_a_step_is_tried_until_its_dependency_is_back() -> None:
    calls: list[str] = []

    async def documents() -> None:
        calls.append("documents")
        if len(calls) < 4:
            raise StoreUnavailable("away")

    startup = Startup()
    startup.add("documents", documents)
    await startup.begin()  # returns although the first call failed
    assert startup.checks() == {"documents": False}
    await eventually(lambda: startup.is_done("documents"))
    assert len(calls) == 4
    await startup.stop()


async def test_steps_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_START", 0.05)
    hanging = asyncio.Event()

    async def quick() -> None:
        await asyncio.sleep(0)

    async def hang() -> None:
        await hanging.wait()

    startup = Startup()
    startup.add("hangs", hang)
    startup.add("quick", quick)
    await startup.begin()
    assert startup.checks() == {"hangs": False, "quick": True}
    hanging.set()
    await eventually(lambda: startup.is_done("hangs"))
    await startup.stop()


async def test_wrong_code_ends_the_start() -> None:
    async def wrong() -> None:
        raise KeyError("a defect")

    startup = Startup()
    startup.add("wrong", wrong)
    with pytest.raises(KeyError):
        await startup.begin()
    await startup.stop()


async def test_a_later_defect_is_tried_again() -> None:
    outcomes: list[Exception] = [StoreUnavailable("away"), KeyError("a defect")]

    async def step() -> None:
        if outcomes:
            raise outcomes.pop(0)

    startup = Startup()
    startup.add("step", step)
    await startup.begin()
    await eventually(lambda: startup.is_done("step"))
    await startup.stop()


async def test_requests_are_refused_until_the_step_is_done() -> None:
    served: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        assert isinstance(scope, dict)
        served.append(scope["path"])

    async def nothing(*_: object) -> None:
        return None

    async def step() -> None:
        return None

    startup = Startup()
    startup.add("catalogue", step)
    gate = StartupGate(app, startup, "catalogue")
    with pytest.raises(Problem) as refused:
        await gate({"type": "http", "path": "/api/products"}, nothing, nothing)  # type: ignore[arg-type]  # a scope's essentials, and nobody receives or sends
    assert refused.value.code == "SERVICE_UNAVAILABLE"
    await gate({"type": "http", "path": "/readyz"}, nothing, nothing)  # type: ignore[arg-type]  # as above
    await startup.begin()
    await gate({"type": "http", "path": "/api/products"}, nothing, nothing)  # type: ignore[arg-type]  # as above
    assert served == ["/readyz", "/api/products"]


# --- in processes of their own --------------------------------------------------------------------------------------


@contextmanager
def hanging_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield int(server.getsockname()[1])


def on_cosmos(port: int, role: str) -> dict[str, str]:
    """The environment of a process whose account is at this port."""
    account = {
        "COSMOS_ACCOUNT_URI": f"http://127.0.0.1:{port}",
        "COSMOS_KEY": WELL_KNOWN_KEY,
        "COSMOS_DATABASE": "shop",
    }
    return {**account, "ROLE": role, "AGENT_BASE_URL": "none"}


def status(process: Process, path: str) -> int:
    """What a probe says; it has one second, an unavailable dependency takes several."""
    return httpx.get(f"{process.base}{path}", timeout=1).status_code


@pytest.mark.parametrize("role", ["worker", "all"])
def test_probes_answer_while_the_documents_hang(tmp_path: Path, role: str) -> None:
    with hanging_server() as port, running_process(tmp_path, on_cosmos(port, role), probe="/healthz") as process:
        for _ in range(20):
            assert (status(process, "/healthz"), status(process, "/readyz")) == (200, 503)
        told = httpx.get(f"{process.base}/healthz", timeout=1).json()
        assert {each["name"] for each in told["dependencies"]} >= {"documents", "events"}
        if role == "all":
            assert status(process, "/api/products") == 503


def test_a_process_started_before_its_documents_serves_once_they_are_there(tmp_path: Path) -> None:
    port = free_port()
    environ = on_cosmos(port, "crud")
    with running_process(tmp_path, environ, probe="/healthz") as process:
        assert (status(process, "/readyz"), status(process, "/api/products")) == (503, 503)
        command = [sys.executable, "-m", "infra.local.cosmos", "--port", str(port), "--partitions", "2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as stand_in:
            try:
                assert stand_in.stdout is not None
                stand_in.stdout.readline()
                provision = [sys.executable, "-m", "infra.azure.provision"]
                subprocess.run(provision, cwd=ROOT, env={**os.environ, **environ}, check=True, timeout=120)
                end = time.monotonic() + 60
                while status(process, "/readyz") != 200:
                    assert time.monotonic() < end
                    time.sleep(0.1)
                assert httpx.get(f"{process.base}/api/products", timeout=10).status_code == 200
                assert process.terminate() == 0
            finally:
                stand_in.terminate()
