"""The change feed of a container (latest versions), and the list of its ranges, which is a feed too."""

from __future__ import annotations

from typing import Final

from handlers.platform.store import charges
from infra.local.cosmos.collection import Collection
from infra.local.cosmos.items import headers_of
from infra.local.cosmos.partition import Stored
from infra.local.cosmos.wire import PAGE_SIZE, RANGE_ID, Refusal, Request, Response, answer

_PAGE: Final = 100


def changes(collection: Collection, request: Request) -> Response:
    """The documents changed after the commit in If-None-Match, whole transactions, oldest commit first."""
    if "incremental feed" not in request.headers.get("a-im", "").lower():
        raise Refusal(400, "only the change feed is read this way")
    if RANGE_ID not in request.headers:
        raise Refusal(400, "the change feed is read range by range")
    part = collection.by_id(request.headers[RANGE_ID])
    seen = request.headers.get("if-none-match", "").strip('"')
    after = part.lsn if seen == "*" else int(seen or 0)
    low, high = request.headers.get("x-ms-start-epk", ""), request.headers.get("x-ms-end-epk", "FF")
    found = [stored for stored in part.changed_since(after, collection.now()) if low <= stored.epk < high]
    page = _whole_commits(found, int(request.headers.get(PAGE_SIZE, _PAGE)))
    at = page[-1].lsn if page else max(after, part.lsn)
    charge = charges.query_units(len(page), sum(stored.size for stored in page))
    headers = {**headers_of(part, charge), "etag": f'"{at}"'}
    if not page:
        return answer(304, None, headers)
    documents = [{**stored.document, "_lsn": stored.lsn} for stored in page]
    return answer(200, {"_rid": collection.rid, "Documents": documents, "_count": len(documents)}, headers)


def ranges(collection: Collection, request: Request) -> Response:
    """The ranges made since the version in If-None-Match; 304 when there are none."""
    known = int(request.headers.get("if-none-match", "").strip('"') or 0)
    found = [
        {
            "id": part.id,
            "_rid": f"{collection.rid[:-1]}p{part.id}",
            "minInclusive": part.low,
            "maxExclusive": part.high,
            "parents": [*part.parents],
            "status": "online",
        }
        for part in collection.partitions
        if part.generation > known
    ]
    headers = {"etag": f'"{collection.generation}"'}
    if not found:
        return answer(304, None, headers)
    return answer(200, {"_rid": collection.rid, "PartitionKeyRanges": found, "_count": len(found)}, headers)


def _whole_commits(found: list[Stored], size: int) -> list[Stored]:
    if size <= 0 or len(found) <= size:
        return found
    last = found[size - 1].lsn
    return [stored for stored in found if stored.lsn <= last]
