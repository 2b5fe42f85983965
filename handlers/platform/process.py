"""Names of processes, such that another process of the same machine can tell when one has ended.

A lease held by a process that was killed would otherwise block until it runs out.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Final

_SEPARATOR: Final = "~"
_ENDED: Final = frozenset({"Z", "X"})


def new_owner() -> str:
    """A name for one part of this process: host, process namespace, process, its start, and chance."""
    pid = os.getpid()
    return _SEPARATOR.join((socket.gethostname(), _namespace(), str(pid), _started(pid) or "", secrets.token_hex(4)))


def has_ended(owner: str) -> bool:
    """Whether the process that made this name is certainly gone. False also when that cannot be told from here."""
    parts = owner.split(_SEPARATOR)
    if len(parts) != 5 or parts[0] != socket.gethostname() or parts[1] != _namespace() or not parts[2].isdecimal():
        return False
    pid = int(parts[2])
    if not Path("/proc/self/stat").exists():
        return not _answers(pid)
    return _started(pid) != parts[3]


def _namespace() -> str:
    """Containers may share a host's name, but number their processes each for themselves (namespaces(7))."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's ticks (proc(5), field 22); None when it is not running."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in _ENDED else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
