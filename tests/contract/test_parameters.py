"""Parameters of a whole request: path, query and headers in one pass, and what they may not smuggle in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from handlers.contract.parameters import (
    MAX_QUERY_BYTES,
    Parameter,
    Parameters,
    boolean,
    day,
    instant,
    integer,
    json_content,
    number,
    text,
)
from handlers.platform.errors import Problem


class Filter(BaseModel):
    """A parameter whose content is JSON."""

    model_config = ConfigDict(extra="forbid")

    brand: list[str] = Field(default_factory=list, max_length=3)
    max: float | None = Field(None, ge=0)


@dataclass(kw_only=True, slots=True)
class Found:
    """What the generator would write for `PARAMETERS`."""

    thing_id: str
    q: str
    page: int = 1
    price: float | None = None
    flag: bool | None = None
    on: date | None = None
    at: datetime | None = None
    filter: Filter | None = None
    tag: list[int] = field(default_factory=lambda: [7])
    if_match: str | None = None
    count: int | None = None


PARAMETERS = Parameters(
    Found,
    path=(Parameter("thing_id", "thing_id", text(pattern="^[a-z0-9]+$", max_length=8), required=True),),
    query=(
        Parameter("q", "q", text(min_length=1, max_length=20), required=True),
        Parameter("page", "page", integer(minimum=1, maximum=100)),
        Parameter("price", "price", number(minimum=0)),
        Parameter("flag", "flag", boolean()),
        Parameter("on", "on", day()),
        Parameter("at", "at", instant()),
        Parameter("filter", "filter", json_content(Filter)),
        Parameter("tag", "tag", integer(minimum=0), many=True, max_items=3),
    ),
    header=(
        Parameter("If-Match", "if_match", text(min_length=1, max_length=10)),
        Parameter("X-Count", "count", integer(minimum=0, maximum=9)),
    ),
)


def parsed(query: str | bytes = b"q=x", path: str = "abc", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Found:
    """What the parameters of a request become."""
    raw = query.encode() if isinstance(query, str) else query
    found = PARAMETERS.parse({"thing_id": path}, raw, headers)
    assert isinstance(found, Found)
    return found


def faults(*args: Any, **more: Any) -> list[tuple[str, str, str]]:
    """The faults that a request is refused for."""
    with pytest.raises(Problem) as caught:
        parsed(*args, **more)
    assert caught.value.status == 400
    return [(f["in"], f["path"], f["message"]) for f in caught.value.details["faults"]]


def test_everything_given_arrives_typed() -> None:
    query = "q=a+b%26&page=3&price=1.5e1&flag=true&on=2026-01-31&at=2026-01-31T10:00:00%2B02:00&tag=1&tag=2"
    headers = ((b"if-match", b'"v1"'), (b"x-count", b"4"))
    found = parsed(query + "&filter=" + quote('{"brand":["é"],"max":2}'), headers=headers)
    assert found == Found(
        thing_id="abc",
        q="a b&",
        page=3,
        price=15.0,
        flag=True,
        on=date(2026, 1, 31),
        at=datetime(2026, 1, 31, 8, tzinfo=UTC),
        filter=Filter(brand=["é"], max=2),
        tag=[1, 2],
        if_match='"v1"',
        count=4,
    )


def test_absent_parameters_take_their_defaults_and_share_nothing() -> None:
    first, second = parsed(), parsed()
    assert (first.page, first.tag, first.price, first.if_match) == (1, [7], None, None)
    first.tag.append(8)
    assert second.tag == [7]


def test_every_fault_is_said_with_its_place() -> None:
    headers = ((b"if-match", b"12345678901"), (b"x-count", b"10"))
    assert faults("page=0&page=1&flag=yes&nope=1&tag=x&tag=-1", "A B", headers) == [
        ("path", "thing_id", "Input should match ^[a-z0-9]+$"),
        ("query", "page", "Input should be greater than or equal to 1"),
        ("query", "page", "Given more than once"),
        ("query", "flag", "Input should be true or false"),
        ("query", "nope", "Unknown parameter"),
        ("query", "tag", "Input should be an integer"),
        ("query", "tag", "Input should be greater than or equal to 0"),
        ("query", "q", "Field required"),
        ("header", "If-Match", "Input should have at most 10 characters"),
        ("header", "X-Count", "Input should be less than or equal to 9"),
    ]


def test_a_refused_required_parameter_is_one_fault() -> None:
    assert faults("q=") == [("query", "q", "Input should have at least 1 characters")]
    assert faults(b"q=%ff") == [("query", "q", "Input should be UTF-8")]


def test_lists_have_an_end() -> None:
    assert parsed("q=x&tag=1&tag=2&tag=3").tag == [1, 2, 3]
    assert faults("q=x" + "&tag=1" * 40) == [("query", "tag", "At most 3 values")]


@pytest.mark.parametrize("raw", [b"q=a%00b", b"q=\xff", b"q=%ff", b"q=%c3%28", b"%ff=1&q=x", b"q=%ed%a0%80"])
def test_text_is_utf8_without_nul(raw: bytes) -> None:
    assert faults(raw)[0][2] in ("Input should be UTF-8", "Input should not contain NUL")


@pytest.mark.parametrize("raw", [b"q=x&page", b"q=x&page=", b"q=x&page[]=1", b"q=x;page=1", b"q=x&Page=1", b"=1&q=x"])
def test_odd_queries_are_refused(raw: bytes) -> None:
    if raw == b"q=x;page=1":
        assert parsed(raw).q == "x;page=1"
        return
    assert faults(raw)


def test_empty_pairs_are_nothing() -> None:
    assert parsed("&&q=x&").q == "x"


def test_a_query_has_an_end() -> None:
    assert faults("q=x&" + "a" * MAX_QUERY_BYTES)[0][2] == f"The query is longer than {MAX_QUERY_BYTES} bytes"


def test_a_header_twice_is_refused() -> None:
    assert faults(headers=((b"if-match", b"a"), (b"if-match", b"b"))) == [
        ("header", "If-Match", "Given more than once")
    ]


def test_a_required_header_is_asked_for() -> None:
    required = Parameters(dict, header=(Parameter("X-Key", "key", text(), required=True),))
    with pytest.raises(Problem) as caught:
        required.parse({}, b"", ())
    assert caught.value.details["faults"] == [{"in": "header", "path": "X-Key", "message": "Field required"}]


@given(st.text(min_size=1, max_size=20).filter(lambda t: "\x00" not in t))
def test_any_text_survives_its_encoding(value: str) -> None:
    if value.encode("utf-8", "ignore").decode() != value:
        return
    assert parsed(urlencode({"q": value})).q == value
    assert parsed("q=" + quote(value, safe="")).q == value


@given(st.binary(max_size=60), st.text(max_size=10), st.binary(max_size=12))
def test_any_request_is_taken_or_refused(query: bytes, path: str, header: bytes) -> None:
    try:
        parsed(query, path, ((b"x-count", header), (b"if-match", header)))
    except Problem as refusal:
        problem = refusal
    else:
        return
    assert problem.status == 400
    assert problem.details["faults"]
