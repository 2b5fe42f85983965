"""`python -m handlers.worker migrate list|run`: brings documents into a newer shape (`handlers/migrations.md`)."""
# ruff: noqa: T201  (its output is what it is for)

from __future__ import annotations

import argparse
import asyncio
from typing import Final

from generated.containers import CONTAINERS
from handlers.parts import open_store
from handlers.platform.migrations import Migration, MigrationRun, Progress
from handlers.platform.store.port import StoreUnavailable
from handlers.settings import Settings
from handlers.shipments.migrations import MIGRATIONS as SHIPMENTS

MIGRATIONS: Final[dict[str, Migration]] = {each.name: each for each in (*SHIPMENTS,)}
# A write of a document with its indexes costs 10 to 20 RU, so 25 a second take at most half of the smallest container.
_RATE: Final = 25.0


def run(settings: Settings, arguments: list[str]) -> int:
    """Carries the command out. Answers the exit code: 1 when documents are left that could not be changed."""
    options = parser().parse_args(arguments)
    if options.what == "list":
        for migration in MIGRATIONS.values():
            print(f"{migration.name}\n    {migration.reason}")
        return 0
    return asyncio.run(carry_out(settings, options))


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    whole = argparse.ArgumentParser(prog="python -m handlers.worker migrate")
    commands = whole.add_subparsers(dest="what", required=True)
    commands.add_parser("list", help="the migrations there are, and what each is for")
    running = commands.add_parser("run", help="change documents; may be killed, and run again")
    running.add_argument("name", choices=sorted(MIGRATIONS))
    running.add_argument("--dry-run", action="store_true", help="write nothing; show the ids of what would be changed")
    running.add_argument("--rate", type=_rate, default=_RATE, help=f"documents a second, at most ({_RATE:g})")
    return whole


async def carry_out(settings: Settings, options: argparse.Namespace) -> int:
    """Runs a migration, and says how far it is. Answers the exit code."""
    store = open_store(settings)
    migrating = MigrationRun(
        store,
        CONTAINERS,
        MIGRATIONS[options.name],
        options.rate,
        dry=options.dry_run,
        on_change=_show_id if options.dry_run else lambda _: None,
        on_page=lambda progress: print(f"... {_line(progress)}", flush=True),
    )
    try:
        progress = await migrating.run()
    except StoreUnavailable as error:
        print(f"not finished, run it again: {error}; {_line(migrating.progress)}")
        return 1
    finally:
        await store.close()
    print(f"{'dry run, nothing was written' if options.dry_run else 'finished'}: {_line(progress)}")
    return 1 if progress.failed else 0


def _show_id(id: str) -> None:
    print(f"would change {id}", flush=True)


def _line(progress: Progress) -> str:
    return (
        f"{progress.seen} looked at, {progress.changed} to be changed or changed, {progress.failed} failed, "
        f"{progress.conflicts} read again"
    )


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 10_000:
        raise argparse.ArgumentTypeError("a number above 0, at most 10000")
    return rate
