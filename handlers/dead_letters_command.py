"""`python -m handlers.worker dead-letters list|replay`: what the admin operations do, for a terminal."""
# ruff: noqa: T201  (its output is what it is for)

from __future__ import annotations

import argparse
import asyncio
from typing import Final

from handlers.parts import open_store
from handlers.platform.audit import Actor, audit_row
from handlers.platform.dead_letters import DeadLetters, NotReplayable
from handlers.platform.store.port import Document, DocumentStore, VersionConflict
from handlers.settings import Settings

_PAGE: Final = 100


def run(settings: Settings, arguments: list[str]) -> int:
    """Carries the command out. Answers the exit code: 1 when something could not be replayed."""
    parser = argparse.ArgumentParser(prog="python -m handlers.worker dead-letters")
    parser.add_argument("what", choices=["list", "replay"])
    parser.add_argument("ids", nargs="*", help="dead letters to replay; none: all that --consumer and --status name")
    parser.add_argument("--consumer", help="only those of this consumer group")
    parser.add_argument("--status", default="open", choices=["open", "replaying", "replayed"])
    return asyncio.run(_run(settings, parser.parse_args(arguments)))


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    store = open_store(settings)
    try:
        letters = DeadLetters(store)
        found = await _chosen(store, letters, options)
        if options.what == "list":
            for document in found:
                print(_line(document))
            return 0
        failed = [await _replay(letters, document) for document in found].count(False)
        print(f"{len(found) - failed} of {len(found)} are being replayed")
        return 1 if failed or len(found) < len(options.ids) else 0
    finally:
        await store.close()


async def _chosen(store: DocumentStore, letters: DeadLetters, options: argparse.Namespace) -> list[Document]:
    if options.ids:
        looked_up = [await letters.find(one) for one in options.ids]
        return [document for document in looked_up if document is not None]
    query = letters.query(options.consumer, options.status, _PAGE)
    return (await store.query(query)).items


async def _replay(letters: DeadLetters, document: Document) -> bool:
    letter = document.data
    row = audit_row(
        "dead_letters",
        letter,
        Actor("system"),
        entity_type="event",
        entity_id=letter["event_id"],
        action="event_replayed",
        changes={"status": ("open", "replaying")},
    )
    try:
        await letters.replay(document, row)
    except (NotReplayable, VersionConflict):
        print(f"{letter['id']}: not replayable, its status is {letter['status']}")
        return False
    return True


def _line(document: Document) -> str:
    letter = document.data
    return f"{letter['id']}  {letter['status']}  {letter['failed_at']}  {letter['reason']}  {letter['error']}"
