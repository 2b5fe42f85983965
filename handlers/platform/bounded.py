"""Lists in documents stay short: what is older goes into a row of kind `history` beside the document, in its batch.

A document is rewritten at each change, so a list that grows makes every change dearer. Nothing is lost, and nothing
reads the rows on a usual way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.platform.store.port import Create

Json = dict[str, Any]

HISTORY: Final = "history"
# How many entries stay: how it began, and what is latest. Moved are so many at once, so that few rows come of it.
FIRST: Final = 5
LATEST: Final = 45
AT_ONCE: Final = 25


def moved_history(document: Json, name: str, place: Mapping[str, Any]) -> list[Create]:
    """Shortens the list `name` of a document, in place; the row that takes what is moved, if it is time.

    Entries have an `event_id`. `place`: the fields of the partition key.
    """
    entries: list[Json] = document[name]
    if len(entries) < FIRST + LATEST + AT_ONCE:
        return []
    moved = entries[FIRST:-LATEST]
    document[name] = [*entries[:FIRST], *entries[-LATEST:]]
    row = {
        **place,
        "id": f"{HISTORY}|{document['id']}|{moved[0]['event_id']}",
        "kind": HISTORY,
        "of": document["id"],
        "entries": moved,
    }
    return [Create(row)]
