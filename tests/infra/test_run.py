"""`make run` as a newcomer meets it: one process group that starts whole, runs once, and leaves nobody behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handlers.settings import Settings
from infra.contract.bundle import ROOT
from infra.local.demo.load import NotHere, refuse_in_production
from tests.platform.test_settings import PRODUCTION

SECONDS = 60.0


def _environ(folder: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")}
    return {**kept, "DATA_DIR": str(folder), "PORT": str(port)}


COMMAND = (sys.executable, "-m", "infra.local.run")


@contextmanager
def _running(environ: dict[str, str], command: Sequence[str] = COMMAND) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl-C ends it" in line:
                    break
            else:
                pytest.fail("it did not start:\n" + "".join(lines[-40:]))
            yield process
        finally:
            process.kill()


def _get(environ: dict[str, str], path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['PORT']}{path}", timeout=5) as answer:
        return json.load(answer)


def _commands_with(folder: Path) -> list[str]:
    """The processes that carry the folder in their environment or command line: the whole group of this run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(folder) in text and state != "Z":
            found.append(entry.name)
    return found


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_launcher_takes_everything_with_it(tmp_path: Path) -> None:
    environ = _environ(tmp_path)
    with _running(environ) as process:
        page = _get(environ, "/api/products?category=electronics&limit=3")
        assert len(page["items"]) == 3
        second = subprocess.run(COMMAND, env=environ, capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert f"running already (process {process.pid})" in second.stderr
        assert len(_commands_with(tmp_path)) >= 3
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert _soon(lambda: not _commands_with(tmp_path)), _commands_with(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_killed_make_takes_everything_with_it(tmp_path: Path) -> None:
    """`make run` as a newcomer types it, and as an impatient one ends it."""
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@{' '.join(COMMAND)}\n", encoding="utf-8")
    environ = {**_environ(tmp_path / "data"), "PYTHONPATH": str(ROOT)}
    with _running(environ, ("make", "-f", str(makefile), "run")) as process:
        assert _get(environ, "/healthz")["status"] == "ok"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert _soon(lambda: not _commands_with(tmp_path / "data")), _commands_with(tmp_path / "data")


def test_it_ends_on_request_and_starts_again_with_what_it_had(tmp_path: Path) -> None:
    environ = _environ(tmp_path)
    with _running(environ) as process:
        first = _get(environ, "/api/products?limit=1")["total"]
        process.terminate()
        assert process.wait(timeout=SECONDS) == 0
    assert _soon(lambda: not _commands_with(tmp_path)), _commands_with(tmp_path)
    with _running(environ):
        assert _get(environ, "/api/products?limit=1")["total"] == first


@pytest.mark.parametrize("module", ["infra.local.run", "infra.local.demo"])
def test_demo_data_and_accounts_are_refused_in_production(tmp_path: Path, module: str) -> None:
    environ = {**_environ(tmp_path), **PRODUCTION, "ENV": "production"}
    command = [sys.executable, "-m", module]
    ended = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=SECONDS)
    assert (ended.returncode, ended.stderr.strip()) == (2, "Demo data is for ENV=local and test; this is production.")
    assert list(tmp_path.iterdir()) == []


async def test_the_loader_itself_refuses(tmp_path: Path) -> None:
    with pytest.raises(NotHere):
        refuse_in_production(Settings(env="production", data_dir=tmp_path))
