"""What a body of optional fields makes of a document: a given field replaces, null clears, an absent one stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import MISSING, BaseModel

from handlers.platform.clock import timestamp
from handlers.platform.errors import fault, invalid

# Beyond these a time in UTC may have no year of four digits.
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9998


def patched(document: Mapping[str, Any], body: BaseModel, fields: Iterable[str]) -> dict[str, Any]:
    """A copy of the document with those of the fields that the body gives; times as they are stored.

    Raises `Problem` 400 for a time that cannot be stored.
    """
    after = dict(document)
    for name in fields:
        value = getattr(body, name)
        if value is MISSING:
            continue
        if value is None:
            after.pop(name, None)
        else:
            after[name] = _stored(value, name) if isinstance(value, datetime) else value
    return after


def _stored(value: datetime, name: str) -> str:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise invalid([fault("body", f"/{name}", f"Year should be from {_FIRST_YEAR} to {_LAST_YEAR}")])
    return timestamp(value)
