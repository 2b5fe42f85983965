"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1

# What the child does before it becomes the command: it asks the kernel to kill it when its parent ends (prctl(2),
# PR_SET_PDEATHSIG = 1), and ends at once when that has happened already. No `preexec_fn`: with threads it may hang.
_DIE_WITH_PARENT: Final = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def end_with_parent() -> None:
    """Asks the kernel to end this process (SIGTERM) when its parent ends, however that ends (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


def dying_with_parent(command: Sequence[str]) -> list[str]:
    """The command for `Popen` that ends when this process ends, however it ends (Linux; elsewhere it runs as it is).

    `command[0]` is a path. Start it from a thread that lives as long as the process: the signal belongs to that thread.
    """
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]
