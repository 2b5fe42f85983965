"""The request's body: read once up to the limit, parsed once into the generated model, strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from handlers.platform.errors import Problem, fault, invalid

M = TypeVar("M", bound=BaseModel)

_MAX_FAULTS: Final = 50
_MAX_POINTER: Final = 256
_MAX_WHOLE: Final = 2**53 - 1
_UTF8: Final = (b"", b"charset=utf-8", b'charset="utf-8"')
# An escape whose backslash is not itself escaped.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ClientGone(Exception):
    """The client closed the connection before its body was whole; there is nobody to answer."""


async def read_body(receive: Receive, headers: Sequence[tuple[bytes, bytes]], limit: int) -> bytes:
    """The whole body. Raises `Problem` 413 once it is known to exceed `limit` bytes, `ClientGone` on disconnect."""
    for key, value in headers:
        if key == b"content-length" and value.isdigit() and (len(value) > 18 or int(value) > limit):
            raise too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        chunks = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise too_large(limit)
        body = b"".join(chunks)
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> Problem:
    """413, with the limit in bytes."""
    return Problem("PAYLOAD_TOO_LARGE", "Request body too large", details={"limit_bytes": limit})


def check_media_type(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises `Problem` 415 unless the body says it is JSON in UTF-8 (RFC 8259, 8.1) as it is, not compressed."""
    content_type = content_encoding = b""
    for key, value in headers:
        if key == b"content-type":
            content_type = content_type or value
        elif key == b"content-encoding":
            content_encoding = value
    media_type, _, charset = content_type.partition(b";")
    if (
        media_type.strip().lower() == b"application/json"
        and charset.strip().lower() in _UTF8
        and content_encoding.strip().lower() in (b"", b"identity")
    ):
        return
    raise Problem("UNSUPPORTED_MEDIA_TYPE", "Unsupported media type", details={"supported": ["application/json"]})


def parse_body(body: bytes, model: type[M], min_properties: int = 0, *, free_form: bool = False) -> M:
    """The body as its model. Raises `Problem` 400 with every fault and its JSON Pointer.

    `free_form`: the model takes values that it does not describe, so their numbers are looked at too.
    """
    problem = finite_json(body)
    if problem:
        raise invalid([fault("body", "", problem)])
    try:
        parsed = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise invalid(_faults(error, body)) from None
    repeated = repeated_name(body)
    if repeated is not None:
        raise invalid([fault("body", "", f"Name given more than once: {repeated[:_MAX_POINTER]}")])
    if free_form:
        _check_numbers(body)
    if min_properties and len(parsed.model_fields_set) < min_properties:
        raise invalid([fault("body", "", f"At least {min_properties} property needed")])
    return parsed


def has_free_form(model: type[BaseModel]) -> bool:
    """Whether a model takes values that it does not describe (`Any`)."""
    waiting: list[Any] = [model.__pydantic_core_schema__]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if node.get("type") == "any":
                return True
            waiting += node.values()
        elif isinstance(node, list | tuple):
            waiting += node
    return False


def finite_json(body: bytes) -> str | None:
    """What a lenient JSON parser would let through: `NaN`, `Infinity`, NUL. None when there is nothing of the kind."""
    if b"\\u0000" in body and _NUL.search(body):
        return "Text should not contain NUL"
    if b"NaN" in body or b"Infinity" in body:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return f"Invalid JSON: {error}"
    return None


def repeated_name(body: bytes) -> str | None:
    """A member's name that an object of this JSON has more than once; None when there is none.

    Which of the two counts is up to each reader (RFC 8259, 4), so that one may check what another does not do. Nobody's
    parser tells. But each member that a parser drops takes a colon with it, and writing the rest anew adds none, unless
    one was written as an escape: two counts, 1.6 µs for a small body, instead of 5.6 for Python's own parser.
    """
    if b"\\u003" not in body:
        try:
            if orjson.dumps(orjson.loads(body)).count(b":") == body.count(b":"):
                return None
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            pass  # orjson takes less than pydantic does: half of a surrogate pair, for one
    try:
        json.loads(body, object_pairs_hook=_distinct)
    except _Repeated as repeated:
        return repeated.name
    return None


class _Repeated(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _distinct(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                raise _Repeated(name)
            seen.add(name)
    return found


def _check_numbers(body: bytes) -> None:
    """Raises `Problem` 400 for numbers that other programs would read as something else (RFC 7493, 2.2)."""
    try:
        json.loads(body, parse_int=_whole, parse_float=_finite)
    except ValueError as error:
        raise invalid([fault("body", "", str(error))]) from None


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > _MAX_WHOLE:
        raise ValueError(f"Integers should be between -{_MAX_WHOLE} and {_MAX_WHOLE}")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("Numbers should be finite")
    return number


def fault_message(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in a line, with its place."""
    return f"{_pointer(error['loc']) or '/'}: {error['msg']}"


def _faults(error: ValidationError, body: bytes) -> list[dict[str, str]]:
    """Every fault with its place. Of more than `_MAX_FAULTS` only the number: making them costs more than all else."""
    count = error.error_count()
    if count > _MAX_FAULTS:
        return [fault("body", "", f"{count} faults")]
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    faults: list[dict[str, str]] = []
    for one in errors:
        entry = fault("body", _pointer(_place(one, document)), str(one["msg"]))
        if entry not in faults:
            faults.append(entry)
    return faults


def _place(error: Mapping[str, Any], document: Any) -> list[int | str]:
    """Where in the document an error is. pydantic also names the members of unions on its way there."""
    place: list[int | str] = []
    location = error["loc"]
    for at, part in enumerate(location):
        known = range(len(document)) if isinstance(document, list) else document
        if isinstance(document, list | dict) and part in known:
            document = document[part]
        elif error["type"] != "missing" or at < len(location) - 1:
            continue
        place.append(part)
    return place


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)[:_MAX_POINTER]
