"""Random lives of orders through the real handlers, held against a model made of the saga's table.

Orders, cancellations, payments in the browser, webhooks, refunds, parcels, deadlines that pass, and a store that is
throttled or loses its answers; events are delivered one by one, late, twice, and in any order that a bus may choose.
What the table does not say must not happen, and at the end of each life stock and money agree with what became of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from tests.flows.machine import Process, ProcessAtStripe, ProcessWithOutages
from tests.flows.model import Stage

EXAMPLES: Final = int(os.environ.get("MODEL_EXAMPLES", "25"))
STEPS: Final = 30

pytestmark = pytest.mark.timeout(300 + EXAMPLES * 12)


@pytest.fixture
def stage(tmp_path: Path, redis_url: str) -> Iterator[Stage]:
    """The application of these lives."""
    opened = Stage(tmp_path, redis_url)
    yield opened
    opened.close()


def test_every_life_follows_the_table(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    play(stage, EXAMPLES, machine=ProcessWithOutages)
    assert stage.seen["outages"]
    ends = {name for name in stage.seen if name.startswith("ended")}
    with capsys.disabled():
        sys.stdout.write(f"\nmodel: {dict(sorted(stage.seen.items()))}\n")
    assert {"ended cancelled", "ended payment_failed", "ended processing"} <= ends


def test_whatever_happens_at_stripe_every_life_follows_the_table(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    play(stage, EXAMPLES, machine=ProcessAtStripe)
    done = {name for name in stage.seen if name.startswith("at Stripe")}
    with capsys.disabled():
        sys.stdout.write(f"\nmodel, others at Stripe: {dict(sorted(stage.seen.items()))}\n")
    assert len(done) > 1


async def _nothing(*_: object) -> None:
    """Stands for what is forgotten."""


@pytest.mark.parametrize("forgotten", ["handlers.inventory.reservations.release", "handlers.payments.events._returned"])
def test_the_control_that_forgets_something_fails(
    stage: Stage, forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgotten, _nothing)
    with pytest.raises(AssertionError):
        # It ends with the first life that comes to harm; not every one takes money and gives it back.
        play(stage, EXAMPLES * 4, (Phase.generate,))


def play(
    stage: Stage, examples: int, phases: Sequence[Phase] = tuple(Phase), *, machine: type[Process] = Process
) -> None:
    """So many lives, the same ones each time."""
    bound = type("BoundProcess", (machine,), {"stage": stage})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
