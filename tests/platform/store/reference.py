"""What a query means, in plain Python: the evaluator the adapters are compared with. Written apart from them."""

from __future__ import annotations

from functools import partial
from typing import Any

from handlers.platform.store.port import (
    And,
    Condition,
    Contains,
    Difference,
    Eq,
    Exists,
    In,
    Json,
    Or,
    Prefix,
    Query,
    Range,
)


def value_at(document: Json, path: str) -> Any:
    """The value at a dotted path; None when there is none."""
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def same(left: Any, right: Any) -> bool:
    """Equal and of one type: true is not 1."""
    return comparable(left, right) and bool(left == right)


def comparable(left: Any, right: Any) -> bool:
    """Both numbers, both texts, or both true or false."""
    return type_name(left) == type_name(right) in {"number", "text", "bool"}


def type_name(value: Any) -> str:
    """The JSON type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def holds(condition: Condition, document: Json) -> bool:
    """Whether a document fits a condition."""
    match condition:
        case And(conditions):
            return all(holds(part, document) for part in conditions)
        case Or(conditions):
            return any(holds(part, document) for part in conditions)
        case Difference(path, less, least):
            one, other = value_at(document, path), value_at(document, less)
            return type_name(one) == type_name(other) == "number" and bool(one - other >= least)
        case _:
            return fits(condition, value_at(document, condition.path))


def fits(condition: Eq | In | Range | Prefix | Contains | Exists, value: Any) -> bool:
    """Whether a value fits a condition on it."""
    match condition:
        case Eq(_, wanted):
            fit = same(value, wanted)
        case In(_, choices):
            fit = any(same(value, one) for one in choices)
        case Prefix(_, start):
            fit = isinstance(value, str) and value.startswith(start)
        case Contains(_, wanted):
            fit = isinstance(value, list) and any(same(one, wanted) for one in value)
        case Exists(_, present):
            fit = (value is not None) == present
        case Range():
            fit = within(condition, value)
    return fit


def within(condition: Range, value: Any) -> bool:
    """Whether a value is within the bounds."""
    bounds = [bound for bound in (condition.ge, condition.gt, condition.le, condition.lt) if bound is not None]
    return all(comparable(value, bound) for bound in bounds) and (
        (condition.ge is None or value >= condition.ge)
        and (condition.gt is None or value > condition.gt)
        and (condition.le is None or value <= condition.le)
        and (condition.lt is None or value < condition.lt)
    )


def run(query: Query, documents: list[Json]) -> list[Json]:
    """All matching documents in the query's order, whatever its limit."""
    found = [document for document in documents if query.partition in {None, document["owner"]}]
    found = [document for document in found if query.where is None or holds(query.where, document)]
    found = [document for document in found if all(value_at(document, sort.path) is not None for sort in query.sort)]
    last = query.sort[-1].descending if query.sort else False
    keys = [(sort.path, sort.descending) for sort in query.sort] + [("id", last), ("owner", last)]
    for path, descending in reversed(keys):
        found = sorted(found, key=partial(value_at, path=path), reverse=descending)
    return found
