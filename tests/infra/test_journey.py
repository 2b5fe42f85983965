"""`make demo` against a shop that `make run` has started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.infra.test_run import _environ, _running


def _played(port: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.local.journey", "--base", f"http://127.0.0.1:{port}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_journey_ends_well_twice(tmp_path: Path) -> None:
    environ = _environ(tmp_path)
    with _running(environ):
        for _ in range(2):
            played = _played(environ["PORT"])
            assert played.returncode == 0, played.stdout + played.stderr
            told = [line.strip("· ") for line in played.stdout.splitlines()]
            walked = [line.split(" (")[0] for line in told if " (payment " in line]
            # The stream may skip what lasted for milliseconds only; where it ends is sure.
            assert {"processing", "completed"} <= set(walked)
            assert walked[-1] == "processing"
            assert "the money is refunded" in told
            assert any(line.startswith("the stock is back at") for line in told)


def test_without_a_shop_it_says_what_to_do(tmp_path: Path) -> None:
    played = _played(_environ(tmp_path)["PORT"])
    assert played.returncode == 2
    assert "make run" in played.stderr
