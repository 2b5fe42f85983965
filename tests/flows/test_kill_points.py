"""The shop is killed with SIGKILL at every step of the order process, starts anew, and its books are right every time.

`make flows` kills it more often: KILL_POINTS=1000.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.flows import stories
from tests.flows.books import Money
from tests.flows.shops import open_market
from tests.flows.stories import (
    STORIES,
    Market,
    Story,
    a_card_is_declined,
    a_customer_pays_with_a_saved_card,
    a_guest_pays_in_the_browser,
    an_order_is_cancelled_after_payment,
)

KILL_POINTS = int(os.environ.get("KILL_POINTS", "216"))
PATIENCE = 60.0
# So long after all is settled there may still be steps: positions and checkpoints are noted a little later.
AFTERMATH = 0.35

# Steps that are killed at in any case; the others are a sample, evenly spread.
CERTAIN: dict[Story, tuple[str, ...]] = {
    a_customer_pays_with_a_saved_card: tuple(
        f"{when} {what} " for what in ("write", "batch", "publish") for when in ("before", "after")
    ),
    a_card_is_declined: ("before confirm at", "after confirm at"),
    an_order_is_cancelled_after_payment: ("before refund at", "after refund at", "before checkpoint", "in checkpoint"),
    a_guest_pays_in_the_browser: ("before create_intent at", "after create_intent at", "before publish payment-events"),
}

pytestmark = pytest.mark.timeout(KILL_POINTS * 4 + 120)


@dataclass(slots=True)
class Run:
    """A shop that is played in and killed."""

    market: Market
    cash: Callable[[], Money]
    kills: int = 0
    steps: dict[str, int] = field(default_factory=dict)

    def play(self, story: Story, at: int, only: str = "") -> bool:
        """A story with a death at a step; answers whether it came to that. Afterwards the books are right."""
        lives = self.market.lives
        go = story(self.market)
        before = len(lives.restarts)
        lives.set_fuse(at, only)
        go()
        self.settle()
        if at:
            self._aftermath(before)
        passed = lives.steps()
        killed = len(lives.restarts) - before
        if killed:
            self.settle()
        else:
            self.steps[story.__name__] = passed
        self.kills += killed
        return bool(killed)

    def settle(self) -> None:
        """Waits until nothing is wrong; fails with what stays wrong."""
        end = time.monotonic() + PATIENCE
        while faults := self.faults():
            if time.monotonic() > end:
                pytest.fail("\n".join([f"after {sum(self.market.lives.killed_at.values())} kills:", *faults]))
            self.market.lives.revive()
            time.sleep(0.02)

    def faults(self) -> list[str]:
        """What is wrong now."""
        return self.market.books.faults(self.market.ledger, self.cash())

    def _aftermath(self, before: int) -> None:
        end = time.monotonic() + AFTERMATH
        while time.monotonic() < end and len(self.market.lives.restarts) == before:
            self.market.lives.revive()
            time.sleep(0.01)


@contextmanager
def shop(folder: Path, redis_url: str, *, control: str = "") -> Iterator[Run]:
    """A shop to play in."""
    with open_market(folder, redis_url, control=control) as (market, cash):
        yield Run(market, cash)


def played(folder: Path, redis_url: str, told: Sequence[Story], kills: int) -> Run:
    """Plays each story once in peace, then with a death at each step, or at so many of them, evenly spread."""
    with shop(folder, redis_url) as run:
        for number, story in enumerate(told):
            run.play(story, 0)
            steps = run.steps[story.__name__]
            for step in CERTAIN.get(story, ()):
                assert run.play(story, 1, step), f"{story.__name__} has no step {step}"
            quota = max(1, (kills - run.kills) // (len(told) - number))
            count = min(steps, quota)
            for index in range(count):
                run.play(story, 1 + index * steps // count)
        run.settle()
        return run


def test_killed_at_every_step_it_keeps_its_books(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    shares = [STORIES[0::2], STORIES[1::2]]
    with ThreadPoolExecutor(len(shares)) as pool:
        runs = list(
            pool.map(
                lambda each: played(tmp_path / f"shop-{each[0]}", redis_url, each[1], KILL_POINTS // len(shares)),
                enumerate(shares),
            )
        )
    with capsys.disabled():
        sys.stdout.write(_summary(runs, time.monotonic() - started))
    kills = sum(run.kills for run in runs)
    assert kills >= 0.9 * KILL_POINTS or sum(sum(run.steps.values()) for run in runs) < KILL_POINTS
    starts = [start.processor for run in runs for start in run.market.lives.restarts]
    assert statistics.median(starts) < 0.5, "a start is meant to take less than half a second"


def test_the_control_with_the_events_outside_the_change_fails(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "PATIENCE", 15.0)
    with shop(tmp_path / "shop", redis_url, control="outbox apart") as run:
        market = run.market
        go = a_customer_pays_with_a_saved_card(market)
        market.lives.set_fuse(1)
        with pytest.raises(TimeoutError, match="pending"):
            go()
        assert set(market.lives.killed_at) == {"between change and event orders"}
        assert any("orders order-" in fault and "events" in fault for fault in run.faults()), run.faults()


def test_the_control_without_notes_of_what_was_applied_fails(tmp_path: Path, redis_url: str) -> None:
    with shop(tmp_path / "shop", redis_url, control="inbox off") as run:
        go = a_customer_pays_with_a_saved_card(run.market)
        run.market.lives.set_fuse(1)
        go()
        assert set(run.market.lives.killed_at) == {"between effect and checkpoint users"}
        end = time.monotonic() + PATIENCE
        while not any(fault.endswith(" orders, not 1") for fault in run.faults()):
            assert time.monotonic() < end, run.faults()
            time.sleep(0.02)
        assert any(fault.startswith("twice: ProfileUpdated") for fault in run.faults()), run.faults()


def _summary(runs: Sequence[Run], seconds: float) -> str:
    lives = [run.market.lives for run in runs]
    starts = [each for life in lives for each in life.restarts]
    busy, clock = (statistics.median(getattr(each, name) for each in starts) for name in ("processor", "seconds"))
    orders = sum(len(run.market.ledger.told) for run in runs)
    places = len({label for life in lives for label in life.killed_at})
    repeated = sum(run.market.repeated for run in runs)
    steps = sum(sum(run.steps.values()) for run in runs)
    return (
        f"\nkill points: {sum(run.kills for run in runs)} at {places} kinds of steps (the stories have {steps} steps); "
        f"{orders} orders; {len(starts)} restarts: {busy:.2f} s of a processor, {clock:.2f} s in all (medians); "
        f"{repeated} attempts of requests in vain, {seconds:.0f} s\n"
    )
