"""Routing: literal before template, the complete `Allow`, segments decoded one by one, everything else 404 or 405."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.contract.routing import Trie
from handlers.platform.errors import Problem
from handlers.platform.limits import LimitRule
from tests.contract.conftest import Small

PATHS = {
    "/things": {"GET": "listThings", "POST": "createThing"},
    "/things/special": {"GET": "getSpecial"},
    "/things/{thing_id}": {"PUT": "updateThing", "GET": "getThing", "DELETE": "deleteThing"},
    "/things/{thing_id}/parts": {"GET": "listParts"},
    "/things/{id}/parts/{thing_id}": {"GET": "getPart"},
    "/things/special/offers": {"GET": "listOffers"},
    "/": {"GET": "root"},
}
TRIE = Trie(PATHS)


def find(path: str) -> tuple[str, dict[str, str]] | None:
    """The GET operation and the values that a raw path leads to."""
    found = TRIE.find(httpx.URL(f"http://x{path}").path if "%" in path else path, path.encode())
    return (found[0].operations["GET"], found[1]) if found else None


@pytest.mark.parametrize(
    ("path", "operation", "values"),
    [
        ("/", "root", {}),
        ("/things", "listThings", {}),
        ("/%74hings", "listThings", {}),
        ("/things/special", "getSpecial", {}),
        ("/things/sp%65cial", "getSpecial", {}),
        ("/things/Special", "getThing", {"thing_id": "Special"}),
        ("/things/special/offers", "listOffers", {}),
        ("/things/special/parts", "listParts", {"thing_id": "special"}),
        ("/things/special/parts/9", "getPart", {"id": "special", "thing_id": "9"}),
        ("/things/a%20b", "getThing", {"thing_id": "a b"}),
        ("/things/a+b", "getThing", {"thing_id": "a+b"}),
        ("/things/a%2Fparts", "getThing", {"thing_id": "a/parts"}),
        ("/things/a%2fparts%2F1", "getThing", {"thing_id": "a/parts/1"}),
        ("/things/%2e%2e", "getThing", {"thing_id": ".."}),
        ("/things/..", "getThing", {"thing_id": ".."}),
        ("/things/%252F", "getThing", {"thing_id": "%2F"}),
        ("/things/%zz", "getThing", {"thing_id": "%zz"}),
        ("/things/%", "getThing", {"thing_id": "%"}),
        ("/things/%C3%A9", "getThing", {"thing_id": "é"}),
    ],
)
def test_a_path_leads_to_its_operation(path: str, operation: str, values: dict[str, str]) -> None:
    assert find(path) == (operation, values)


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/things/",
        "//things",
        "/things//parts",
        "/things/a/",
        "/things/a/parts/",
        "/THINGS",
        "/things/a/b",
        "/x",
        "/things%2Fspecial",
        "/things/a/parts/b/c",
        "/things/a//parts",
        "/%2Fthings",
        "/things/special/offers/",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert find(path) is None


@pytest.mark.parametrize("path", ["/things/%ff", "/%c3%28", "/things/a%00b", "/%00", "/nowhere/%ed%a0%80"])
def test_a_path_is_utf8_without_nul(path: str) -> None:
    with pytest.raises(Problem) as caught:
        TRIE.find("", path.encode())
    assert caught.value.status == 400


def test_allow_is_complete() -> None:
    found = TRIE.find("/things/a", b"/things/a")
    assert found is not None
    assert found[0].allow == "PUT, GET, DELETE, HEAD, OPTIONS"
    assert TRIE.find("/things/special", b"/things/special")[0].allow == "GET, HEAD, OPTIONS"  # type: ignore[index]  # found, and so no None


@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=2))
def test_any_text_is_a_value_once_it_is_encoded(values: list[str]) -> None:
    if any("\x00" in value or value.encode("utf-8", "replace").decode() != value for value in values):
        return
    path = f"/things/{quote(values[0], safe='')}/parts/{quote(values[1], safe='')}"
    found = TRIE.find(f"/things/{values[0]}/parts/{values[1]}", path.encode())
    assert found is not None
    if "/" not in values[0] + values[1]:
        assert found[1] == {"id": values[0], "thing_id": values[1]}


@given(st.binary(max_size=40))
def test_any_path_is_found_or_not(raw: bytes) -> None:
    try:
        TRIE.find(raw.decode("latin-1"), b"/" + raw)
    except Problem as refusal:
        problem = refusal
    else:
        return
    assert problem.status == 400


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error of an envelope, which has to be whole."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details", "timestamp", "request_id"}
    assert error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return dict(error)


async def test_literal_before_template_over_http(small: Small) -> None:
    assert (await small.client.get("/things/special")).json()["seen"]["special"] is True
    refused = await small.client.delete("/things/special")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert error_of(refused)["code"] == "METHOD_NOT_ALLOWED"
    assert (await small.client.delete("/things/other")).status_code == 204


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "CONNECT", "PROPFIND", "get"])
async def test_other_methods_are_told_what_is_allowed(small: Small, method: str) -> None:
    answer = await small.client.request(method.encode(), "/things")  # type: ignore[arg-type]  # as it is, not upper case
    if method == "get":
        return
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert error_of(answer)["details"] == {"allow": "GET, POST, HEAD, OPTIONS"}


async def test_options_says_what_is_allowed(small: Small) -> None:
    answer = await small.client.options("/things/x")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"
    assert (await small.client.options("/nothing")).status_code == 404


async def test_what_no_operation_answers_counts_and_says_the_limits(small: Small) -> None:
    answers = [
        await small.client.get("/nothing"),
        await small.client.get("/things/%ff"),
        await small.client.patch("/things"),
        await small.client.options("/things"),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 405, 204]
    left = [int(answer.headers["ratelimit-remaining"]) for answer in answers]
    assert left == sorted(left, reverse=True)
    assert all(answer.headers["ratelimit-limit"] == "100" for answer in answers)
    assert all(answer.headers["x-content-type-options"] == "nosniff" for answer in answers)


async def test_guessing_paths_ends_at_the_limit(small: Small) -> None:
    async with small.with_runtime(default_limit=LimitRule(1, 2)) as client:
        statuses = [(await client.get(path)).status_code for path in ("/a", "/b")]
        assert statuses == [404, 404]
        for answer in (await client.get("/c"), await client.options("/things"), await client.patch("/things")):
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert error_of(answer)["code"] == "RATE_LIMIT_EXCEEDED"


async def test_head_is_get_without_its_body(small: Small) -> None:
    for path in ("/things/special", "/raw", "/report", "/text", "/old"):
        get, head = await small.client.get(path), await small.client.head(path)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        for name in ("content-type", "content-length", "etag", "cache-control", "deprecation"):
            assert head.headers.get(name) == get.headers.get(name), (path, name)
    assert (await small.client.head("/accepted")).status_code == 405
