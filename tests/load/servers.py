"""The two servers under load, each a process of its own, as it would run: started, timed, watched and ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.processes import dying_with_parent
from tests.load.drive import Address
from tests.load.machine import anonymous_mb, children_on, cpu_seconds
from tests.load.session import Session

MODULES: Final = {"ours": "handlers.app", "peer": "tests.load.peer"}
HOST: Final = "127.0.0.1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0


class ServerFailed(Exception):
    """A server did not start, or ended by itself; the text holds the end of its output."""


@dataclass(slots=True, eq=False)
class Server:
    """A running server."""

    name: str
    process: subprocess.Popen[bytes]
    address: Address
    output: Path
    first_answer: float

    def cpu_seconds(self) -> float:
        """CPU time it has used since its start."""
        return cpu_seconds(self.process.pid)

    def anonymous_mb(self) -> float:
        """Its anonymous memory now."""
        return anonymous_mb(self.process.pid)


def environment(folder: Path, redis_url: str, port: int, role: str) -> dict[str, str]:
    """The settings of both: as in tests, limits on and out of the way, the access log written."""
    return {
        "ENV": "test",
        "ROLE": role,
        "HOST": HOST,
        "PORT": str(port),
        "DATA_DIR": str(folder),
        "REDIS_URL": redis_url,
        # Every request takes its token; nobody runs out of them.
        "RATE_LIMIT_SCALE": "100000",
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }


@contextmanager
def running(name: str, session: Session, folder: Path, role: str = "crud", **more: str) -> Iterator[Server]:
    """A server on the servers' core with its documents in `folder`, from its first answer on.

    `crud` as in production, where another process publishes the events; `all` is what `make run` starts.
    `more` are further environment variables.
    """
    port = free_port()
    output = folder / f"{name}.out"
    with output.open("wb") as sink, children_on(session.cores.server):
        started = time.perf_counter()
        process = subprocess.Popen(
            dying_with_parent([sys.executable, "-m", MODULES[name]]),
            env={**environment(folder, session.redis_url, port, role), **more},
            # The access log is written as in production, into nothing: a disk of the bench would be measured too.
            stdout=subprocess.DEVNULL,
            stderr=sink,
        )
    server = Server(name, process, (HOST, port), output, 0.0)
    try:
        await_answer(server)
        server.first_answer = time.perf_counter() - started
        yield server
    finally:
        _end(process)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def await_answer(server: Server) -> None:
    """Waits for the first answer, whatever it is. Raises `ServerFailed`."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with socket.create_connection(server.address, timeout=1) as connection:
                connection.settimeout(START_SECONDS)
                connection.sendall(b"GET /api/products?limit=1 HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")
                if connection.recv(12).endswith(b" 200"):
                    return
        except OSError:
            pass
        time.sleep(0.005)
    _end(server.process)
    raise ServerFailed(f"{server.name} did not start:\n{server.output.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
