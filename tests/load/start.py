"""Start to first answer, and the memory of the API process, as `make run` has it: role `all`, the demo shop."""

from __future__ import annotations

import statistics
from typing import Final

from tests.load import seed
from tests.load.drive import request, saturate
from tests.load.pairs import CONNECTIONS, expect_success
from tests.load.report import Check, Line
from tests.load.servers import running
from tests.load.session import Session

STARTS: Final = 5
_PATHS: Final = ("/api/products?limit=20", "/api/products/search?q=lamp", "/api/products/filters", "/api/categories")


def start(session: Session) -> None:
    """Starts the API a few times, asks it for a while; adds what it found."""
    folder = session.room("start")
    seed.fill(folder, products=0)
    starts, memory = [], []
    writes = seed.writes(seed.settings_of(folder))
    for number in range(2 if session.quick else STARTS):
        with running("ours", session, folder, role="all") as server:
            starts.append(server.first_answer)
            session.say(f"start {number + 1}: first answer after {server.first_answer:.2f} s")
            before = server.anonymous_mb()
            reads = [[request("GET", path) for path in _PATHS]] * CONNECTIONS
            for streams in (reads, writes):
                expect_success(server, "load after the start", saturate(server.address, streams, seconds=1.0))
            memory.append((before, server.anonymous_mb()))
    after = statistics.median(last for _, last in memory)
    values = {
        "first answer s": statistics.median(starts),
        "MB then": statistics.median(first for first, _ in memory),
        "MB after load": after,
    }
    findings = session.findings
    findings.lines.append(Line("start, role all, demo shop", "ours", values))
    spread = (min(starts), max(starts))
    findings.checks.append(Check("start to first answer", statistics.median(starts), 3.0, "s", "at most", spread))
    findings.checks.append(Check("anonymous memory after load", after, 200.0, "MB", "at most"))
