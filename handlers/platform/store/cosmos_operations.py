"""Operations of the port as the SDK takes them, single and in a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from azure.core import MatchConditions

from handlers.platform.store.cosmos_compile import operand, predicate
from handlers.platform.store.cosmos_layout import (
    TTL_ADDED,
    WRITE,
    CosmosLayout,
    PartitionValue,
    Tokens,
    document_of,
    kind_of,
    quoted,
)
from handlers.platform.store.port import (
    MAX_PATCH_FIELDS,
    Create,
    Delete,
    Document,
    Json,
    Operation,
    Patch,
    Replace,
    StoreMisuse,
    Upsert,
)
from handlers.platform.store.values import check_patch, encode

_ESCAPES: Final = str.maketrans({"~": "~0", "/": "~1"})  # RFC 6901
Step = tuple[Any, ...]


@dataclass(slots=True)
class Prepared:
    """A checked operation: its steps in a batch (a patch of many fields takes two) and how it is sent alone.

    `send` is None for what goes as a batch only. `raw`: the document as given, None when the service makes it. `size`
    in bytes. `kind` of a service row.
    """

    operation: Operation
    id: str
    partition: PartitionValue
    token: str
    steps: list[Step]
    send: Callable[[Any, Json], Any] | None
    raw: bytes | None
    size: int
    kind: str | None = None

    def document(self, etag: str, stored: Any) -> Document | None:
        """What the service answered, as the port answers it."""
        if isinstance(self.operation, Delete):
            return None
        return Document(self.raw, etag.strip('"')) if self.raw is not None else document_of(stored)


class Operations:
    """The writes of one container."""

    def __init__(self, layout: CosmosLayout, tokens: Tokens) -> None:
        self._layout = layout
        self._tokens = tokens

    def prepare_all(self, operations: Sequence[Operation], partition: str | tuple[str, ...]) -> list[Prepared]:
        """The writes of a batch, under one name. Of several that change one document the first bears the guard."""
        token, seen, prepared = self._tokens.next(), set[str](), list[Prepared]()
        for operation in operations:
            prepared.append(self.prepare(operation, partition, token, seen))
            seen.add(prepared[-1].id)
        return prepared

    def prepare(
        self,
        operation: Operation,
        partition: str | tuple[str, ...] | None,
        token: str | None = None,
        seen: Set[str] = frozenset(),
    ) -> Prepared:
        """Checks a write and makes it ready. Raises `StoreMisuse` and `DocumentTooLarge`."""
        token = token or self._tokens.next()
        if isinstance(operation, Create | Replace | Upsert):
            return self._document(operation, partition, token)
        if partition is None:
            raise StoreMisuse(f"{type(operation).__name__} needs the partition")
        key, name = self._layout.partition(partition), self._layout.id(operation.id)
        if isinstance(operation, Delete):
            return self._delete(operation, name, key)
        return self._patch(operation, name, key, token, guarded=name not in seen)

    def _document(
        self, operation: Create | Replace | Upsert, partition: str | tuple[str, ...] | None, token: str
    ) -> Prepared:
        ready = self._layout.ready(operation.document, token)
        if partition is not None and self._layout.partition(partition) != ready.partition:
            raise StoreMisuse(f"{self._layout.container.name}: the document belongs to another partition")
        body = ready.body
        if isinstance(operation, Create):
            step: Step = ("create", (body,))
            send = _creating(body)
        elif isinstance(operation, Upsert):
            step, send = ("upsert", (body,)), _upserting(body)
        else:
            step = ("replace", (ready.id, body), _matching(operation.if_match))
            send = _replacing(ready.id, body, _condition(operation.if_match))
        kind = kind_of(operation.document)
        return Prepared(operation, ready.id, ready.partition, token, [step], send, ready.raw, len(ready.raw), kind)

    def _delete(self, operation: Delete, id: str, key: PartitionValue) -> Prepared:
        condition = _condition(operation.if_match)
        step = ("delete", (id,), _matching(operation.if_match))

        async def send(proxy: Any, options: Json) -> None:
            await proxy.delete_item(id, key, **condition, **options)

        return Prepared(operation, id, key, "", [step], send, None, 0)

    def _patch(self, operation: Patch, id: str, key: PartitionValue, token: str, *, guarded: bool) -> Prepared:
        check_patch(operation, self._layout.checks.fixed)
        if "ttl" in operation.sets:
            self._layout.check_ttl(operation.sets["ttl"])
        changes = self._changes(operation)
        # Ten at a time is the service's limit, and one is the name of the write: the rest is a second step.
        room = MAX_PATCH_FIELDS - 1
        first, rest = [*changes[:room], _set(WRITE, token)], changes[room:]
        condition, match = _guard(operation, token if guarded else None), _condition(operation.if_match)
        steps: list[Step] = [("patch", (id, first), {"filter_predicate": condition, **_matching(operation.if_match)})]
        steps += [("patch", (id, rest))] if rest else []

        async def send(proxy: Any, options: Json) -> Any:
            return await proxy.patch_item(id, key, first, filter_predicate=condition, **match, **options)

        size = len(encode({**operation.sets, **operation.increments}))
        return Prepared(operation, id, key, token, steps, None if rest else send, None, size)

    def _changes(self, patch: Patch) -> list[Json]:
        changes = [_set(path, value) for path, value in patch.sets.items()]
        changes += [{"op": "incr", "path": _pointer(path), "value": by} for path, by in patch.increments.items()]
        changes += [{"op": "remove", "path": _pointer(path)} for path in patch.removes]
        touched = {path.partition(".")[0] for path in (*patch.sets, *patch.increments, *patch.removes)}
        if "ttl" in touched and self._layout.container.kinds:
            changes.append(_set(TTL_ADDED, value=False))  # from now on it is the document's own
        return changes


def operations_of(prepared: Sequence[Prepared]) -> tuple[list[Step], list[int]]:
    """The steps of a batch, and for each operation the place of its answer."""
    steps: list[Step] = []
    places: list[int] = []
    for one in prepared:
        # The SDK takes things out of the options it is given, and a batch may be sent again.
        steps += [(*step[:2], dict(step[2])) if len(step) > 2 else step for step in one.steps]
        places.append(len(steps) - 1)
    return steps, places


def _creating(body: Json) -> Callable[[Any, Json], Any]:
    return lambda proxy, options: proxy.create_item(body, no_response=True, **options)


def _upserting(body: Json) -> Callable[[Any, Json], Any]:
    return lambda proxy, options: proxy.upsert_item(body, no_response=True, **options)


def _replacing(id: str, body: Json, condition: Json) -> Callable[[Any, Json], Any]:
    return lambda proxy, options: proxy.replace_item(id, body, no_response=True, **condition, **options)


def _guard(patch: Patch, token: str | None) -> str:
    """The patch's condition. Without an etag also: not done yet, for adding twice is not adding once."""
    wanted = [predicate(patch.condition)] if patch.condition is not None else []
    if patch.if_match is None and token is not None:
        wanted.append(f'(NOT IS_DEFINED({operand(WRITE)}) OR {operand(WRITE)} != "{token}")')
    return f"FROM c WHERE {' AND '.join(wanted)}" if wanted else "FROM c WHERE true"


def _condition(if_match: str | None) -> Json:
    if if_match is None:
        return {}
    return {"etag": quoted(if_match), "match_condition": MatchConditions.IfNotModified}


def _matching(if_match: str | None) -> Json:
    return {} if if_match is None else {"if_match_etag": quoted(if_match)}


def _set(path: str, value: Any) -> Json:
    return {"op": "set", "path": _pointer(path), "value": value}


def _pointer(path: str) -> str:
    return "".join(f"/{segment.translate(_ESCAPES)}" for segment in path.split("."))
