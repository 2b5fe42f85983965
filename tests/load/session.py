"""What the parts of one run of the bench share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.load.machine import Cores
from tests.load.report import Findings


@dataclass(slots=True)
class Session:
    """One run: where it works, with what, and what it found. `quick`: short rounds, to see that everything works."""

    folder: Path
    redis_url: str
    cores: Cores
    findings: Findings
    only: frozenset[str]
    quick: bool = False
    _began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Progress, for who waits."""
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    def room(self, name: str) -> Path:
        """A new folder for one part."""
        folder = self.folder / name
        folder.mkdir()
        return folder
