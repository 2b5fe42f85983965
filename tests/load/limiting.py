"""What the rate limits cost a request, the exchange with Redis included: processor time of this process.

`python -m tests.load.limiting <redis url> [quick]` measures and prints JSON; the bench runs it on the servers' core.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import uvloop

from handlers.platform.cache import Cache
from handlers.platform.limits import LimitRule, Limits
from tests.load.apart import run_apart
from tests.load.report import Check, Line
from tests.load.session import Session

CALLERS: Final = 1_000
RULE: Final = LimitRule(per_minute=60_000, burst=10_000)
PER_SECOND: Final = 3_000  # about what one process answers
SECONDS: Final = 2.0
ROUNDS: Final = 3
CEILING: Final = 20.0


def limiting(session: Session) -> None:
    """Measures in a process on the servers' core; adds what it found."""
    session.say("limits: what they cost a request, Redis included")
    rounds: list[float] = run_apart(session, "tests.load.limiting", session.redis_url)
    middle = statistics.median(rounds)
    session.findings.lines.append(Line("rate limits", "ours", {"CPU µs each": middle}))
    check = Check("rate limits, CPU a request", middle, CEILING, "µs", "at most", (min(rounds), max(rounds)))
    session.findings.checks.append(check)


# --- in the process that measures -----------------------------------------------------------------------------------


async def measure(redis_url: str, *, quick: bool) -> list[float]:
    """Microseconds of processor time a request, by rounds: 3,000 requests a second of 1,000 callers, less idling."""
    cache = Cache(redis_url)
    try:
        return [await _round(cache, 0.5 if quick else SECONDS) for _ in range(1 if quick else ROUNDS)]
    finally:
        await cache.close()


async def _round(cache: Cache, seconds: float) -> float:
    limits = Limits(cache, space="bench")
    limits.start()
    idle = await _requests(lambda _: None, seconds)
    busy = await _requests(lambda caller: limits.take(caller, RULE), seconds)
    await limits.stop()
    if limits.refused or limits.sync_failures:
        raise RuntimeError("the limits were to allow everything, with Redis")
    return (busy - idle) * 1e6


async def _requests(each: Callable[[str], object], seconds: float) -> float:
    """Processor seconds per request, spread over so many seconds in small portions as requests come."""
    callers = [f"caller-{number:04}" for number in range(CALLERS)]
    portion = PER_SECOND // 100
    count = round(seconds * 100)
    started = time.process_time()
    for number in range(count):
        for at in range(portion):
            each(callers[(number * portion + at) % CALLERS])
        await asyncio.sleep(0.01)
    return (time.process_time() - started) / (count * portion)


if __name__ == "__main__":
    _run: Callable[..., list[float]] = uvloop.run
    print(json.dumps(_run(measure(sys.argv[1], quick="quick" in sys.argv))))
