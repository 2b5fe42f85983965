"""What a container is in Cosmos: partition key, time to live, unique keys, indexes on what is queried (decision 70).

`ORDER BY` over several properties needs a composite index with exactly these properties, all in its directions or all
reversed. So each index of `infra/containers.yaml`, and each end of it that a query may ask for without binding the keys
before, is one composite index, closed by `id` and the partition key, which are the tie-breakers of every order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from generated.containers import PER_DOCUMENT, Container, Key
from handlers.platform.store.port import Json

KIND: Final = "kind"


def definition(container: Container) -> Json:
    """The container as the service takes it at its creation."""
    single = len(container.partition_key) == 1
    found: Json = {
        "id": container.name,
        "partitionKey": {
            "paths": [_path(path) for path in container.partition_key],
            "kind": "Hash" if single else "MultiHash",
            "version": 2,
        },
        "indexingPolicy": indexing_policy(container),
    }
    if container.unique_keys:
        keys = [{"paths": [_path(path) for path in paths]} for paths in container.unique_keys]
        found["uniqueKeyPolicy"] = {"uniqueKeys": keys}
    ttl = default_ttl(container)
    return found if ttl is None else {**found, "defaultTtl": ttl}


def default_ttl(container: Container) -> int | None:
    """Seconds, -1 where only documents with a time of their own end, None where none does.

    The service has one default for all documents of a container; service rows carry theirs in the row.
    """
    if container.ttl is not None:
        return container.ttl
    return PER_DOCUMENT if any(ttl is not None for ttl in container.kinds.values()) else None


def indexing_policy(container: Container) -> Json:
    """Only what is queried, and the composite index of each order."""
    policy: Json = {
        "indexingMode": "consistent",
        "automatic": True,
        "includedPaths": [{"path": path} for path in _included(container)],
        "excludedPaths": [{"path": "/*"}],
    }
    composites = [
        [{"path": _path(key.path), "order": "descending" if key.descending else "ascending"} for key in keys]
        for keys in composite_indexes(container)
    ]
    return {**policy, "compositeIndexes": composites} if composites else policy


def composite_indexes(container: Container) -> list[tuple[Key, ...]]:
    """The key lists of the composite indexes, each once; one that is the reverse of another serves both."""
    found: list[tuple[Key, ...]] = []
    for keys in _orders(container):
        if keys not in found and reverse(keys) not in found:
            found.append(keys)
    return found


def closed(container: Container, keys: tuple[Key, ...], *, descending: bool) -> tuple[Key, ...]:
    """An order with its tie-breakers: `id`, then the partition key, as far as they are not in it."""
    named = {key.path for key in keys}
    rest = (path for path in ("id", *container.partition_key) if path not in named)
    return (*keys, *(Key(path, descending) for path in rest))


def reverse(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """The same order from the other end."""
    return tuple(Key(key.path, not key.descending) for key in keys)


def _orders(container: Container) -> Iterator[tuple[Key, ...]]:
    if container.cross_partition:
        yield closed(container, (), descending=False)
    partition = {*container.partition_key}
    for index in container.indexes:
        keys = tuple(key for key in index.keys if key.path != "id")
        for start in range(len(keys)):
            bound = {key.path for key in keys[:start]}
            # Within a partition its key is always bound; where nobody reads across, its end alone is never asked for.
            if start and bound <= partition and not container.cross_partition:
                continue
            yield closed(container, keys[start:], descending=keys[-1].descending)


def _included(container: Container) -> list[str]:
    paths: dict[str, Any] = {}
    indexed = [key.path for index in container.indexes for key in index.keys if key.path != "id"]
    for path in (*container.partition_key, *([KIND] if container.kinds else []), *indexed):
        paths[f"{_path(path)}/?"] = None
    for unique in container.unique_keys:
        paths |= {f"{_path(path)}/?": None for path in unique}
    for path in container.filters:
        paths |= {f"{_path(path)}/?": None, f"{_path(path)}/[]/?": None}  # the second for `Contains`
    return list(paths)


def _path(dotted: str) -> str:
    return "/" + dotted.replace(".", "/")
