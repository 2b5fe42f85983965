"""Answers as they leave: bodies, raw bytes, files, headers, and what becomes of a handler that fails."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from handlers.contract.answers import AnswerCheck, AnswerMismatch, closed
from handlers.contract.runtime import check_complete
from tests.contract.conftest import Small
from tests.support.small.build import small_document

JSON = {"Content-Type": "application/json"}


async def sent(small: Small, path: str, content: Any, method: str = "POST", **headers: str) -> httpx.Response:
    """The answer to a body that is already encoded."""
    return await small.client.request(method, path, content=content, headers={**JSON, **headers})


def paths_of(answer: httpx.Response) -> list[str]:
    """Where the faults of a refused request are."""
    assert answer.status_code == 400
    return [fault["path"] for fault in answer.json()["error"]["details"]["faults"]]


async def test_parameters_reach_the_handler_typed(small: Small) -> None:
    query = (
        "q=a+b&page=3&price=1.5&flag=true&on=2026-01-31&at=2026-01-31T10:00:00%2B02:00&from=there&tag=1&tag=2"
        "&color=red&color=blue&filter=%7B%22brand%22:%5B%22%C3%A9%22%5D%7D"
    )
    answer = await small.client.get(f"/things?{query}", headers={"X-Count": "4", "If-Match": '"v1"'})
    assert answer.json()["seen"] == {
        "q": "a b",
        "page": 3,
        "price": 1.5,
        "flag": True,
        "on": "2026-01-31",
        "at": "2026-01-31T08:00:00+00:00",
        "from_": "there",
        "tag": [1, 2],
        "color": ["red", "blue"],
        "filter": {"brand": ["é"]},
        "x_count": 4,
        "if_match": '"v1"',
    }


async def test_all_faults_come_at_once(small: Small) -> None:
    answer = await small.client.get("/things?page=1_000&from=Here&color=red&color=green&x=1&filter=[]")
    assert paths_of(answer) == ["page", "from", "color", "x", "filter", "q"]


async def test_an_operation_without_parameters_takes_none(small: Small) -> None:
    assert paths_of(await small.client.get("/text?b=1&a=%ff&b=2&")) == ["a", "b"]
    assert (await small.client.get("/text?&")).status_code == 200


async def test_a_body_reaches_the_handler(small: Small) -> None:
    body = '{"name":"é","born":"2026-01-02","at":"2026-01-25T10:45:00+01:00","parts":[{"sku":"a","count":2}]}'
    answer = await sent(small, "/things", body.encode())
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    seen = answer.json()["seen"]
    assert seen["size"] == len(body.encode())
    assert seen["body"] == {**json.loads(body), "at": "2026-01-25T09:45:00Z"}


@pytest.mark.parametrize("at", ["1769337900", "2026-01-25 10:45:00Z", "0001-01-01T00:00:00+23:59", "2026-01-25T10:45Z"])
async def test_moments_in_bodies_are_rfc_3339(small: Small, at: str) -> None:
    assert paths_of(await sent(small, "/things", json.dumps({"name": "x", "at": at}))) == ["/at"]
    assert paths_of(await sent(small, "/things", json.dumps({"name": "x", "born": at}))) == ["/born"]


async def test_bodies_are_refused_before_their_content(small: Small) -> None:
    async def chunked() -> Any:
        for _ in range(3):
            yield b" " * 500_000

    assert (await sent(small, "/things", chunked())).status_code == 413
    assert (await sent(small, "/things", b" " * 1_048_577)).status_code == 413
    assert (await sent(small, "/things", b"{}", **{"Content-Type": "text/xml"})).status_code == 415
    assert (await sent(small, "/things", b"\x1f\x8b", **{"Content-Encoding": "gzip"})).status_code == 415
    assert paths_of(await sent(small, "/things", b"")) == [""]
    assert paths_of(await sent(small, "/things/x", b"{}", "PUT")) == [""]
    assert (await sent(small, "/things/x", b'{"name":null}', "PUT")).status_code == 200


async def test_an_optional_body_may_be_left_out(small: Small) -> None:
    assert (await small.client.post("/free")).json()["seen"] == {"body": None}
    assert paths_of(await sent(small, "/free", b'{"value":{"x":1e999}}')) == [""]


@pytest.mark.parametrize(
    ("format_", "kind", "name"),
    [
        ("csv", "text/csv", "sales.csv"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "sales.xlsx"),
    ],
)
async def test_files_are_saved_under_their_name(small: Small, format_: str, kind: str, name: str) -> None:
    answer = await small.client.get(f"/report?format={format_}")
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert int(answer.headers["content-length"]) == len(answer.content) > 0


async def test_other_forms_of_answers(small: Small) -> None:
    raw = await small.client.get("/raw")
    assert (raw.json(), raw.headers["etag"]) == ({"seen": {"raw": True}}, '"v1"')
    assert raw.headers["cache-control"] == "public, max-age=60"
    text = await small.client.get("/text")
    assert (text.text, text.headers["content-type"]) == ("naïve", "text/plain; charset=utf-8")
    assert (await small.client.post("/accepted")).status_code == 202
    gone = await small.client.delete("/things/x")
    assert (gone.status_code, gone.content) == (204, b"")
    assert not gone.headers.keys() & {"content-type", "content-length"}


async def test_deprecation_is_said_on_every_answer(small: Small) -> None:
    for path, status in (("/old", 200), ("/old?refuse=true", 404), ("/old?nope=1", 400)):
        answer = await small.client.get(path)
        assert answer.status_code == status
        assert answer.headers["deprecation"] == f"@{int(datetime(2026, 1, 30, tzinfo=UTC).timestamp())}"
        assert parsedate_to_datetime(answer.headers["sunset"]) == datetime(2027, 6, 30, tzinfo=UTC)
        wanted = ["private, max-age=5"] if status == 200 else ["no-store"]
        assert answer.headers.get_list("cache-control") == wanted


async def test_a_planned_operation_is_501(small: Small) -> None:
    answer = await sent(small, "/later", b"{}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "NOT_IMPLEMENTED")
    assert answer.json()["error"]["details"] == {"operation_id": "laterThing"}
    assert "ratelimit-remaining" in answer.headers


@pytest.mark.parametrize("how", ["leak", "missing", "text", "status", "empty", "stream"])
async def test_an_answer_that_is_not_in_the_contract_never_leaves(
    small: Small, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await small.client.get(f"/broken?how={how}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "getBroken" in str(caplog.records[-1].exc_info)
    assert "password_hash" not in answer.text
    assert "ratelimit-remaining" in answer.headers


@pytest.mark.parametrize("how", ["raises", "cancelled", "unserialisable", "huge", "surrogate"])
async def test_a_failing_handler_is_500_and_one_log_entry(
    small: Small, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with small.with_runtime(answers=None) as client:
        answer = await client.get(f"/broken?how={how}")
    assert (answer.status_code, answer.json()["error"]["message"]) == (500, "Unexpected server error")
    assert "secret" not in answer.text
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.__dict__["request_id"] for record in errors] == [answer.headers["x-request-id"]]


@pytest.mark.parametrize("how", ["store", "cache"])
async def test_a_store_that_is_away_is_503(small: Small, how: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = await small.client.get(f"/broken?how={how}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    # The operator is told what the caller is not.
    reason = record.__dict__["reason"]
    assert reason
    assert reason not in answer.text


async def test_an_operation_has_a_limit_of_its_own(small: Small) -> None:
    answers = [await small.client.get("/limited") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert (await small.client.get("/limited", headers=small.bearer("customer"))).status_code == 200
    assert (await small.client.get("/text")).status_code == 200


def test_the_check_closes_objects_and_knows_null() -> None:
    schema = {
        "type": "object",
        "properties": {"properties": {"type": "string", "nullable": True, "enum": ["a"], "example": "a"}},
    }
    assert closed(schema) == {
        "type": "object",
        "properties": {"properties": {"type": ["string", "null"], "enum": ["a", None]}},
        "additionalProperties": False,
    }
    check = AnswerCheck(small_document()).of("getRaw")
    check(200, b"application/json; charset=utf-8", b'{"seen":{"free":1}}')
    for status, kind, body in ((200, b"application/json", b'{"seen":{},"x":1}'), (201, b"application/json", b"{}")):
        with pytest.raises(AnswerMismatch, match="getRaw"):
            check(status, kind, body)


def test_an_operation_without_its_handler_ends_the_start(small_package: str) -> None:
    document = small_document()
    check_complete(document, f"{small_package}.routing")
    document["paths"]["/new"] = {"get": {**document["paths"]["/text"]["get"], "operationId": "getNew"}}
    with pytest.raises(RuntimeError, match=r"has no operation getNew: run `make generate`"):
        check_complete(document, f"{small_package}.routing")
