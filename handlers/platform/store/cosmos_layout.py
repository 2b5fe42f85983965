"""How a document lies in Cosmos: the user's fields, the service's own (`_etag` …), and two of this adapter.

`_w` names the write that made this version: how a write whose answer was lost is recognised. `_t` says that the `ttl`
beside it is the default of a service row's kind and not part of the document. Neither is ever seen by a room.

What holds for `Document.raw`: it equals what was written as JSON, name by name and value by value. The service keeps
numbers as doubles, so 1.0 may come back as 1 and whole numbers beyond 2^53 lose their last digits.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from generated.containers import PER_DOCUMENT, Container
from handlers.platform.store.cosmos_indexing import KIND, default_ttl
from handlers.platform.store.port import Document, Json, StoreMisuse
from handlers.platform.store.sqlite_layout import Layout
from handlers.platform.store.values import encode, value_at

WRITE: Final = "_w"
TTL_ADDED: Final = "_t"
SERVICE: Final = frozenset({"_rid", "_self", "_etag", "_attachments", "_ts", "_lsn", WRITE, TTL_ADDED})

_FORBIDDEN: Final = frozenset("/\\?#\t\r\n")
_LONGEST_ID: Final = 255
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)

PartitionValue = str | list[str]


class Tokens:
    """Names of writes, unlike those of every other process."""

    def __init__(self) -> None:
        self._origin = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def next(self) -> str:
        """A name that was never given."""
        return f"{self._origin}{next(self._numbers):x}"


@dataclass(slots=True)
class Ready:
    """A document ready to be sent: `raw` as the room gave it, `body` with this adapter's fields."""

    id: str
    partition: PartitionValue
    raw: bytes
    body: Json


class CosmosLayout:
    """A container's checks, which are those of the embedded store, and its stored form."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.checks = Layout(container)
        self._paths = tuple(tuple(path.split(".")) for path in container.partition_key)
        self._default = default_ttl(container)
        self._ttl_allowed = container.ttl is not None or any(ttl is not None for ttl in container.kinds.values())

    def partition(self, partition: str | tuple[str, ...]) -> PartitionValue:
        """The partition as the SDK takes it. Raises `StoreMisuse` for one of another shape."""
        self.checks.partition(partition)
        return self._value((partition,) if isinstance(partition, str) else partition)

    def id(self, id: str) -> str:
        """An id that the service takes. Raises `StoreMisuse`."""
        if not id or len(id) > _LONGEST_ID or not _FORBIDDEN.isdisjoint(id):
            raise StoreMisuse(f"{self.container.name}: {id!r} is no id for a document (/ \\ ? # or too long)")
        return id

    def ready(self, document: Mapping[str, Any], token: str) -> Ready:
        """The document ready to be sent. Raises `StoreMisuse` and `DocumentTooLarge`."""
        raw = encode(document)
        name, kind = self._named(document)
        if document.get("ttl") is not None:
            self.checks.row(document, raw, "", _ANY_TIME)
        body: Json = orjson.loads(raw)
        body[WRITE] = token
        if kind is not None and body.get("ttl") is None and (added := self._added_ttl(kind)) is not None:
            body |= {"ttl": added, TTL_ADDED: True}
        parts = tuple(value_at(document, path) for path in self._paths)
        self.checks.partition(parts)
        return Ready(name, self._value(parts), raw, body)

    def _named(self, document: Mapping[str, Any]) -> tuple[str, str | None]:
        """The id and the kind, after the checks that concern them."""
        name, kind = document.get("id"), document.get(KIND)
        if not isinstance(name, str):
            raise StoreMisuse(f"{self.container.name}: a document needs an id")
        if kind is not None and kind not in self.container.kinds:
            raise StoreMisuse(f"{self.container.name}: no service rows of kind {kind!r} (infra/containers.yaml)")
        if not SERVICE.isdisjoint(document):
            raise StoreMisuse(f"{self.container.name}: {sorted(SERVICE & {*document})} belong to the store")
        return self.id(name), kind

    def check_ttl(self, ttl: Any) -> None:
        """Raises `StoreMisuse` when a patch may not set this."""
        if not self._ttl_allowed:
            raise StoreMisuse(f"{self.container.name}: ttl has no effect here (infra/containers.yaml)")
        if type(ttl) is not int or (ttl < 1 and ttl != -1):
            raise StoreMisuse(f"{self.container.name}: ttl is whole seconds, or -1 for never")

    def _value(self, parts: tuple[str, ...]) -> PartitionValue:
        return parts[0] if self.checks.single else [*parts]

    def _added_ttl(self, kind: str) -> int | None:
        """What a service row without a `ttl` must carry so that the service ends it when its kind ends."""
        own = self.container.kinds[kind]
        wanted = PER_DOCUMENT if own is None else own
        return None if wanted == self._default or self._default is None else wanted


def document_of(stored: Mapping[str, Any]) -> Document:
    """A stored document as rooms see it."""
    hidden = SERVICE | {"ttl"} if stored.get(TTL_ADDED) else SERVICE
    raw = orjson.dumps({name: value for name, value in stored.items() if name not in hidden})
    return Document(raw, etag_of(stored))


def etag_of(stored: Mapping[str, Any]) -> str:
    """The version, without the quotes around it that HTTP has."""
    return str(stored["_etag"]).strip('"')


def quoted(etag: str | None) -> str | None:
    """The version as the service takes it."""
    return None if etag is None else f'"{etag}"'


def kind_of(document: Mapping[str, Any]) -> str | None:
    """The kind of a service row."""
    found = document.get(KIND)
    return found if isinstance(found, str) else None
