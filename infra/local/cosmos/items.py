"""Requests on single documents, and batches."""

from __future__ import annotations

import copy
from typing import Any

from handlers.platform.store import charges
from infra.local.cosmos.collection import Collection
from infra.local.cosmos.evaluate import compiled_condition, holds
from infra.local.cosmos.partition import PartitionKey, Physical, Stored
from infra.local.cosmos.patch import apply
from infra.local.cosmos.wire import CHARGE, SESSION, Json, Refusal, Request, Response, answer

Outcome = tuple[int, Stored | None, float]


def read(
    collection: Collection, key: PartitionKey, id: str, request: Request, *, lagging: bool, lag: float = 0.0
) -> Response:
    """GET of a document; for who has no session token from a replica one commit, or `lag` seconds, behind."""
    part = collection.physical(key)
    seen = check_session(part, request)
    found = part.get(key, id, collection.now())
    if lagging and found is not None and found.lsn == part.lsn and seen < part.lsn:
        found = found.previous
    lsn = None
    if lag:
        found = found.as_seen(lag, seen) if found is not None else None
        lsn = max(seen, 0 if found is None else found.lsn)
    if found is None:
        headers = headers_of(part, lsn=lsn)
        raise Refusal(404, "there is no such document", charge=charges.read_units(0), headers=headers)
    charge = charges.read_units(found.size)
    return answer(200, found.document, {**headers_of(part, charge, lsn=lsn), "etag": found.etag})


def write(collection: Collection, key: PartitionKey, operation: Json) -> Outcome:
    """One write, in the shape of a batch's operation. Answers status, what is stored now, and the charge."""
    kind, name = operation["operationType"], str(operation.get("id"))
    part, now = collection.physical(key), collection.now()
    if kind in {"Create", "Upsert"}:
        return _put(collection, part, key, operation["resourceBody"], is_upsert=kind == "Upsert")
    standing = part.get(key, name, now)
    if standing is None:
        raise Refusal(404, "there is no such document", charge=charges.read_units(0))
    wanted = operation.get("ifMatch")
    if wanted not in {None, "*", standing.etag}:
        raise Refusal(412, "the etag does not match", charge=charges.read_units(standing.size))
    if kind == "Read":
        return 200, standing, charges.read_units(standing.size)
    if kind == "Delete":
        part.next_lsn()
        part.remove(key, name)
        return 204, None, collection.write_charge(standing, replaces=False)
    document = operation["resourceBody"] if kind == "Replace" else _patched(standing, operation["resourceBody"])
    if document.get("id") != name or collection.key_of(document) != key:
        raise Refusal(400, "neither id nor partition key can be changed")
    stored = collection.store(key, document)
    return 200, stored, collection.write_charge(stored, replaces=True)


def write_one(collection: Collection, key: PartitionKey, operation: Json, request: Request) -> Response:
    """A write of its own."""
    part = collection.physical(key)
    try:
        status, stored, charge = write(collection, key, operation)
    except Refusal as refusal:
        refusal.headers |= headers_of(part)
        raise
    headers = headers_of(part, charge)
    if stored is None:
        return answer(status, None, headers)
    minimal = request.headers.get("prefer") == "return=minimal"
    return answer(status, None if minimal else stored.document, {**headers, "etag": stored.etag})


def batch(collection: Collection, key: PartitionKey, operations: list[Json]) -> Response:
    """All or nothing: when one fails, the others answer 424."""
    if not 1 <= len(operations) <= 100:
        raise Refusal(400, "a batch has 1 to 100 operations")
    part = collection.physical(key)
    results: list[Json] = []
    failed: Refusal | None = None
    try:
        with part.transaction():
            results.extend(_result(*write(collection, key, operation)) for operation in operations)
    except Refusal as refusal:
        failed = refusal
    if failed is not None:
        at = len(results)
        results = [{"statusCode": 424, "requestCharge": 0.0} for _ in operations]
        results[at] = {"statusCode": failed.status, "requestCharge": failed.charge, "subStatusCode": failed.sub_status}
    charge = sum(result["requestCharge"] for result in results)
    return answer(207 if failed is not None else 200, results, headers_of(part, charge))


def check_session(part: Physical, request: Request) -> int:
    """The commit a client has seen of this range. 404/1002 when this replica has not got that far."""
    seen = -1
    for pair in filter(None, request.headers.get(SESSION, "").split(",")):
        range_id, _, token = pair.partition(":")
        if range_id == part.id or range_id in part.parents:
            seen = max(seen, int(token.split("#")[1]))
    if seen > part.lsn:
        raise Refusal(404, "the read session is not available", sub_status=1002)
    return seen


def headers_of(part: Physical, charge: float | None = None, *, lsn: int | None = None) -> dict[str, str]:
    """What every answer about documents carries. `lsn`: of the replica that answers, where it is behind."""
    headers = {SESSION: part.session_token(lsn), "x-ms-documentdb-partitionkeyrangeid": part.id, "lsn": str(part.lsn)}
    return headers if charge is None else {**headers, CHARGE: f"{charge:.4f}"}


def _put(collection: Collection, part: Physical, key: PartitionKey, document: Any, *, is_upsert: bool) -> Outcome:
    if not isinstance(document, dict) or collection.key_of(document) != key:
        raise Refusal(400, "the partition key of the document is not that of the request", sub_status=1001)
    standing = part.get(key, str(document.get("id")), collection.now())
    if standing is not None and not is_upsert:
        raise Refusal(409, "the id is taken", charge=charges.read_units(0))
    stored = collection.store(key, document)
    charge = collection.write_charge(stored, replaces=standing is not None)
    return (201 if standing is None else 200), stored, charge


def _patched(standing: Stored, body: Json) -> Json:
    condition = body.get("condition")
    if condition is not None and not holds(compiled_condition(condition), standing.document, {}):
        raise Refusal(412, "the condition does not hold", charge=charges.read_units(standing.size))
    document = copy.deepcopy(standing.document)
    apply(document, body["operations"])
    return document


def _result(status: int, stored: Stored | None, charge: float) -> Json:
    found: Json = {"statusCode": status, "requestCharge": charge}
    return found if stored is None else {**found, "eTag": stored.etag, "resourceBody": stored.document}
