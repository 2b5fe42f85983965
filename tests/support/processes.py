"""The application as its own process, started as an operator starts it: `python -m handlers.app` and an environment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson

from infra.contract.bundle import ROOT
from infra.local.processes import dying_with_parent

START_SECONDS = 60.0
LOG_SECONDS = 10.0


@dataclass(slots=True)
class Process:
    """A running application: its address and its log."""

    base: str
    log: Path
    popen: subprocess.Popen[bytes]

    def lines(self, request_id: str) -> list[dict[str, object]]:
        """What it logged about a request, which it does in a thread of its own: the first line is waited for."""
        end = time.monotonic() + LOG_SECONDS
        while time.monotonic() < end:
            lines = [line for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]
            found = [line for line in map(orjson.loads, lines) if line.get("request_id") == request_id]
            if found:
                return found
            time.sleep(0.01)
        return []

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.popen.kill()
        self.popen.wait(10)

    def terminate(self) -> int:
        """Ends it as an orchestrator does; answers its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(30)


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_process(
    folder: Path, environ: Mapping[str, str], port: int | None = None, *, probe: str = "/readyz"
) -> Iterator[Process]:
    """Starts the application with data in `folder`, waits until its probe says 200, and ends it after the block."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log = folder / "log"
    inherited = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START", "LANG") if name in os.environ}
    own = {"ENV": "test", "HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "PASSWORD_HASH_COST": "4"}
    with log.open("ab") as sink:
        command = dying_with_parent([sys.executable, "-W", "ignore", "-m", "handlers.app"])
        popen = subprocess.Popen(command, cwd=ROOT, env={**inherited, **own, **environ}, stdout=sink, stderr=sink)
    process = Process(f"http://127.0.0.1:{port}", log, popen)
    try:
        _await_answer(process, probe)
        yield process
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.wait(10)


def _await_answer(process: Process, probe: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.popen.poll() is not None:
            raise RuntimeError(f"ended with {process.popen.returncode}:\n{process.log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{process.base}{probe}", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"no answer from {process.base}:\n{process.log.read_text()[-2000:]}")
