"""Parameters of an operation, checked as Stripe does: unknown, missing, of another kind (reference: Error codes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.stripe.wire import Json, Refusal

TEXT: Final = "text"
WHOLE: Final = "whole"
FLAG: Final = "flag"
METADATA: Final = "metadata"

# A kind above, a tuple of the values there are, a list with the kind of its items, or a Mapping of nested parameters.
Kind = Any
Spec = Mapping[str, Kind]

ADDRESS: Final[Spec] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), TEXT)
SHIPPING: Final[Spec] = {"address": ADDRESS, "name": TEXT, "phone": TEXT, "carrier": TEXT, "tracking_number": TEXT}
PAGING: Final[Spec] = {"limit": WHOLE, "starting_after": TEXT, "ending_before": TEXT, "expand": [TEXT]}

MAX_KEYS: Final = 50
MAX_KEY: Final = 40
MAX_VALUE: Final = 500
MAX_TEXT: Final = 5000


def read(params: Json, spec: Spec, *needed: str, place: str = "") -> Json:
    """The parameters as values. Raises `Refusal` 400 for the first that is wrong; nothing has begun then."""
    for name in params:
        if name not in spec:
            raise Refusal(
                400,
                f"Received unknown parameter: {_at(place, name)}",
                code="parameter_unknown",
                param=_at(place, name),
            )
    for name in needed:
        if params.get(name) in (None, ""):
            raise Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return {name: _value(value, spec[name], _at(place, name)) for name, value in params.items()}


def merged(metadata: Json, given: Json) -> Json:
    """Metadata after an update: an empty text unsets its key."""
    return {key: value for key, value in {**metadata, **given}.items() if value != ""}


def _value(value: Any, kind: Kind, place: str) -> Any:
    if isinstance(kind, Mapping):
        if not isinstance(value, dict):
            raise Refusal(400, "Invalid object", code="parameter_invalid", param=place)
        return read(value, kind, place=place)
    if isinstance(kind, list):
        items = value if isinstance(value, list) else [value]
        return [_value(item, kind[0], place) for item in items]
    if kind == METADATA:
        return _metadata(value, place)
    if not isinstance(value, str):
        raise Refusal(400, f"Invalid string: {place}", code="parameter_invalid_string", param=place)
    return _scalar(value, kind, place)


def _scalar(value: str, kind: Kind, place: str) -> Any:
    if kind == WHOLE:
        if not value.lstrip("-").isdecimal():
            raise Refusal(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=place)
        return int(value)
    if kind == FLAG:
        if value not in ("true", "false"):
            raise Refusal(400, f"Invalid boolean: {value}", code="parameter_invalid", param=place)
        return value == "true"
    if isinstance(kind, tuple) and value not in kind:
        wanted = ", ".join(kind)
        raise Refusal(400, f"Invalid {place}: must be one of {wanted}", code="parameter_invalid", param=place)
    if len(value) > MAX_TEXT:
        raise Refusal(400, f"Invalid string: {place} is too long", code="parameter_invalid_string", param=place)
    return value


def _metadata(value: Any, place: str) -> Json:
    if value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Refusal(400, "Metadata must be a hash of strings", code="parameter_invalid", param=place)
    if len(value) > MAX_KEYS or any(len(key) > MAX_KEY or len(each) > MAX_VALUE for key, each in value.items()):
        raise Refusal(400, "Metadata is larger than allowed", code="parameter_invalid", param=place)
    return dict(value)


def _at(place: str, name: str) -> str:
    return f"{place}[{name}]" if place else name
