"""Parameters from path, query and headers into the generated dataclass: strictly, in one pass, saying every fault.

What the stock parsers let through is refused here: `1_000`, `yes`, non-ASCII digits, `NaN`, integers
of 5,000 digits, a scalar parameter given twice, unknown query parameters, invalid UTF-8, NUL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, ValidationError

from handlers.contract.body import fault_message, finite_json, repeated_name
from handlers.contract.formats import checker, parse_day, parse_moment
from handlers.platform.errors import fault, invalid

MAX_QUERY_BYTES: Final = 8192
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})\Z")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?\Z")
# An escape, a character class, or the end of the input.
_PATTERN_PART: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)

Convert = Callable[[str], Any]


class Refused(ValueError):
    """A parameter's text is not what the contract says; the message is for the caller."""


def text(
    *,
    min_length: int = 0,
    max_length: int | None = None,
    pattern: str | None = None,
    enum: Sequence[str] = (),
    format_name: str | None = None,
) -> Convert:
    """Converts to a string within the schema's bounds. `format_name`: a format of JSON Schema, such as `email`."""
    allowed = frozenset(enum)
    match = ecma(pattern).search if pattern else None
    has_format = checker(format_name) if format_name else None

    def convert(value: str) -> str:
        if allowed and value not in allowed:
            raise Refused(f"Input should be one of: {', '.join(enum)}")
        if len(value) < min_length:
            raise Refused(f"Input should have at least {min_length} characters")
        if max_length is not None and len(value) > max_length:
            raise Refused(f"Input should have at most {max_length} characters")
        if match is not None and match(value) is None:
            raise Refused(f"Input should match {pattern}")
        if has_format is not None and not has_format(value):
            raise Refused(f"Input should have the format {format_name}")
        return value

    return convert


def ecma(pattern: str) -> re.Pattern[str]:
    """A pattern as ECMA-262 means it, which the contract speaks: in Python `$` also matches before a last newline."""
    return re.compile(_PATTERN_PART.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern))


def integer(*, minimum: int | None = None, maximum: int | None = None) -> Convert:
    """Converts ASCII digits to an integer within bounds."""

    def convert(value: str) -> int:
        if _INTEGER.match(value) is None:
            raise Refused("Input should be an integer")
        found = int(value)
        _check_bounds(found, minimum, maximum)
        return found

    return convert


def number(*, minimum: float | None = None, maximum: float | None = None) -> Convert:
    """Converts a JSON number to a float within bounds."""

    def convert(value: str) -> float:
        if _NUMBER.match(value) is None:
            raise Refused("Input should be a number")
        found = float(value)
        _check_bounds(found, minimum, maximum)
        return found

    return convert


def boolean() -> Convert:
    """Converts `true` and `false`, nothing else."""

    def convert(value: str) -> bool:
        if value not in ("true", "false"):
            raise Refused("Input should be true or false")
        return value == "true"

    return convert


def day() -> Convert:
    """Converts an RFC 3339 full-date."""
    return _refusing(parse_day)


def instant() -> Convert:
    """Converts an RFC 3339 date-time with its offset to UTC."""
    return _refusing(parse_moment)


def _refusing(parse: Convert) -> Convert:
    def convert(value: str) -> Any:
        try:
            return parse(value)
        except ValueError as error:
            raise Refused(str(error)) from None

    return convert


def json_content(model: type[BaseModel]) -> Convert:
    """Converts a parameter whose content is JSON into its model (decision 7)."""

    def convert(value: str) -> BaseModel:
        content = value.encode()
        problem = finite_json(content)
        if problem:
            raise Refused(problem)
        try:
            parsed = model.model_validate_json(content, strict=True)
        except ValidationError as error:
            raise Refused("; ".join(fault_message(e) for e in error.errors(include_url=False)[:20])) from None
        repeated = repeated_name(content)
        if repeated is not None:
            raise Refused(f"Name given more than once: {repeated[:64]}")
        return parsed

    return convert


