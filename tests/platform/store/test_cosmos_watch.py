"""The limit of an attempt: it ends what takes too long, and nobody else's cancellation is taken for its own."""

from __future__ import annotations

import asyncio

import pytest

from handlers.platform.store import cosmos_watch
from handlers.platform.store.cosmos_watch import Watch


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks often."""
    monkeypatch.setattr(cosmos_watch, "TICK", 0.002)


async def limited(watch: Watch, seconds: float, sleep: float) -> str:
    """Sleeps under a limit."""
    with watch.limit(seconds):
        await asyncio.sleep(sleep)
    return "done"


async def test_what_takes_too_long_ends() -> None:
    watch = Watch()
    outcomes = await asyncio.gather(
        *(limited(watch, 0.01, 60) for _ in range(5)),
        *(limited(watch, 60, 0) for _ in range(5)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 5 + [str] * 5
    assert not watch._running


async def test_it_can_be_used_again_and_again() -> None:
    watch = Watch()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await limited(watch, 0.01, 60)
        assert await limited(watch, 60, 0.005) == "done"
        await asyncio.sleep(0.01)
        assert not watch._ticking


async def test_a_cancelled_caller_is_cancelled() -> None:
    watch = Watch()
    task = asyncio.create_task(limited(watch, 60, 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_by_both_at_once_is_cancelled() -> None:
    watch = Watch()
    started = asyncio.Event()

    async def work() -> None:
        with watch.limit(0):
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    next(iter(watch._running)).expire()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_within_is_the_error() -> None:
    watch = Watch()
    with pytest.raises(ZeroDivisionError), watch.limit(60):
        raise ZeroDivisionError
