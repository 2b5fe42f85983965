"""The migration of parcels called off before contract 2.0, and with it how any migration runs: on every store."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from generated.containers import CONTAINERS
from handlers import migrate_command, worker
from handlers.platform import migrations
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import change
from handlers.platform.migrations import Migration, MigrationRun
from handlers.platform.store.port import Create, Document, DocumentStore, Operation
from handlers.platform.store.sqlite import SqliteStore
from handlers.settings import Settings
from handlers.shipments import states, store, tracking
from handlers.shipments.migrations import END_CALLED_OFF, MIGRATIONS, end_called_off
from tests.platform.store.adapters import ADAPTERS, TestClock
from tests.shipments.test_states import shipment, step
from tests.support.app import settings_for

Json = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
FAST: Final = 10_000.0
CALLED_OFF: Final = 7


@pytest.fixture(params=ADAPTERS)
async def documents(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DocumentStore]:
    """An empty store of each adapter, with the containers of the shop."""
    opened = ADAPTERS[str(request.param)](tmp_path, CONTAINERS, TestClock())
    yield opened
    await opened.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a shop on one machine."""
    return settings_for(tmp_path, None, ROLE="worker")


def placed(number: int, **fields: Any) -> Json:
    """The shipment of an order of its own."""
    made_at = timestamp(moment("2026-01-25T11:00:00.000Z") + timedelta(seconds=number))
    names = {"order_id": f"order-{number}", "shipment_id": f"shipment-{number}", "id": f"shipment-{number}"}
    return shipment(created_at=made_at, **names, **fields)


def held_up(number: int, **fields: Any) -> Json:
    return {**step(placed(number), "exception"), **fields}


def before_2_0() -> tuple[list[Json], list[Json]]:
    """Shipments as a shop of contract 1.x had them: called off before hand-over; and all others."""
    called_off = [placed(number, called_off=True) for number in range(CALLED_OFF - 1)]
    called_off.append(held_up(CALLED_OFF - 1, called_off=True))
    on_its_way = step(placed(21), "picked_up")
    came_too_late = {**step(step(placed(22), "picked_up"), "exception"), "called_off": True}
    arrived = {**step(on_its_way, "delivered"), "id": "shipment-23", "order_id": "order-23"}
    booking = {**store.place_taken("order-24", called_off=True), "status": "label_created"}
    return called_off, [placed(20), on_its_way, came_too_late, arrived, held_up(25), booking]


async def fill(opened: DocumentStore) -> tuple[list[Json], list[Json]]:
    called_off, others = before_2_0()
    for each in (*called_off, *others):
        await opened.write(store.CONTAINER, Create(each))
    return called_off, others


async def read(opened: DocumentStore, each: Json) -> Document:
    found = await opened.read(store.CONTAINER, each["order_id"], each["id"])
    assert found is not None
    return found


async def etags(opened: DocumentStore, many: list[Json]) -> list[str]:
    return [(await read(opened, each)).etag for each in many]


async def under_way(opened: DocumentStore) -> set[str]:
    return {found.data["id"] async for found in tracking.under_way(opened)}


async def position(opened: DocumentStore) -> Document | None:
    return await opened.read(migrations.POSITIONS, migrations.GROUP, END_CALLED_OFF.name)


def run_of(opened: DocumentStore, migration: Migration = END_CALLED_OFF, **options: Any) -> MigrationRun:
    return MigrationRun(opened, CONTAINERS, migration, options.pop("rate", FAST), **options)


async def test_a_dry_run_names_what_would_be_changed_and_changes_nothing(documents: DocumentStore) -> None:
    called_off, others = await fill(documents)
    everything = [*called_off, *others]
    before = await etags(documents, everything)
    named: list[str] = []
    progress = await run_of(documents, dry=True, on_change=named.append).run()
    assert sorted(named) == [each["id"] for each in called_off]
    # What has left, arrived, or is no shipment yet, is not looked at; what came too late is.
    assert (progress.seen, progress.changed, progress.failed) == (CALLED_OFF + 3, CALLED_OFF, 0)
    assert await etags(documents, everything) == before
    assert await position(documents) is None


