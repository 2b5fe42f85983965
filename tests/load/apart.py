"""What is measured in a process of its own, on the servers' core: the module prints JSON, the bench reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.load.machine import children_on
from tests.load.report import Check, Findings, Line
from tests.load.session import Session


def run_apart(session: Session, module: str, *arguments: str) -> Any:
    """Runs `python -m module …` on the servers' core, with `quick` at the end of a quick run; answers its JSON."""
    command = [sys.executable, "-m", module, *arguments, *(["quick"] if session.quick else [])]
    with children_on(session.cores.server):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def take_over(findings: Findings, found: Mapping[str, Any]) -> None:
    """Adds to the findings those of another process, as `Findings.as_json` gives them."""
    findings.lines += [Line(**line) for line in found["lines"]]
    for check in found["checks"]:
        spread = (check["spread"][0], check["spread"][1]) if check["spread"] else None
        known = {name: check[name] for name in ("what", "measured", "bound", "unit", "kind")}
        findings.checks.append(Check(**known, spread=spread))
    findings.remarks += found["remarks"]
