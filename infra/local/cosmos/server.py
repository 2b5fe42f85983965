"""The account: databases and containers, and the way of a request to them."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import uuid4

import orjson

from infra.local.cosmos import auth, feed, items, queries
from infra.local.cosmos.collection import Collection
from infra.local.cosmos.faults import Faults
from infra.local.cosmos.offers import Offers
from infra.local.cosmos.pace import Pace
from infra.local.cosmos.partition import PartitionKey
from infra.local.cosmos.wire import CHARGE, SUB_STATUS, Json, Refusal, Request, Response, answer

MAX_BODY: Final = 2 * 1024 * 1024 + 64 * 1024  # as sent; some room around a document of the largest size
_CONTAINER_GONE: Final = 1003
_ALWAYS: Final[Mapping[str, str]] = {"content-type": "application/json", "x-ms-version": "2020-07-15"}


class Server:
    """A whole account in memory. `url` is its address, as it tells clients; each one in a process needs its own.

    `partitions`: ranges of a new container. `now`: seconds since 1970, for time to live. `lagging`: reads without a
    session token are answered by a replica that is one commit behind. `tokens`: take Entra ID tokens, unread.
    `charged`: request units so far.
    """

    def __init__(
        self,
        url: str,
        now: Callable[[], float],
        *,
        partitions: int = 1,
        key: str = auth.WELL_KNOWN_KEY,
        tokens: bool = True,
    ) -> None:
        self.url = url
        self.faults = Faults()
        self.pace = Pace()
        self.offers = Offers()
        self.lagging = False
        self.requests = 0
        self.charged = 0.0
        self._now = now
        self._partitions = partitions
        self._key = key
        self._tokens = tokens
        self._databases: dict[str, tuple[Json, dict[str, Collection]]] = {}
        self._numbers = itertools.count(1)

    async def handle(self, request: Request) -> Response:
        """Answers a request. Raises `AnswerLost` when a fault says so."""
        self.requests += 1
        try:
            auth.check(request, self._key, tokens=self._tokens)
            response = await self.pace.around(request, self._served)
        except Refusal as refusal:
            body = {"code": str(refusal.status), "message": str(refusal)}
            headers = {SUB_STATUS: str(refusal.sub_status), CHARGE: f"{refusal.charge:.4f}", **refusal.headers}
            response = answer(refusal.status, body, headers)
        self.charged += float(response.headers.get(CHARGE, 0))
        response.headers = {
            **_ALWAYS,
            "x-ms-activity-id": str(uuid4()),
            **self._paths(request.segments),
            **response.headers,
        }
        return response

    def provide(self, database: str, definitions: Iterable[Json]) -> None:
        """A database with these containers, without requests."""
        self._create_database(database)
        for definition in definitions:
            self._create_collection(database, definition)

    def collection(self, database: str, name: str) -> Collection:
        """A container. Raises `Refusal` (404)."""
        found = self._databases.get(database, ({}, {}))[1].get(name)
        if found is None:
            raise Refusal(404, f"there is no container {name}", sub_status=_CONTAINER_GONE)
        return found

    async def _served(self, request: Request) -> Response:
        return await self.faults.around(request, self._dispatch)

    async def _dispatch(self, request: Request) -> Response:
        if len(request.body) > MAX_BODY:
            raise Refusal(413, "the request is too large")
        match request.segments:
            case [] | ["dbs"] | ["dbs", _] | ["dbs", _, "colls"]:
                return self._metadata(request)
            case ["offers"] | ["offers", _]:
                return self.offers.handle(request)
            case ["dbs", database, "colls", name]:
                return self._collection(request, database, name)
            case ["dbs", database, "colls", name, "pkranges"]:
                return feed.ranges(self.collection(database, name), request)
            case ["dbs", database, "colls", name, "docs"]:
                return self._documents(self.collection(database, name), request)
            case ["dbs", database, "colls", name, "docs", id]:
                return self._document(self.collection(database, name), request, id)
        raise Refusal(404, f"nothing is at {request.path}")

    def _metadata(self, request: Request) -> Response:
        match request.segments:
            case []:
                return self._account()
            case ["dbs"]:
                return answer(201, self._create_database(request.json()["id"]))
            case ["dbs", name]:
                return self._database(request, name)
        return self._collections(request, request.segments[1])

    # --- documents
    def _documents(self, collection: Collection, request: Request) -> Response:
        if request.method == "GET":
            return feed.changes(collection, request)
        if request.flag("x-ms-cosmos-is-query-plan-request"):
            return queries.plan(request)
        key = key_in(request)
        if request.flag("x-ms-documentdb-isquery"):
            return queries.run(collection, request, key, lag=self.pace.lag)
        if key is None:
            raise Refusal(400, "the partition key is missing")
        if request.flag("x-ms-cosmos-is-batch-request"):
            return items.batch(collection, key, request.json())
        kind = "Upsert" if request.flag("x-ms-documentdb-is-upsert") else "Create"
        return items.write_one(collection, key, {"operationType": kind, "resourceBody": request.json()}, request)

    def _document(self, collection: Collection, request: Request, id: str) -> Response:
        key = key_in(request)
        if key is None:
            raise Refusal(400, "the partition key is missing")
        if request.method == "GET":
            return items.read(collection, key, id, request, lagging=self.lagging, lag=self.pace.lag)
        operation: Json = {
            "id": id,
            "operationType": {"PUT": "Replace", "DELETE": "Delete", "PATCH": "Patch"}[request.method],
        }
        if "if-match" in request.headers:
            operation["ifMatch"] = request.headers["if-match"]
        if request.method != "DELETE":
            operation["resourceBody"] = request.json()
        return items.write_one(collection, key, operation, request)

    # --- databases and containers
    def _account(self) -> Response:
        location = [{"name": "Stand-in", "databaseAccountEndpoint": self.url}]
        return answer(
            200,
            {
                "id": "stand-in",
                "_rid": "stand-in",
                "writableLocations": location,
                "readableLocations": location,
                "enableMultipleWriteLocations": False,
                "userConsistencyPolicy": {"defaultConsistencyLevel": "Session"},
            },
        )

    def _create_database(self, name: str) -> Json:
        if name in self._databases:
            raise Refusal(409, f"there is a database {name}")
        rid = base64.b64encode(next(self._numbers).to_bytes(4, "big")).decode()
        properties: Json = {"id": name, "_rid": rid, "_self": f"dbs/{rid}/", "_etag": '"1"', "_ts": 0}
        self._databases[name] = (properties, {})
        return properties

    def _database(self, request: Request, name: str) -> Response:
        if name not in self._databases:
            raise Refusal(404, f"there is no database {name}")
        if request.method == "DELETE":
            del self._databases[name]
            return answer(204)
        return answer(200, self._databases[name][0])

    def _collections(self, request: Request, database: str) -> Response:
        if database not in self._databases:
            raise Refusal(404, f"there is no database {database}", sub_status=_CONTAINER_GONE)
        if request.method == "POST":
            made = self._create_collection(database, request.json())
            self.offers.make(made["_rid"], made["_self"], request)
            return answer(201, made)
        properties, collections = self._databases[database]
        found = [collection.definition for collection in collections.values()]
        return answer(200, {"_rid": properties["_rid"], "DocumentCollections": found, "_count": len(found)})

    def _create_collection(self, database: str, definition: Json) -> Json:
        properties, collections = self._databases[database]
        if definition["id"] in collections:
            raise Refusal(409, f"there is a container {definition['id']}")
        number = next(self._numbers).to_bytes(4, "big")
        rid = base64.b64encode(base64.b64decode(properties["_rid"]) + number).decode().replace("/", "-")
        collection = Collection(definition, rid, properties["_rid"], self._partitions, self._now)
        collections[definition["id"]] = collection
        return collection.definition

    def _collection(self, request: Request, database: str, name: str) -> Response:
        collection = self.collection(database, name)
        if request.method == "PUT":
            collection.define(request.json())
        if request.method == "DELETE":
            del self._databases[database][1][name]
            return answer(204)
        return answer(200, collection.definition)

    def _paths(self, segments: list[str]) -> dict[str, str]:
        """Where the resource is, by name and by id: without these no client ever sends a session token."""
        if len(segments) < 4:
            return {}
        found = self._databases.get(segments[1], ({}, {}))[1].get(segments[3])
        if found is None:
            return {}
        return {"x-ms-alt-content-path": "/".join(segments[:4]), "x-ms-content-path": found.rid}


def key_in(request: Request) -> PartitionKey | None:
    """The partition key of the request's header."""
    header = request.headers.get("x-ms-documentdb-partitionkey")
    if header is None:
        return None
    parts: Any = orjson.loads(header)
    return tuple(parts)
