"""Everything the account holds: in memory, and with a file in SQLite too, so that saved cards outlive a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from infra.local.stripe.params import PAGING, read
from infra.local.stripe.wire import Json, Refusal

# By which fields objects are listed.
_LISTED_BY: Final[dict[str, tuple[str, ...]]] = {
    "payment_intent": ("customer",),
    "refund": ("payment_intent", "charge"),
    "payment_method": ("customer",),
    "charge": ("payment_intent", "customer"),
    "event": ("type",),
}


class State:
    """Objects by kind and id, in the order they were made."""

    def __init__(self, path: Path | None = None) -> None:
        self._objects: dict[str, dict[str, Json]] = {}
        self._by: dict[tuple[str, str, Any], dict[str, None]] = {}
        self._file = sqlite3.connect(path, isolation_level=None) if path is not None else None
        if self._file is not None:
            # What the machine loses in a crash of its own was play money.
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute("CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, kind TEXT, content BLOB)")
            for kind, content in self._file.execute("SELECT kind, content FROM things ORDER BY rowid"):
                self._keep(kind, orjson.loads(content))

    def put(self, thing: Json) -> Json:
        """Keeps an object, new or changed."""
        kind = thing["object"]
        self._keep(kind, thing)
        if self._file is not None:
            self._file.execute(
                "INSERT INTO things VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                (thing["id"], kind, orjson.dumps(thing)),
            )
        return thing

    def forget(self, kind: str, id: str) -> None:
        """Removes an object."""
        self._objects.get(kind, {}).pop(id, None)
        if self._file is not None:
            self._file.execute("DELETE FROM things WHERE id = ?", (id,))

    def find(self, kind: str, id: str | None) -> Json | None:
        """An object, or None."""
        return self._objects.get(kind, {}).get(id or "")

    def get(self, kind: str, id: str, what: str | None = None) -> Json:
        """An object. Raises `Refusal` 404 `resource_missing`."""
        found = self.find(kind, id)
        if found is None:
            raise missing(what or kind, id)
        return found

    def all(self, kind: str, **fields: Any) -> list[Json]:
        """The objects whose fields have these values, oldest first."""
        return [thing for thing in self._candidates(kind, fields) if all(thing[k] == v for k, v in fields.items())]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _candidates(self, kind: str, fields: Json) -> Iterator[Json]:
        things = self._objects.get(kind, {})
        for name in _LISTED_BY.get(kind, ()):
            if name in fields:
                return (things[each] for each in self._by.get((kind, name, fields[name]), {}) if each in things)
        return iter(list(things.values()))

    def _keep(self, kind: str, thing: Json) -> None:
        self._objects.setdefault(kind, {})[thing["id"]] = thing
        for name in _LISTED_BY.get(kind, ()):
            self._by.setdefault((kind, name, thing[name]), {})[thing["id"]] = None


def missing(what: str, id: str, param: str = "id") -> Refusal:
    """404, or 400 where the id came as a parameter (reference: Error codes, resource_missing)."""
    status = 404 if param == "id" else 400
    return Refusal(status, f"No such {what.replace('_', '')}: '{id}'", code="resource_missing", param=param)


def page(things: Iterable[Json], url: str, params: Json) -> Json:
    """A list object, newest first (reference: Pagination)."""
    given = read({name: value for name, value in params.items() if name in PAGING}, PAGING)
    limit = given.get("limit", 10)
    if not 1 <= limit <= 100:
        raise Refusal(400, "limit must be between 1 and 100", code="parameter_invalid_integer", param="limit")
    listed = list(things)[::-1]
    if "ending_before" in given:
        before = listed[: _place(listed, given["ending_before"], "ending_before")]
        items, more = before[-limit:], len(before) > limit
    else:
        after = (
            listed[_place(listed, given["starting_after"], "starting_after") + 1 :]
            if "starting_after" in given
            else listed
        )
        items, more = after[:limit], len(after) > limit
    return {"object": "list", "url": url, "has_more": more, "data": items}


def expanded(state: State, body: Json, paths: Any) -> Json:
    """The body with objects in the place of their ids (reference: Expanding Responses), one level deep."""
    for path in paths if isinstance(paths, list) else [paths]:
        if path.startswith("data."):
            body = body | {"data": [expanded(state, each, [path.removeprefix("data.")]) for each in body["data"]]}
            continue
        if path not in body:
            raise Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
        kind = "charge" if path == "latest_charge" else path
        there = body[path]
        found = state.find(kind, there) if isinstance(there, str) else None
        body = body | ({path: found} if found is not None else {})
    return body


def _place(listed: list[Json], id: str, param: str) -> int:
    matches: Callable[[Json], bool] = lambda thing: thing["id"] == id  # noqa: E731 - a default beside its other values
    found = next((at for at, thing in enumerate(listed) if matches(thing)), None)
    if found is None:
        raise missing("object", id, param)
    return found
