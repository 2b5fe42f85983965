"""The document store on Azure Cosmos DB for NoSQL. Loaded only when COSMOS_ACCOUNT_URI is set.

What the service does otherwise than the embedded store: an increment of a number with decimals is carried out there and
refused here (port: increments are of integers); `Document.raw` equals what was written as JSON, see `cosmos_layout`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

from generated.containers import Container
from handlers.platform.store import charges, cosmos_compile, session_tokens
from handlers.platform.store.cosmos_connection import NOBODY, Account, Connection
from handlers.platform.store.cosmos_feed import Feeds
from handlers.platform.store.cosmos_layout import CosmosLayout, PartitionValue, Tokens, document_of
from handlers.platform.store.cosmos_operations import Operations, Prepared, operations_of
from handlers.platform.store.cosmos_retry import Allowance, Policy, Reads, refusal
from handlers.platform.store.cosmos_watch import Watch
from handlers.platform.store.cosmos_writes import Write, Writes
from handlers.platform.store.port import (
    MAX_BATCH_BYTES,
    MAX_BATCH_OPERATIONS,
    Changes,
    Document,
    DocumentTooLarge,
    Json,
    Operation,
    Page,
    Place,
    Query,
    Scalar,
    StoreMisuse,
)
from handlers.platform.store.sqlite_compile import sort_keys
from handlers.platform.store.sqlite_layout import PARTITION
from handlers.platform.store.values import scalar_at

MAX_LIMIT: Final = 10_000
READS_AT_ONCE: Final = 32
_CHARGE: Final = "x-ms-request-charge"
_SESSION: Final = "x-ms-session-token"


class Bill:
    """Request units of one operation, from every answer to it, whatever the number of attempts.

    And of the last answer the etag and the session token.
    """

    __slots__ = ("etag", "session", "units")

    def __init__(self) -> None:
        self.units = 0.0
        self.etag = ""
        self.session: str | None = None

    def add(self, headers: Mapping[str, Any], _: Any = None) -> None:
        """For `response_hook`, never `last_response_headers`, which concurrent calls share."""
        self.units += float(headers.get(_CHARGE) or 0)
        self.etag = headers.get("etag") or self.etag
        self.session = headers.get(_SESSION) or self.session


class CosmosStore:
    """The `DocumentStore` on Cosmos. `transport`: another one than the network, for tests. Opens at the first call."""

    def __init__(
        self,
        account: Account,
        containers: Mapping[str, Container],
        *,
        transport: Any = None,
        reading: Policy | None = None,
        writing: Policy | None = None,
    ) -> None:
        self._layouts = {name: CosmosLayout(container) for name, container in containers.items()}
        tokens = Tokens()
        self._operations = {name: Operations(layout, tokens) for name, layout in self._layouts.items()}
        self._connection = Connection(account, transport)
        writing, allowance = writing or Policy(attempt=5.0, seconds=12.0), Allowance()
        watch = Watch()
        self._reads = Reads(reading or Policy(), allowance, watch)
        # A probe is answered by what happens now: a service that throttles is told from one that does not answer.
        self._pings = Reads(replace(reading or Policy(), seconds=0.0), allowance, watch)
        glance = writing.attempt / 2  # looking back is a part of a write, which has its own time
        glances = Reads(replace(writing, attempt=glance, seconds=2 * glance), allowance, watch)
        self._writes = {
            name: Writes(writing, allowance, watch, partial(self._stored, name, reads=glances)) for name in containers
        }
        self._feeds = Feeds(self._layouts.values(), self._proxy, self._reads)

    @classmethod
    def open(
        cls,
        uri: str,
        database: str,
        containers: Mapping[str, Container],
        *,
        key: str | None = None,
        preferred_locations: tuple[str, ...] = (),
    ) -> CosmosStore:
        """A store on an account; nothing is connected yet. Without `key`, Entra ID."""
        return cls(Account(uri, database, key, preferred_locations), containers)

    async def read(self, container: str, partition: str | tuple[str, ...], id: str) -> Document | None:
        """The document, or None. One point read."""
        layout = self._layout(container)
        stored = await self._stored(container, layout.partition(partition), layout.id(id))
        return None if stored is None else document_of(stored)

    async def read_many(self, places: Sequence[Place]) -> list[Document | None]:
        """The documents of these places, in the same order, None where there is none.

        Point reads, some at once: the SDK's own call for many sends one query over all partitions for each of them.
        """
        room = asyncio.Semaphore(READS_AT_ONCE)

        async def one(place: Place) -> Document | None:
            async with room:
                return await self.read(*place)

        found = dict(zip({*places}, await asyncio.gather(*map(one, {*places})), strict=True))
        return [found[place] for place in places]

    async def query(self, query: Query) -> Page:
        """One page of the matching documents, in the query's order."""
        if not 1 <= query.limit <= MAX_LIMIT or query.offset < 0:
            raise StoreMisuse(f"limit {query.limit}, offset {query.offset}")
        layout = self._layout(query.container)
        rows = await self._rows(query.container, cosmos_compile.select(layout, query), query.limit + 1)
        items = [document_of(row) for row in rows[: query.limit]]
        return Page(items, _position(layout, query, items[-1]) if len(rows) > query.limit else None)

    async def count(self, query: Query) -> int:
        """How many documents match (limit, offset, after and sort are ignored)."""
        rows = await self._rows(query.container, cosmos_compile.count(self._layout(query.container), query), 1)
        return int(rows[0]) if rows else 0

    async def write(
        self, container: str, operation: Operation, *, partition: str | tuple[str, ...] | None = None
    ) -> Document | None:
        """One write; `partition` is needed for `Patch` and `Delete`."""
        self._layout(container)
        prepared = self._operations[container].prepare(operation, partition)
        if prepared.send is None:
            return (await self._batch(container, [prepared]))[0]
        proxy, bill = self._connection.ready(container) or await self._proxy(container), Bill()
        send = prepared.send

        async def sent() -> list[Document | None]:
            stored = await send(proxy, {"response_hook": bill.add})
            return [prepared.document(bill.etag, stored)]

        return (await self._written(container, [prepared], sent, bill))[0]

    async def batch(
        self, container: str, partition: str | tuple[str, ...], operations: Sequence[Operation]
    ) -> list[Document | None]:
        """All of the writes or none, within one partition. Raises what the first failing operation raises."""
        self._layout(container)
        prepared = self._operations[container].prepare_all(operations, partition)
        if sum(one.size for one in prepared) > MAX_BATCH_BYTES:
            raise DocumentTooLarge(f"a batch has at most {MAX_BATCH_BYTES} bytes")
        return await self._batch(container, prepared)

    async def feeds(self, *, fresh: bool = False) -> list[str]:
        """One for each range of each container that has outbox rows."""
        return await self._feeds.names(fresh=fresh)

    def overlap(self, feed: str, other: str) -> bool:
        """Whether the ranges have keys in common."""
        return self._feeds.overlap(feed, other)

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        """The others' continuations, cut to the range of the feed."""
        return self._feeds.inherited(feed, positions)

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """The next outbox rows of a feed, at most `limit`."""
        return await self._feeds.changes(feed, after, limit)

    async def changed(self, seconds: float) -> None:
        """Waits for a write with outbox rows by this process; those of others are seen after `seconds`."""
        await self._feeds.changed(seconds)

    def catch_up(self, seen: Mapping[str, str]) -> None:
        """Reads from now on show at least what these session tokens, by container, stand for."""
        for container, tokens in seen.items():
            if container in self._layouts:
                self._connection.catch_up(container, tokens)

    async def ping(self) -> None:
        """Raises `StoreUnavailable` when the store cannot serve, `StoreThrottled` when it throttles.

        One point read of nothing, tried once.
        """
        name = next(iter(self._layouts))
        await self._stored(name, self._nobody(name), NOBODY, reads=self._pings)

    async def close(self) -> None:
        """Releases the connections. May be called twice."""
        await self._connection.close()

    # --- inside
    async def _stored(
        self, container: str, partition: PartitionValue, id: str, reads: Reads | None = None
    ) -> Json | None:
        """A document as it lies there."""
        proxy, bill = self._connection.ready(container) or await self._proxy(container), Bill()
        try:
            found: Json = await (reads or self._reads).run(
                lambda: proxy.read_item(id, partition, response_hook=bill.add), container
            )
        except CosmosHttpResponseError as error:
            bill.add(error.headers)
            if error.status_code != 404:
                raise refusal(error, container) from error
            return None
        finally:
            charges.charge(bill.units)
        return found

    async def _rows(self, container: str, statement: cosmos_compile.Statement, most: int) -> list[Any]:
        proxy, bill = await self._proxy(container), Bill()
        where = {} if statement.partition is None else {"partition_key": statement.partition}

        async def rows() -> list[Any]:
            found = proxy.query_items(
                statement.text,
                parameters=statement.parameters,
                max_item_count=min(most, 1000),
                response_hook=bill.add,
                **where,
            )
            return [row async for row in found]

        try:
            answered: list[Any] = await self._reads.run(rows, container)
        except CosmosHttpResponseError as error:
            bill.add(error.headers)
            raise refusal(error, container) from error
        finally:
            charges.charge(bill.units)
        return answered

    async def _batch(self, container: str, prepared: list[Prepared]) -> list[Document | None]:
        steps, places = operations_of(prepared)
        if not 1 <= len(steps) <= MAX_BATCH_OPERATIONS:
            raise StoreMisuse(f"a batch has 1 to {MAX_BATCH_OPERATIONS} operations, not {len(steps)}")
        if len({str(one.partition) for one in prepared}) != 1:
            raise StoreMisuse(f"{container}: the documents of a batch belong to one partition")
        proxy, bill = await self._proxy(container), Bill()

        async def sent() -> list[Document | None]:
            try:
                results = await proxy.execute_item_batch(
                    operations_of(prepared)[0], prepared[0].partition, response_hook=bill.add
                )
            except CosmosBatchOperationError as error:
                self._connection.heard(error.headers)
                raise
            self._connection.heard(results.get_response_headers())
            answers = [results[place] for place in places]
            return [
                one.document(answer.get("eTag", ""), answer.get("resourceBody"))
                for one, answer in zip(prepared, answers, strict=True)
            ]

        return await self._written(container, prepared, sent, bill)

    async def _written(self, container: str, prepared: list[Prepared], send: Any, bill: Bill) -> list[Document | None]:
        try:
            found = await self._writes[container].run(Write(prepared, send, container), bill.add)
        finally:
            for one in prepared:
                charges.charge(bill.units / len(prepared))
                if one.kind is not None:
                    self._feeds.wrote(container, one.kind)
        session_tokens.wrote(container, bill.session)
        return found

    async def _proxy(self, container: str) -> Any:
        """The container, opened if need be. Who is in a hurry asks `ready` first."""
        return self._connection.ready(container) or await self._connection.open(container, self._nobody(container))

    def _nobody(self, container: str) -> PartitionValue:
        layout = self._layout(container)
        return NOBODY if layout.checks.single else [NOBODY] * len(layout.container.partition_key)

    def _layout(self, container: str) -> CosmosLayout:
        layout = self._layouts.get(container)
        if layout is None:
            raise StoreMisuse(f"there is no container {container!r} (infra/containers.yaml)")
        return layout


def _position(layout: CosmosLayout, query: Query, last: Document) -> tuple[Scalar, ...]:
    """The keyset position behind the page's last document."""
    keys = sort_keys(layout.checks, query)
    return tuple(
        layout.checks.partition_of(last.data) if sort.path == PARTITION else scalar_at(last.data, sort.path)
        for sort in keys
    )
