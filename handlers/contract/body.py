"""The request's body: read once up to the limit, parsed once into the generated model, strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from handlers.platform.errors import Problem, fault, invalid

M = TypeVar("M", bound=BaseModel)

_MAX_FAULTS = 50


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
    """Raises `Problem` 415 unless the body says it is JSON in UTF-8 (RFC 8259, 8.1)."""
    for key, value in headers:
        if key == b"content-type":
            media_type, _, rest = value.partition(b";")
            charset = rest.strip().lower()
            if media_type.strip().lower() == b"application/json" and charset in (
                b"",
                b"charset=utf-8",
                b'charset="utf-8"',
            ):
                return
            break
    raise Problem("UNSUPPORTED_MEDIA_TYPE", "Unsupported media type", details={"supported": ["application/json"]})


def parse_body(body: bytes, model: type[M], min_properties: int = 0) -> M:
    """The body as its model. Raises `Problem` 400 with every fault and its JSON Pointer."""
    problem = finite_json(body)
    if problem:
        raise invalid([fault("body", "", problem)])
    try:
        parsed = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise invalid(_faults(error.errors(include_url=False, include_context=False))) from None
    if min_properties and len(parsed.model_fields_set) < min_properties:
        raise invalid([fault("body", "", f"At least {min_properties} property needed")])
    return parsed


def finite_json(body: bytes) -> str | None:
    """What a lenient JSON parser would let through: `NaN`, `Infinity`, NUL. None when there is nothing of the kind."""
    if b"\\u0000" in body:
        return "Text should not contain NUL"
    if b"NaN" in body or b"Infinity" in body:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return f"Invalid JSON: {error}"
    return None


def fault_message(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors in a line, with its place."""
    return f"{_pointer(error['loc']) or '/'}: {error['msg']}"


def _faults(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [fault("body", _pointer(error["loc"]), str(error["msg"])) for error in errors[:_MAX_FAULTS]]


def _pointer(location: Sequence[int | str]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)
