"""Days, moments and addresses of requests as their formats say (RFC 3339, RFC 3986), in bodies and parameters alike.

Python's and pydantic's own parsers take more: counts of seconds, a space or an underscore for the `T`, no seconds,
moments before the year 1 in UTC. Addresses are judged by the library that judges our answers, so that whatever is
taken can be given back; nothing in them is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, TypeVar

import jsonschema_rs
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME: Final = re.compile(r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})\Z")

T = TypeVar("T")


def parse_day(value: str) -> date:
    """The day of an RFC 3339 full-date. Raises `ValueError` that says what is the matter."""
    if _DATE.match(value) is None:
        raise ValueError("Input should be a date such as 2026-01-25")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("Input should be a date that exists") from None


def parse_moment(value: str) -> datetime:
    """The moment of an RFC 3339 date-time with its offset, in UTC. Raises `ValueError` that says what is the matter."""
    if _DATE.match(value[:10]) is None or _TIME.match(value[10:]) is None:
        raise ValueError("Input should be a date and time such as 2026-01-25T10:45:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Input should be a moment that exists") from None


def _field(parse: Callable[[str], T]) -> Callable[[Any], Any]:
    def validate(value: Any) -> Any:
        if not isinstance(value, str):
            # What is no text is the field's own to refuse, or to take: null, a default, a moment made in Python.
            return value
        try:
            return parse(value)
        except ValueError as error:
            raise PydanticCustomError("rfc_3339", "{message}", {"message": str(error)}) from None

    return validate


Day = Annotated[date, BeforeValidator(_field(parse_day))]
Moment = Annotated[datetime, BeforeValidator(_field(parse_moment))]


def checker(format_name: str) -> Callable[[str], bool]:
    """Whether a text has a format of JSON Schema, as the library says that judges our answers."""
    validator = jsonschema_rs.Draft7Validator({"format": format_name}, validate_formats=True)

    def check(value: str) -> bool:
        return bool(validator.is_valid(value))

    return check


_is_uri: Final = checker("uri")


def _uri(value: str) -> str:
    if not _is_uri(value):
        raise PydanticCustomError("rfc_3986", "Input should be an absolute address such as https://example.com/a")
    return value


Uri = Annotated[str, AfterValidator(_uri)]
