"""How a container lies in SQLite: one table, a column for each queried path, partial indexes.

Why columns, filled from the same mapping as the JSON, and not expression indexes: a filter that no index answers reads
a number instead of parsing the document (measured at 20,000 documents of 2 kB on SQLite 3.40: page with such a filter
0.9 against 2.2 ms, page over five categories 0.6 against 1.8 ms; writes and plain pages the same), and JSON's true,
false, arrays and objects keep types of their own, which `json_extract` loses.
"""
# ruff: noqa: S608  (what is written into SQL are names from containers.yaml; values are always bound)

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from generated.containers import Container, Index, Key
from handlers.platform.store.port import StoreMisuse
from handlers.platform.store.values import value_at

FORMAT: Final = 1
NEVER: Final = 2**63 - 1
FEED: Final = "outbox"  # the rows of the change feed
_FEED_INDEX: Final = ("", "seq", f"WHERE kind = '{FEED}'")

# Types SQLite does not have. They sort after numbers and texts, and equal nothing but themselves.
FALSE: Final = b"\x00"
TRUE: Final = b"\x01"
COMPOUND: Final = b"\x02"

# The partition as a path, for the order across partitions; no document has it.
PARTITION: Final = "\x00partition"

# Between the parts of a hierarchical key; no part may contain it.
_SEPARATOR: Final = "\x1f"
_AFTER_SEPARATOR: Final = "\x20"
_BASE: Final = ("pk", "id", "kind", "etag", "expires")


@dataclass(frozen=True, slots=True)
class Row:
    """A document ready to be written: everything the writer thread needs."""

    pk: str
    id: str
    kind: str | None
    etag: str
    expires: int
    values: tuple[Any, ...]
    raw: bytes

    def binding(self) -> tuple[Any, ...]:
        """The values of `Layout.insert`, in order."""
        return (self.pk, self.id, *self.changes())

    def changes(self) -> tuple[Any, ...]:
        """The values that `Layout.update` sets, in order."""
        return (self.kind, self.etag, self.expires, *self.values, self.raw.decode())


