"""What goes over the wire: requests in nested form encoding, answers in JSON, refusals as Stripe's error objects."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

Json = dict[str, Any]

_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass(slots=True)
class Request:
    """One request. `params` are nested and still texts; `publishable`: it came with the key of a browser."""

    method: str
    path: str
    params: Json
    headers: Mapping[str, str]
    publishable: bool = False


@dataclass(slots=True)
class Response:
    """One answer."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as JSON, without what only the stand-in knows."""
        return orjson.dumps(shown(self.body), option=orjson.OPT_INDENT_2)


class Refusal(Exception):
    """An error object (reference: Errors). `begun`: the operation had begun, so its idempotency key keeps this."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        begun: bool = False,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.begun = begun
        self.headers = dict(headers or {})
        self.error: Json = {"type": type, "message": message, **more}

    def response(self) -> Response:
        """The refusal as an answer."""
        return Response(self.status, {"error": self.error}, dict(self.headers))


class AnswerLost(Exception):
    """The connection ends without an answer."""


def new_id(prefix: str) -> str:
    """An id as Stripe makes them, such as `pi_3…`."""
    return f"{prefix}_{'3' if prefix in ('pi', 'ch', 're', 'py') else '1'}{chance(23)}"


def chance(length: int) -> str:
    """Letters and digits of chance."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def shown(value: Any) -> Any:
    """A value without keys that begin with an underscore, which are the stand-in's own."""
    if isinstance(value, dict):
        return {key: shown(each) for key, each in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value


def parse_form(content: bytes) -> Json:
    """Form encoding with brackets, such as `shipping[address][city]=…` and `expand[0]=…`, as nested values."""
    nested: Json = {}
    for name, value in parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True):
        *parents, last = [part.rstrip("]") for part in name.split("[")]
        place = nested
        for parent in parents:
            inner = place.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise Refusal(400, f"Invalid parameter: {name}", param=name)
            place = inner
        place[last or str(len(place))] = value
    return {name: _listed(value) for name, value in nested.items()}


def _listed(value: Any) -> Any:
    """Values whose keys are all numbers are lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(each) for key, each in value.items()}
    return list(inner.values()) if inner and all(key.isdigit() for key in inner) else inner