def _check_bounds(value: float, minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and value < minimum:
        raise Refused(f"Input should be greater than or equal to {minimum}")
    if maximum is not None and value > maximum:
        raise Refused(f"Input should be less than or equal to {maximum}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation. `attribute` is its field in the generated dataclass, which knows the default."""

    name: str
    attribute: str
    convert: Convert
    required: bool = False
    many: bool = False
    max_items: int = 100


@dataclass(slots=True)
class Parameters:
    """The parameters of one operation, and the dataclass they become."""

    build: Callable[..., Any]
    path: Sequence[Parameter] = ()
    query: Sequence[Parameter] = ()
    header: Sequence[Parameter] = ()
    _query_by_name: dict[str, Parameter] = field(init=False)
    _required: tuple[Parameter, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._query_by_name = {p.name: p for p in self.query}
        self._required = tuple(p for p in self.query if p.required)

    def parse(self, path: Mapping[str, str], query: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Any:
        """The dataclass of a request's parameters. Raises `Problem` 400 that says every fault."""
        values: dict[str, Any] = {}
        faults: list[dict[str, str]] = []
        for parameter in self.path:
            _convert(parameter, path[parameter.name], "path", values, faults)
        if query:
            self._parse_query(query, values, faults)
        for parameter in self._required:
            if parameter.attribute not in values:
                _once(faults, fault("query", parameter.name, "Field required"))
        if self.header:
            self._parse_headers(headers, values, faults)
        if faults:
            raise invalid(faults)
        return self.build(**values)

    def _parse_query(self, query: bytes, values: dict[str, Any], faults: list[dict[str, str]]) -> None:
        if len(query) > MAX_QUERY_BYTES:
            raise invalid([fault("query", "", f"The query is longer than {MAX_QUERY_BYTES} bytes")])
        seen: set[str] = set()
        for pair in query.split(b"&"):
            if not pair:
                continue
            raw_name, _, raw_value = pair.partition(b"=")
            try:
                name, value = _decoded(raw_name), _decoded(raw_value)
            except Refused as refused:
                faults.append(fault("query", raw_name.decode("latin-1")[:64], str(refused)))
                continue
            parameter = self._query_by_name.get(name)
            if parameter is None:
                faults.append(fault("query", name[:64], "Unknown parameter"))
            elif parameter.many:
                self._append(parameter, value, values, faults, first=name not in seen)
            elif name in seen:
                faults.append(fault("query", name, "Given more than once"))
            else:
                _convert(parameter, value, "query", values, faults)
            seen.add(name)

    @staticmethod
    def _append(
        parameter: Parameter, value: str, values: dict[str, Any], faults: list[dict[str, str]], *, first: bool
    ) -> None:
        if first:
            values[parameter.attribute] = []
        item: dict[str, Any] = {}
        _convert(parameter, value, "query", item, faults)
        values[parameter.attribute].extend(item.values())
        if len(values[parameter.attribute]) > parameter.max_items:
            _once(faults, fault("query", parameter.name, f"At most {parameter.max_items} values"))

    def _parse_headers(
        self, headers: Sequence[tuple[bytes, bytes]], values: dict[str, Any], faults: list[dict[str, str]]
    ) -> None:
        for parameter in self.header:
            wanted = parameter.name.lower().encode("ascii")
            found = [value for key, value in headers if key == wanted]
            if not found:
                if parameter.required:
                    faults.append(fault("header", parameter.name, "Field required"))
            elif len(found) > 1:
                faults.append(fault("header", parameter.name, "Given more than once"))
            else:
                _convert(parameter, found[0].decode("latin-1"), "header", values, faults)


def _convert(
    parameter: Parameter, value: str, place: str, values: dict[str, Any], faults: list[dict[str, str]]
) -> None:
    try:
        values[parameter.attribute] = parameter.convert(value)
    except Refused as refused:
        faults.append(fault(place, parameter.name, str(refused)))


def _once(faults: list[dict[str, str]], entry: dict[str, str]) -> None:
    if not any(known["in"] == entry["in"] and known["path"] == entry["path"] for known in faults):
        faults.append(entry)


def _decoded(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    try:
        value = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("Input should be UTF-8") from None
    if "\x00" in value:
        raise Refused("Input should not contain NUL")
    return value