class Layout:
    """A container's table: names, columns and the statements that do not vary."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.table = f'"c_{container.name}"'
        self.single = len(container.partition_key) == 1
        self.fixed = frozenset({"id", "kind", *container.partition_key})
        paths = _paths(container) - {"id", *(container.partition_key if self.single else ())}
        self.paths = tuple(sorted(paths))
        self.columns: Mapping[str, str] = {
            # In brackets: what stands in double quotes and is no column, SQLite takes for a text.
            **{path: f"[v_{path}]" for path in self.paths},
            **({container.partition_key[0]: "pk"} if self.single else {}),
            "id": "id",
            PARTITION: "pk",
        }
        self.orders = frozenset(order for index in container.indexes for order in _orders(index))
        self._segments = tuple(tuple(path.split(".")) for path in self.paths)
        self._key_segments = tuple(tuple(path.split(".")) for path in container.partition_key)
        names = [*_BASE, *(self.columns[path] for path in self.paths), "doc"]
        marks = ", ".join("?" * len(names))
        changes = names[2:]
        changed = ", ".join(f"{name} = excluded.{name}" for name in changes)
        self.read = f"SELECT CAST(doc AS BLOB), etag, expires FROM {self.table} WHERE pk = ? AND id = ?"
        self._together: dict[int, str] = {}
        self.insert = f"INSERT INTO {self.table} ({', '.join(names)}) VALUES ({marks})"
        self.upsert = f"{self.insert} ON CONFLICT (pk, id) DO UPDATE SET {changed}"
        self.update = (
            f"UPDATE {self.table} SET {', '.join(f'{name} = ?' for name in changes)} "
            "WHERE pk = ? AND id = ? AND expires > ?"
        )
        self.delete = f"DELETE FROM {self.table} WHERE pk = ? AND id = ?"
        self.purge_partition = f"DELETE FROM {self.table} WHERE pk = ? AND expires <= ?"
        self.feeds = FEED in container.kinds
        self.feed = (
            f"SELECT seq, CAST(doc AS BLOB), etag FROM {self.table} INDEXED BY {self._index_name(*_FEED_INDEX)} "
            f"WHERE kind = '{FEED}' AND seq > ? ORDER BY seq LIMIT ?"
        )

    def read_together(self, count: int) -> str:
        """The statement of so many point reads; behind the columns of `read` stands which of them a row is for."""
        known = self._together.get(count)
        if known is None:
            known = self._together[count] = " UNION ALL ".join(
                self.read.replace(" FROM ", f", {place} FROM ", 1) for place in range(count)
            )
        return known

    def partition(self, partition: str | tuple[str, ...]) -> str:
        """The text of the `pk` column. Raises `StoreMisuse` for a partition of another shape."""
        parts = (partition,) if isinstance(partition, str) else partition
        if len(parts) != len(self.container.partition_key):
            raise StoreMisuse(f"{self.container.name}: the partition key is {self.container.partition_key}")
        return self._joined(parts)

    def partition_parts(self, pk: str) -> tuple[str, ...]:
        """The partition key's values from the text of the `pk` column."""
        return (pk,) if self.single else tuple(pk.split(_SEPARATOR))

    def partition_range(self, parts: tuple[str, ...]) -> tuple[str, str]:
        """The bounds [from, to) of all partitions below a prefix of a hierarchical key."""
        if not 1 <= len(parts) < len(self.container.partition_key):
            raise StoreMisuse(f"{self.container.name}: the partition key is {self.container.partition_key}")
        prefix = self._joined(parts)
        return prefix + _SEPARATOR, prefix + _AFTER_SEPARATOR

    def partition_of(self, document: Mapping[str, Any]) -> str:
        """The text of the `pk` column for a document."""
        return self._joined(tuple(value_at(document, segments) for segments in self._key_segments))

    def row(self, document: Mapping[str, Any], raw: bytes, etag: str, now: datetime) -> Row:
        """The document ready to be written. Raises `StoreMisuse` when it does not fit the container."""
        own_id, kind = document.get("id"), document.get("kind")
        if not isinstance(own_id, str) or not own_id:
            raise StoreMisuse(f"{self.container.name}: a document needs an id")
        if kind is not None and kind not in self.container.kinds:
            raise StoreMisuse(f"{self.container.name}: no service rows of kind {kind!r} (infra/containers.yaml)")
        return Row(
            pk=self.partition_of(document),
            id=own_id,
            kind=kind,
            etag=etag,
            expires=self._expires(document, kind, now),
            values=tuple(cell(value_at(document, segments)) for segments in self._segments),
            raw=raw,
        )

    def _expires(self, document: Mapping[str, Any], kind: str | None, now: datetime) -> int:
        default = self.container.ttl if kind is None else self.container.kinds[kind]
        own = document.get("ttl")
        if own is None:
            return NEVER if default is None or default < 0 else milliseconds(now) + default * 1000
        if default is None:
            raise StoreMisuse(f"{self.container.name}: ttl has no effect here (infra/containers.yaml)")
        if type(own) is not int or (own < 1 and own != -1):
            raise StoreMisuse(f"{self.container.name}: ttl is whole seconds, or -1 for never")
        return NEVER if own < 0 else milliseconds(now) + own * 1000

    def _joined(self, parts: tuple[Any, ...]) -> str:
        for part in parts:
            if not isinstance(part, str) or not part or _SEPARATOR in part:
                raise StoreMisuse(f"{self.container.name}: {part!r} is no value of the partition key")
        return str(parts[0]) if len(parts) == 1 else _SEPARATOR.join(parts)

    def tables(self) -> list[str]:
        """The statement that creates the table; idempotent."""
        values = "".join(f", {self.columns[path]}" for path in self.paths)
        return [
            # AUTOINCREMENT: `seq` never comes twice, so a reader of new rows can go on from the last one it saw.
            # Whatever is compared has no type, for with one SQLite would turn a number into a text and find them equal.
            f"CREATE TABLE IF NOT EXISTS {self.table} (seq INTEGER PRIMARY KEY AUTOINCREMENT, pk NOT NULL, "
            f"id NOT NULL, kind TEXT, etag TEXT NOT NULL, expires INTEGER NOT NULL{values}, doc TEXT NOT NULL)"
        ]

    def indexes(self) -> dict[str, str]:
        """Every index of the table: its name (which carries a digest of its text) and the statement that creates it."""
        pending = f"WHERE expires < {NEVER}"
        bodies = [("UNIQUE ", "pk, id", ""), ("", "expires", pending)]
        bodies += [_FEED_INDEX] if self.feeds else []
        bodies += [("UNIQUE ", self._unique(keys), "WHERE kind IS NULL") for keys in self.container.unique_keys]
        bodies += [("", self._keys(index), _of_kind(index)) for index in self.container.indexes]
        statements = {}
        for unique, keys, where in bodies:
            name = self._index_name(unique, keys, where)
            statements[name] = f"CREATE {unique}INDEX {name} ON {self.table} ({keys}) {where}".strip()
        return statements

    def _index_name(self, unique: str, keys: str, where: str) -> str:
        digest = hashlib.sha256(f"{unique}{keys}{where}".encode()).hexdigest()[:12]
        return f'"i_{self.container.name}_{digest}"'

    def _unique(self, keys: tuple[str, ...]) -> str:
        return ", ".join(["pk", *(self.columns[path] for path in keys)])

    def _keys(self, index: Index) -> str:
        keys = list(index.keys)
        last = keys[-1].descending
        columns = [_key(self.columns[key.path], key) for key in keys]
        tail = [Key("id", last)] if all(key.path != "id" for key in keys) else []
        columns += [_key("id", key) for key in tail]
        if not any(self.columns[key.path] == "pk" for key in keys):
            columns.append(_key("pk", Key("pk", last)))
        return ", ".join(columns)


def cell(value: Any) -> Any:
    """What a value is in its column: types stay apart, arrays and objects only say that they are there."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, int):
        return value if -NEVER <= value <= NEVER else float(value)
    if isinstance(value, float):
        return value if value - value == 0 else None  # JSON has no infinity; orjson writes null
    if isinstance(value, str):
        return str.__str__(value)
    return COMPOUND


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _key(column: str, key: Key) -> str:
    return f"{column} DESC" if key.descending else column


def _of_kind(index: Index) -> str:
    return f"WHERE kind = '{index.kind}'" if index.kind else "WHERE kind IS NULL"


def _orders(index: Index) -> Iterator[tuple[str | None, tuple[Key, ...]]]:
    """The orders an index answers, behind equal values of the keys before: its ends, forwards and backwards."""
    keys = tuple(key for key in index.keys if key.path != "id")
    for start in range(len(keys)):
        yield index.kind, keys[start:]
        yield index.kind, tuple(Key(key.path, not key.descending) for key in keys[start:])


def _paths(container: Container) -> set[str]:
    """Every path that gets a column."""
    indexed = {key.path for index in container.indexes for key in index.keys}
    return {*container.filters, *indexed, *(path for keys in container.unique_keys for path in keys)}