async def test_a_run_changes_exactly_those_called_off_and_a_second_one_nothing(documents: DocumentStore) -> None:
    called_off, others = await fill(documents)
    others_before = await etags(documents, others)
    scanned = await under_way(documents)
    assert {each["id"] for each in called_off} < scanned
    assert (await run_of(documents).run()).changed == CALLED_OFF
    for each in called_off:
        after = (await read(documents, each)).data
        assert (after["status"], after["called_off"]) == ("cancelled", True)
        assert after["events"][:-1] == each["events"]
        assert after["events"][-1]["status"] == "cancelled"
    assert await etags(documents, others) == others_before
    assert await under_way(documents) == scanned - {each["id"] for each in called_off}
    ended = await etags(documents, called_off)
    again = await run_of(documents).run()
    assert (again.seen, again.changed) == (3, 0)
    assert await etags(documents, called_off) == ended
    assert await position(documents) is None


async def test_a_run_ended_between_two_pages_goes_on_and_comes_to_the_same(
    documents: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PAGE", 2)
    called_off, others = await fill(documents)
    others_before = await etags(documents, others)
    ended = run_of(documents)
    # The second page is done and noted, the third one half done.
    task = asyncio.create_task(ended.run())

    def end(_: str) -> None:
        if ended.progress.changed == 5:
            task.cancel()

    ended.on_change = end
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.progress.changed == 5
    noted = await position(documents)
    assert noted is not None
    assert (noted.data["query"], noted.data["failed"]) == (0, 0)
    rest = await run_of(documents).run()
    assert rest.changed == CALLED_OFF - 5
    # Not from the beginning: the first pages were not looked at again.
    assert rest.seen < CALLED_OFF + 3 - 2
    for each in called_off:
        assert (await read(documents, each)).data == end_called_off(each)
    assert await etags(documents, others) == others_before
    assert await position(documents) is None


async def test_a_run_beside_a_writer_loses_none_of_its_updates(documents: DocumentStore) -> None:
    called_off, _ = await fill(documents)
    begun = asyncio.Event()

    def add_note(found: Json) -> list[Operation]:
        found.setdefault("notes", []).append("seen")
        return []

    async def write() -> None:
        # The page is read by now, so that the migration's copies are old ones.
        await begun.wait()
        for each in called_off * 3:
            await change(documents, store.CONTAINER, each["order_id"], each["id"], add_note)

    writer = asyncio.create_task(write())
    running = run_of(documents, rate=20.0, on_change=lambda _: begun.set())
    progress = await running.run()
    await writer
    assert progress.conflicts > 0
    assert (progress.changed, progress.failed) == (CALLED_OFF, 0)
    for each in called_off:
        after = (await read(documents, each)).data
        assert (after["status"], after["notes"]) == ("cancelled", ["seen"] * 3)


async def test_two_runs_at_once_change_each_document_once(documents: DocumentStore) -> None:
    called_off, _ = await fill(documents)
    both = await asyncio.gather(run_of(documents).run(), run_of(documents).run())
    assert sum(each.changed for each in both) == CALLED_OFF
    for each in called_off:
        assert len((await read(documents, each)).data["events"]) == len(each["events"]) + 1
    assert await position(documents) is None


async def test_a_document_that_cannot_be_changed_is_counted_and_holds_up_no_other(
    documents: DocumentStore, caplog: pytest.LogCaptureFixture
) -> None:
    called_off, _ = await fill(documents)
    broken = {**placed(30, called_off=True), "events": []}
    await documents.write(store.CONTAINER, Create(broken))
    progress = await run_of(documents).run()
    assert (progress.changed, progress.failed) == (len(called_off), 1)
    assert "shipments: shipment-30 cannot be migrated: IndexError" in caplog.text
    # It is there for the next run, once it was mended.
    assert (await run_of(documents).run()).failed == 1


async def test_a_migration_moves_no_document(documents: DocumentStore) -> None:
    await fill(documents)
    moving = replace(END_CALLED_OFF, change=lambda found: {**found, "order_id": "order-of-another"})
    renaming = replace(END_CALLED_OFF, change=lambda found: {**found, "id": "another"})
    for each in (moving, renaming):
        for dry in (True, False):
            progress = await run_of(documents, each, dry=dry).run()
            assert (progress.changed, progress.failed) == (0, CALLED_OFF + 3)


async def test_a_run_keeps_its_rate(tmp_path: Path) -> None:
    opened = SqliteStore.open(tmp_path / "shop.db", CONTAINERS)
    await fill(opened)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await run_of(opened, rate=50.0, dry=True).run()
    assert loop.time() - began >= (CALLED_OFF + 3) / 50
    await opened.close()


def test_the_result_is_the_same_however_often_and_when_it_is_made() -> None:
    called_off, others = before_2_0()
    for each in called_off:
        once = end_called_off(each)
        assert once == end_called_off(each)
        assert once is not None
        assert end_called_off(once) is None
        assert states.MOVES[once["status"]] == ()
        # It is not known when it was: at its last change, not today.
        assert once["updated_at"] == each["updated_at"]
    shipments = [each for each in others if "kind" not in each]
    assert [end_called_off(each) for each in shipments] == [None] * len(shipments)


def test_a_person_who_asked_to_be_forgotten_is_forgotten_with_the_end() -> None:
    after = end_called_off(shipment(called_off=True, forget=True))
    assert after is not None
    assert after["destination"]["name"] == "Deleted customer"


def test_names_of_migrations_are_unique_and_their_queries_are_on_the_allow_list() -> None:
    assert len(migrate_command.MIGRATIONS) == len(MIGRATIONS)
    for migration in migrate_command.MIGRATIONS.values():
        for query in migration.queries:
            assert query.purpose in CONTAINERS[query.container].cross_partition


# --- the command ----------------------------------------------------------------------------------------------------


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "ENV": "test", "DATA_DIR": str(folder), "PASSWORD_HASH_COST": "4"}
    line = [sys.executable, "-m", "handlers.worker", "migrate", *arguments]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environ)


