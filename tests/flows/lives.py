"""One application through many lives: it is killed again and again, and starts anew on the same files."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import httpx

from tests.flows import child
from tests.support.processes import free_port

START_SECONDS: Final = 30.0
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.flows.warm"])


@dataclass(frozen=True, slots=True)
class Start:
    """How long a start took by the clock, and of a processor, which a busy machine changes less."""

    seconds: float
    processor: float


@dataclass(slots=True)
class Lives:
    """The application of one folder. Whoever finds it dead revives it."""

    folder: Path
    environ: Mapping[str, str]
    control: str = ""
    port: int = field(default_factory=free_port)
    killed_at: Counter[str] = field(default_factory=Counter)
    restarts: list[Start] = field(default_factory=list)
    _process: ForkServerProcess | None = None
    _line: Connection | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def base(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> Start:
        """Starts it; answers what that took."""
        started = time.monotonic()
        self._line, theirs = multiprocessing.Pipe()
        environ = {**self.environ, "DATA_DIR": str(self.folder), "HOST": "127.0.0.1", "PORT": str(self.port)}
        self._process = _forks.Process(
            target=child.live, args=(self.folder, environ, theirs, self.control), daemon=True
        )
        self._process.start()
        theirs.close()
        while time.monotonic() - started < START_SECONDS:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.base}/readyz", timeout=5).status_code == 200:
                    return Start(time.monotonic() - started, _processor(self._process.pid))
            if not self._process.is_alive():
                break
            time.sleep(0.005)
        raise RuntimeError(f"it did not start:\n{self._log()}")

    def set_fuse(self, at: int, only: str = "") -> None:
        """It dies at this step, counted from now; 0: it only counts. `only`: steps whose names begin like this."""
        self._ask(("set", at, only))

    def steps(self) -> int:
        """Steps since the fuse was set, which is off now. 0 when it has died."""
        return self._ask(("off",))

    def revive(self) -> bool:
        """Starts it anew if it was killed; answers whether it was. Raises `RuntimeError` when it ended otherwise."""
        with self._lock:
            assert self._process is not None
            assert self._line is not None
            if self._process.is_alive() and not self._line.poll():
                return False
            try:
                _, label = self._line.recv()
            except EOFError:
                raise RuntimeError(f"it ended by itself:\n{self._log()}") from None
            self._again(label)
            return True

    def end(self) -> None:
        """Ends it for good."""
        if self._process is not None:
            self._process.kill()
            self._process.join(10)

    def _again(self, label: str) -> None:
        assert self._process is not None
        assert self._line is not None
        self._process.join(10)
        self._line.close()
        self.killed_at[label] += 1
        self.restarts.append(self.begin())

    def _ask(self, command: tuple[Any, ...]) -> int:
        """Answers what the fuse says, 0 when the process has died instead and was started anew."""
        assert self._line is not None
        with suppress(OSError):  # it is dead; what it sent before is still to be read
            self._line.send(command)
        kind, value = self._line.recv()
        if kind == "killed":
            self._again(value)
            return 0
        return int(value)

    def _log(self) -> str:
        return (self.folder / "log").read_text()[-3000:]


def _processor(pid: int | None) -> float:
    """Seconds of a processor that a process has used (proc(5), fields 14 and 15); 0 where that cannot be read."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
