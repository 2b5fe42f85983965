"""What goes in and out of the stand-in, whatever carries it, and the errors of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

Json = dict[str, Any]

CHARGE = "x-ms-request-charge"
SUB_STATUS = "x-ms-substatus"
SESSION = "x-ms-session-token"
RANGE_ID = "x-ms-documentdb-partitionkeyrangeid"
CONTINUATION = "x-ms-continuation"
PAGE_SIZE = "x-ms-max-item-count"


class Refusal(Exception):
    """An answer of 4xx or 5xx. `sub_status` as Cosmos numbers them; `charge` in request units."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        sub_status: int = 0,
        charge: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.sub_status = sub_status
        self.charge = charge
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Request:
    """A request. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def segments(self) -> list[str]:
        """The parts of the path, decoded."""
        return [unquote(part) for part in self.path.partition("?")[0].split("/") if part]

    def flag(self, name: str) -> bool:
        """Whether a header says true."""
        return self.headers.get(name, "").lower() == "true"

    def json(self) -> Any:
        """The body. Raises `Refusal` when it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refusal(400, f"the body is no JSON: {error}") from error


@dataclass(slots=True)
class Response:
    """An answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body, or none."""
    return Response(status, b"" if body is None else orjson.dumps(body), dict(headers or {}))
