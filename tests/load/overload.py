"""What becomes of five times the load that a process can bear: how much is answered in time, and how soon all is.

`python -m tests.load.overload` (half a minute; two cores, Linux). The driver is an open loop over thousands of
connections: who has waited for half a second has given up, and counts as nothing.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from infra.local.valkey import start
from tests.load import seed
from tests.load.drive import Sample, Track, pace, request, saturate
from tests.load.machine import cores, pin
from tests.load.report import Findings
from tests.load.servers import Server, running
from tests.load.session import Session

TIMES: Final = 5
CONNECTIONS: Final = 2_000
PATIENCE_SECONDS: Final = 0.5
SECONDS: Final = 5.0
_READ: Final = request("GET", "/api/products?limit=20")
_PROBE: Final = request("GET", "/healthz")


def main(seconds: float = SECONDS) -> int:
    """Measures and prints. The exit code is 1 when less than 90 % of the best rate was useful."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    where = cores()
    with tempfile.TemporaryDirectory() as folder:
        valkey = start(Path(folder) / "valkey")
        try:
            pin(where.load)
            session = Session(Path(folder), valkey.url, where, Findings({}), frozenset())
            share = _measure(session, seconds, min(CONNECTIONS, hard - 200))
        finally:
            valkey.stop()
    return 0 if share >= 0.9 else 1


def _measure(session: Session, seconds: float, connections: int) -> float:
    data = session.room("shop")
    seed.fill(data, products=0)
    many = {"MAX_CONNECTIONS": "20000", "MAX_CONNECTIONS_PER_ADDRESS": "20000"}
    with running("ours", session, data, **many) as server:
        saturate(server.address, [[_READ]] * 48, seconds=1.0)
        before = server.cpu_seconds()
        calm = saturate(server.address, [[_READ]] * 48, seconds=seconds)
        each, best = (server.cpu_seconds() - before) / calm.requests, calm.rate
        print(f"best rate, 48 connections in a closed loop: {best:.0f}/s")
        flood = {"reads": Track([_READ], TIMES * best), "probes": Track([_PROBE], 20.0)}
        before = server.cpu_seconds()
        sample = pace(server.address, flood, seconds=seconds, connections=connections, patience=PATIENCE_SECONDS)
        spent = server.cpu_seconds() - before
        _show(f"{TIMES} times as much", sample, seconds)
        in_time = sample["reads"].notes["in_time"]
        share = in_time / seconds / best
        # Where others use the machine too, the first figure says how busy they were and the second what we did.
        print(f"useful of the best rate: {share:.0%}; of the processor time spent: {in_time * each / spent:.0%}")
        _recover(server, best)
    return share


def _recover(server: Server, best: float) -> None:
    began = time.perf_counter()
    after = pace(
        server.address, {"reads": Track([_READ], best / 2)}, seconds=2.0, connections=200, patience=PATIENCE_SECONDS
    )
    _show(f"half the best rate, from {time.perf_counter() - began - 2.0:.1f} s behind it", after, 2.0)


def _show(title: str, samples: dict[str, Sample], seconds: float) -> None:
    for name, sample in samples.items():
        statuses = ", ".join(f"{status}: {count / seconds:.0f}/s" for status, count in sorted(sample.statuses.items()))
        statuses += f", in time: {sample.notes['in_time'] / seconds:.0f}/s"
        quantiles = " ".join(f"p{share:g} {sample.percentile(share / 100):.0f} ms" for share in (50, 90, 99))
        print(f"{title}, {name}: {statuses}; {quantiles}; driver {sample.driver_busy:.0%} busy", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(*map(float, sys.argv[1:2])))
