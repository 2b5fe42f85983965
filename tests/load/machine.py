"""What the bench needs to know of the machine: cores, CPU time and memory of a process, a description (Linux)."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SHOWN = ("fastapi", "connexion", "uvicorn", "uvloop", "pydantic", "orjson")


@dataclass(frozen=True, slots=True)
class Cores:
    """The core the servers share, and the one of the load generator."""

    server: int
    load: int

    @property
    def apart(self) -> bool:
        """Whether they are two."""
        return self.server != self.load


def cores() -> Cores:
    """The last core this process may use for the servers, the first for the load."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(server=allowed[-1], load=allowed[0])


def pin(core: int) -> None:
    """Keeps this process, and what it starts, on one core."""
    os.sched_setaffinity(0, {core})


@contextmanager
def children_on(core: int) -> Iterator[None]:
    """What is started inside of the block keeps to the core; this process comes back to its own."""
    own = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process so far (its clock: clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def anonymous_mb(pid: int) -> float:
    """Anonymous memory of a process in MB: what is its own, without mapped files."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Anonymous: in smaps_rollup")


def describe() -> dict[str, str]:
    """The machine and the versions that matter."""
    return {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in SHOWN},
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
