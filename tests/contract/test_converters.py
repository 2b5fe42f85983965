"""Every converter of a parameter's text: what it takes, and what lenient parsers would take too."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from handlers.contract.parameters import Refused, boolean, day, ecma, instant, integer, json_content, number, text


class Filter(BaseModel):
    """A parameter whose content is JSON."""

    model_config = ConfigDict(extra="forbid")

    brand: list[str] = Field(default_factory=list, max_length=3)
    max: float | None = Field(None, ge=0)


def refused(convert: Callable[[str], Any], value: str) -> str:
    """Why a converter refuses a text."""
    with pytest.raises(Refused) as caught:
        convert(value)
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1 ", "+1", "1_000", "0x1", "01", "1.0", "1e3", "٣", "１", "-", "--1", "9" * 5000, "NaN", "\n1", "1\n"],
)
def test_integers_are_ascii_digits(value: str) -> None:
    assert refused(integer(), value) == "Input should be an integer"


@given(st.integers(-(10**18), 10**18))
def test_every_integer_of_64_bits_comes_back(value: int) -> None:
    assert integer()(str(value)) == value


@given(st.text(max_size=12))
def test_an_integer_is_taken_only_as_it_is_written_canonically(value: str) -> None:
    try:
        found = integer()(value)
    except Refused:
        return
    assert str(found) == value or value == "-0"


def test_bounds_are_inclusive() -> None:
    convert = integer(minimum=1, maximum=100)
    assert (convert("1"), convert("100")) == (1, 100)
    assert refused(convert, "0") == "Input should be greater than or equal to 1"
    assert refused(convert, "101") == "Input should be less than or equal to 100"
    assert refused(number(maximum=1.5), "1.51") == "Input should be less than or equal to 1.5"


@pytest.mark.parametrize(
    "value", ["", "NaN", "nan", "inf", "-Infinity", "1_0", "1.", ".5", "+1", "1e", "1e999", "0x1p3", "٣", "1,5", "1\n"]
)
def test_numbers_are_json_numbers(value: str) -> None:
    assert refused(number(), value) == "Input should be a number"


@given(st.text(alphabet="0123456789eE+-.nafiINy_ ", max_size=10))
def test_numbers_are_always_finite(value: str) -> None:
    try:
        found = number()(value)
    except Refused:
        return
    assert math.isfinite(found)


@pytest.mark.parametrize("value", ["True", "TRUE", "1", "0", "yes", "on", "", "true ", "ｔrue"])
def test_booleans_are_true_and_false(value: str) -> None:
    assert refused(boolean(), value) == "Input should be true or false"


@pytest.mark.parametrize("value", ["2026-1-1", "20260101", "2026-02-30", "2026-W01-1", "٢٠٢٦-01-01", "0000-01-01", ""])
def test_days_are_full_dates_that_exist(value: str) -> None:
    assert "date" in refused(day(), value)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-25",
        "2026-01-25T10:45",
        "2026-01-25T10:45:00",
        "2026-01-25 10:45:00Z",
        "20260125T104500Z",
        "2026-W04-7T10:45:00Z",
        "2026-01-25T10:45:00,5Z",
        "2026-01-25T10:45:00.Z",
        "2026-01-25T10:45:00+02",
        "2026-01-25T10:45:00+0200",
        "2026-01-25T25:00:00Z",
        "2026-01-25T10:45:00+99:00",
        "2026-01-25T10:45:00Z\n",
        "Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_moments_are_rfc_3339_with_an_offset(value: str) -> None:
    assert refused(instant(), value)


@given(st.datetimes(timezones=st.timezones() | st.none()).filter(lambda m: 1 < m.year < 9999))
def test_moments_come_back_in_utc(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    written = moment.isoformat(timespec="microseconds")
    assert instant()(written) == moment
    assert instant()(written.replace("+00:00", "z").lower()) == moment


def test_text_is_bounded_in_characters_not_bytes() -> None:
    convert = text(min_length=2, max_length=3)
    assert convert("né€") == "né€"
    assert refused(convert, "x") == "Input should have at least 2 characters"
    assert refused(convert, "xxxx") == "Input should have at most 3 characters"


def test_an_enum_says_its_values() -> None:
    convert = text(enum=("asc", "desc"))
    assert convert("asc") == "asc"
    assert refused(convert, "ASC") == "Input should be one of: asc, desc"


@pytest.mark.parametrize(
    ("format_name", "good", "bad"),
    [("email", "a.b+c@example.com", "null"), ("email", "x@y.z", "a@b@c"), ("uri", "https://a.example/b?c", "/a")],
)
def test_a_format_is_what_json_schema_says(format_name: str, good: str, bad: str) -> None:
    convert = text(format_name=format_name)
    assert convert(good) == good
    assert refused(convert, bad) == f"Input should have the format {format_name}"


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[a-z]+$", "abc", "abc\n"),
        ("^a$|^b$", "a", "a\n"),
        (r"^\$[$]$", "$$", "$$\n"),
        (r"^[\]$]+$", "]$", "]\n"),
        ("^(x|y$)", "xz", "y\n"),
    ],
)
def test_the_end_of_a_pattern_is_the_end_of_the_text(pattern: str, good: str, bad: str) -> None:
    assert text(pattern=pattern)(good) == good
    assert refused(text(pattern=pattern), bad) == f"Input should match {pattern}"
    assert ecma(pattern).search(good)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"max": NaN}', "Invalid JSON"),
        ('{"max": -1}', "/max: Input should be greater than or equal to 0"),
        ('{"max": "1"}', "/max: Input should be a valid number"),
        ('{"brand": ["a", 1]}', "/brand/1: Input should be a valid string"),
        ('{"brand": ["\\u0000"]}', "Text should not contain NUL"),
        ('{"other": 1}', "/other: Extra inputs are not permitted"),
        ("[]", "/: Input should be an object"),
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[" * 2000, "Invalid JSON"),
    ],
)
def test_json_parameters_are_checked_like_bodies(content: str, message: str) -> None:
    assert message in refused(json_content(Filter), content)