async def test_a_killed_command_that_is_run_again_comes_to_the_same(tmp_path: Path) -> None:
    opened = SqliteStore.open(tmp_path / "documents.sqlite3", CONTAINERS)
    called_off, others = await fill(opened)
    others_before = await etags(opened, others)

    async def ended() -> int:
        return [(await read(opened, each)).data["status"] for each in called_off].count("cancelled")

    with command(tmp_path, "run", END_CALLED_OFF.name, "--rate", "4") as process:
        while await ended() < 2:
            assert process.poll() is None
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    done = await ended()
    assert 2 <= done < CALLED_OFF
    with command(tmp_path, "run", END_CALLED_OFF.name, "--rate", "1000") as process:
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert f"{CALLED_OFF - done} to be changed or changed" in said.splitlines()[-1]
    for each in called_off:
        assert (await read(opened, each)).data == end_called_off(each)
    assert await etags(opened, others) == others_before
    await opened.close()


async def test_the_command_lists_migrations_and_shows_ids_but_no_person(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "load_settings", lambda _: settings)
    assert await asyncio.to_thread(worker.main, ["migrate", "list"]) == 0
    assert END_CALLED_OFF.name in capsys.readouterr().out
    opened = SqliteStore.open(settings.data_dir / "documents.sqlite3", CONTAINERS)
    await fill(opened)
    run = ["migrate", "run", END_CALLED_OFF.name, "--rate", "1000"]
    assert await asyncio.to_thread(worker.main, [*run, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.count("would change shipment-") == CALLED_OFF
    assert "dry run, nothing was written" in said
    assert not any(word in said for word in ("Whitfield", "Main St", "94102"))
    assert await asyncio.to_thread(worker.main, run) == 0
    assert f"{CALLED_OFF} to be changed or changed" in capsys.readouterr().out
    await opened.write(store.CONTAINER, Create({**placed(30, called_off=True), "events": []}))
    assert await asyncio.to_thread(worker.main, run) == 1
    await opened.close()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "nothing-such"],
        *(["run", END_CALLED_OFF.name, "--rate", rate] for rate in ("0", "-1", "x", "nan")),
    ],
)
def test_the_command_refuses_what_it_does_not_know(settings: Settings, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        migrate_command.run(settings, arguments)
    assert ended.value.code == 2
