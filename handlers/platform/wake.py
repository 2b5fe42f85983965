"""Wake-ups between the processes that share an SQLite file: who has written rings, who waits need not poll.

Each listener binds a Unix datagram socket in a folder beside the file; ringing sends one byte to every socket there,
which takes about 15 microseconds and never blocks. A ring may be lost (no sockets on this file system): whoever waits
looks again after `FALLBACK` seconds, or every `POLL` seconds when it could not bind.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

FALLBACK: Final = 1.0
POLL: Final = 0.05
_LONGEST: Final = 90  # of a socket's path; sun_path holds 104 bytes on macOS, 108 on Linux
_RING: Final = b"!"


class Wake:
    """Rings for one file. `ring` may be called from any thread."""

    def __init__(self, file: Path) -> None:
        self._folder = _folder(file)

    def ring(self) -> None:
        """Tells every listener of every process, this one's too."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return  # nobody has ever listened
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringing:
            ringing.setblocking(False)
            for name in names:
                self._send(ringing, os.path.join(self._folder, name))

    def listen(self) -> Bell:
        """A bell in the running event loop. Close it at the end."""
        return Bell(self._folder)

    @staticmethod
    def _send(ringing: socket.socket, address: str) -> None:
        try:
            ringing.sendto(_RING, address)
        except BlockingIOError:
            return  # it has unheard rings already
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                os.unlink(address)  # left behind by a process that was killed
        except OSError:
            return


class Bell:
    """One listener. Rings between two calls of `wait` are one."""

    def __init__(self, folder: Path) -> None:
        self._rung = asyncio.Event()
        self._rung.set()  # what happened before the first wait is to be looked at too
        self._loop = asyncio.get_running_loop()
        self._address = folder / f"{os.getpid():x}{secrets.token_hex(3)}"
        self._socket = self._bind()

    async def wait(self, seconds: float = FALLBACK) -> None:
        """Returns once there was a ring since the call before, or after so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds if self._socket is not None else min(seconds, POLL)):
                await self._rung.wait()
        self._rung.clear()

    def strike(self) -> None:
        """Rings this bell only, from its own loop."""
        self._rung.set()

    def close(self) -> None:
        """Stops listening. May be called twice."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._address.unlink(missing_ok=True)
            self._socket = None

    def _bind(self) -> socket.socket | None:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.setblocking(False)
        try:
            self._address.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            listening.bind(str(self._address))
        except OSError as error:
            listening.close()
            log.warning("no wake-ups beside the data, polling instead: %s", error.strerror)
            return None
        self._loop.add_reader(listening, self._heard)
        return listening

    def _heard(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._socket.recv(8)
        self._rung.set()


def _folder(file: Path) -> Path:
    """Beside the file, so that containers which share it share the sockets; elsewhere when that path is too long."""
    beside = file.resolve().with_name(file.name + ".wake")
    if len(os.fsencode(beside)) <= _LONGEST:
        return beside
    digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hph-{os.getuid()}" / digest
