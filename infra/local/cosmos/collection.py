"""A container: its definition, its physical partitions, and what a write to it must fulfil."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import orjson
from azure.cosmos.partition_key import PartitionKey as SdkPartitionKey

from handlers.platform.store import charges
from infra.local.cosmos.evaluate import UNDEFINED, value_at
from infra.local.cosmos.partition import PartitionKey, Physical, Stored
from infra.local.cosmos.wire import Json, Refusal

MAX_DOCUMENT: Final = 2 * 1024 * 1024
NEVER: Final = float("inf")
SYSTEM: Final = ("_rid", "_self", "_etag", "_attachments", "_ts")
_ETAG_PATH: Final = {"path": '/"_etag"/?'}
_FORBIDDEN: Final = frozenset("/\\?#")


class Collection:
    """`definition` as the service answers it. `now` tells seconds since 1970."""

    def __init__(
        self, definition: Json, rid: str, database_rid: str, partitions: int, now: Callable[[], float]
    ) -> None:
        self.rid = rid
        self.database_rid = database_rid
        self.now = now
        self.definition: Json = {}
        self.define(definition)
        self.paths = tuple(tuple(path.strip("/").split("/")) for path in definition["partitionKey"]["paths"])
        self.kind: str = definition["partitionKey"].get("kind", "Hash")
        self.generation = 1
        self.partitions = [Physical(str(number), low, high) for number, (low, high) in enumerate(_ranges(partitions))]
        self._numbers = 0

    # --- definition
    def define(self, definition: Json) -> None:
        """Takes a definition, first or changed. Raises `Refusal` for what cannot change."""
        for fixed in ("partitionKey", "uniqueKeyPolicy"):
            if self.definition and _plain(definition.get(fixed)) != _plain(self.definition.get(fixed)):
                raise Refusal(400, f"{fixed} cannot be changed")
        policy = dict(definition.get("indexingPolicy") or {"includedPaths": [{"path": "/*"}]})
        policy["excludedPaths"] = [*policy.get("excludedPaths", [])]
        if _ETAG_PATH not in policy["excludedPaths"]:
            policy["excludedPaths"].append(_ETAG_PATH)
        self.definition = {
            **definition,
            "indexingPolicy": policy,
            "_rid": self.rid,
            "_self": f"dbs/{self.database_rid}/colls/{self.rid}/",
            "_etag": f'"{time.time_ns():x}"',
            "_ts": int(self.now()),
        }
        self.included = {_segments(entry["path"]) for entry in policy.get("includedPaths", [])}
        self.composites = [
            [(_segments(key["path"]), key.get("order", "ascending") == "descending") for key in index]
            for index in policy.get("compositeIndexes", [])
        ]
        unique = (definition.get("uniqueKeyPolicy") or {}).get("uniqueKeys", [])
        self.unique = [[_segments(path) for path in key["paths"]] for key in unique]
        self.default_ttl: int | None = definition.get("defaultTtl")

    def indexed(self, segments: tuple[str, ...]) -> bool:
        """Whether an index on the path serves filters and orders."""
        return segments in self.included or ("*",) in self.included or segments in {("id",), ("_ts",)}

    # --- where a document lies
    def key_of(self, document: Json) -> PartitionKey:
        """The partition key in a document."""
        found = tuple(value_at(document, path) for path in self.paths)
        if any(part is UNDEFINED for part in found):
            raise Refusal(400, "the document has no partition key", sub_status=1001)
        return found

    def epk(self, key: PartitionKey) -> str:
        """The hash that decides the range."""
        return _epk(self.kind, key)

    def physical(self, key: PartitionKey) -> Physical:
        """The range a key belongs to."""
        epk = self.epk(key)
        return next(part for part in self.partitions if part.low <= epk < part.high)

    def by_id(self, id: str) -> Physical:
        """A range by its id; 410 when it was split."""
        for part in self.partitions:
            if part.id == id:
                return part
        raise Refusal(410, f"the range {id} is gone", sub_status=1002)

    def split(self, id: str) -> None:
        """Cuts a range in two, as the service does when it grows."""
        parent = self.by_id(id)
        self.generation += 1
        middle = _middle(parent.low, parent.high)
        names = [str(max(int(part.id) for part in self.partitions) + step) for step in (1, 2)]
        bounds = [(parent.low, middle), (middle, parent.high)]
        children = [
            Physical(name, low, high, self.generation, (*parent.parents, parent.id), parent.lsn)
            for name, (low, high) in zip(names, bounds, strict=True)
        ]
        for key, logical in parent.items.items():
            epk = self.epk(key)
            next(part for part in children if part.low <= epk < part.high).items[key] = logical
        at = self.partitions.index(parent)
        self.partitions[at : at + 1] = children

    def merge(self, low_id: str, high_id: str) -> None:
        """Makes one range of two neighbours, as the service does when they have shrunk and it is asked to.

        Documents keep the numbers of their commits, so that what was read of each is still known afterwards.
        """
        first, second = self.by_id(low_id), self.by_id(high_id)
        at = self.partitions.index(first)
        if self.partitions[at : at + 2] != [first, second]:
            raise Refusal(400, "the ranges are no neighbours")
        self.generation += 1
        name = str(max(int(part.id) for part in self.partitions) + 1)
        parents = (*first.parents, *second.parents, first.id, second.id)
        merged = Physical(name, first.low, second.high, self.generation, parents, max(first.lsn, second.lsn))
        merged.items = {**first.items, **second.items}
        self.partitions[at : at + 2] = [merged]

    # --- writing
    def store(self, key: PartitionKey, document: Json) -> Stored:
        """Writes a version after every check. Raises `Refusal`."""
        part, name = self.physical(key), document.get("id")
        if not isinstance(name, str) or not name or _FORBIDDEN & {*name}:
            raise Refusal(400, "the document has no valid id")
        user = {name: value for name, value in document.items() if name not in SYSTEM}
        raw = orjson.dumps(user)
        if len(raw) > MAX_DOCUMENT:
            raise Refusal(413, "the request is too large")
        expires = self._expires(user)
        self._check_unique(part, key, name, user)
        self._numbers += 1
        etag = f'"{self._numbers:08x}-0000-0d00-0000-{int(self.now()):012x}"'
        full = {
            **user,
            "_rid": f"{self.rid[:-1]}{self._numbers:012d}",
            "_self": f"dbs/{self.database_rid}/colls/{self.rid}/docs/{self.rid[:-1]}{self._numbers:012d}/",
            "_etag": etag,
            "_attachments": "attachments/",
            "_ts": int(self.now()),
        }
        stored = Stored(full, etag, part.next_lsn(), len(raw), self.epk(key), expires)
        part.put(key, name, stored)
        return stored

    def write_charge(self, stored: Stored, *, replaces: bool) -> float:
        """Modelled request units of a write: by size and by the index terms that the policy makes of the document."""
        has = {path for path in self.included if value_at(stored.document, path) is not UNDEFINED}
        composites = sum(
            all(value_at(stored.document, path) is not UNDEFINED for path, _ in index) for index in self.composites
        )
        return charges.write_units(stored.size, len(has) + composites, replaces=replaces)

    def _expires(self, document: Json) -> float:
        own = document.get("ttl")
        if own is not None and (type(own) is not int or own == 0 or own < -1):
            raise Refusal(400, "ttl is a positive whole number or -1")
        if self.default_ttl is None:
            return NEVER
        ttl = self.default_ttl if own is None else own
        return NEVER if ttl == -1 else int(self.now()) + ttl

    def _check_unique(self, part: Physical, key: PartitionKey, id: str, document: Json) -> None:
        for paths in self.unique:
            wanted = [_or_null(document, path) for path in paths]
            for other in part.logical(key, self.now()):
                if other.document["id"] != id and [_or_null(other.document, path) for path in paths] == wanted:
                    raise Refusal(409, "unique index constraint violation", charge=charges.read_units(0))


def _or_null(document: Json, path: tuple[str, ...]) -> Any:
    value = value_at(document, path)
    return None if value is UNDEFINED else value


def _segments(path: str) -> tuple[str, ...]:
    parts = [part.strip('"') for part in path.strip("/").split("/")]
    return tuple(parts[:-1] if parts[-1] == "?" else parts)


def _plain(value: Any) -> str:
    return orjson.dumps(value or {}, option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=100_000)
def _epk(kind: str, key: PartitionKey) -> str:
    # The SDK's own hash: a hash of ours that differs from it would only prove that we wrote another one.
    return str(SdkPartitionKey._get_hashed_partition_key_string(list(key), kind, 2))


def _ranges(count: int) -> Iterable[tuple[str, str]]:
    """Equal parts of the hash space, whose first two bits are always zero."""
    bounds = ["", *(f"{0x40 * number // count:02X}" for number in range(1, count)), "FF"]
    return pairwise(bounds)


def _middle(low: str, high: str) -> str:
    bottom, top = int((low + "0" * 8)[:8], 16), int("40000000", 16) if high == "FF" else int((high + "0" * 8)[:8], 16)
    return f"{(bottom + top) // 2:08X}"
