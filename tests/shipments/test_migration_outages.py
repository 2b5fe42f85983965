"""A migration while the store drops answers, refuses for a while, or is away for longer than a run is patient."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from generated.containers import CONTAINERS
from handlers import migrate_command
from handlers.platform import migrations
from handlers.platform.store.cosmos import CosmosStore
from handlers.platform.store.cosmos_retry import Policy
from handlers.platform.store.port import StoreUnavailable
from handlers.shipments.migrations import END_CALLED_OFF, end_called_off
from infra.local.cosmos.faults import ANY, WRITE, Fault
from infra.local.cosmos.server import Server
from tests.platform.store.adapters import TestClock
from tests.platform.store.cosmos_adapters import stand_in, store_on
from tests.shipments.test_migrations import fill, position, read, run_of
from tests.support.app import settings_for

HASTY: Final = Policy(attempt=0.1, seconds=0.1, first_pause=0.001, longest_pause=0.01)
Shaky = tuple[CosmosStore, Server]


@pytest.fixture
async def shaky(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shaky]:
    """A store on a server that faults can be planned on; neither it nor a run is patient."""
    monkeypatch.setattr(migrations, "_ATTEMPTS", 4)
    monkeypatch.setattr(migrations, "PAGE", 2)
    server = stand_in(CONTAINERS, TestClock())
    opened = store_on(server, CONTAINERS, reading=HASTY, writing=HASTY)
    yield opened, server
    await opened.close()


@pytest.mark.parametrize("effect", ["lost_after", "lost_before", 429, 503])
async def test_what_goes_wrong_now_and_then_changes_nothing_twice(shaky: Shaky, effect: Any) -> None:
    opened, server = shaky
    called_off, _ = await fill(opened)
    for _ in range(6):
        server.faults.add(Fault(effect, WRITE, skip=1))
    assert (await run_of(opened).run()).failed == 0
    assert server.faults.happened == 6
    for each in called_off:
        assert (await read(opened, each)).data == end_called_off(each)


async def test_an_outage_ends_a_run_and_the_next_one_goes_on(shaky: Shaky) -> None:
    opened, server = shaky
    called_off, _ = await fill(opened)
    # A document of the first page is written, and the position behind it.
    server.faults.add(Fault(503, WRITE, times=10_000, skip=2))
    ended = run_of(opened)
    with pytest.raises(StoreUnavailable):
        await ended.run()
    assert ended.progress.changed == 1
    server.faults.clear()
    assert await position(opened) is not None
    again = await run_of(opened).run()
    assert again.failed == 0
    for each in called_off:
        assert (await read(opened, each)).data == end_called_off(each)


async def test_the_command_says_that_it_is_not_finished(
    shaky: Shaky, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, server = shaky
    await fill(opened)
    server.faults.add(Fault(503, ANY, times=10_000, skip=6))
    monkeypatch.setattr(migrate_command, "open_store", lambda _: opened)
    options = migrate_command.parser().parse_args(["run", END_CALLED_OFF.name, "--rate", "1000"])
    assert await migrate_command.carry_out(settings_for(tmp_path, None, ROLE="worker"), options) == 1
    assert "not finished, run it again" in capsys.readouterr().out
