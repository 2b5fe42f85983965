"""Conditions over documents, with Cosmos' rules: types count, what is missing is undefined and fits nothing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from infra.local.cosmos.sql import (
    Call,
    Compare,
    Literal,
    Logic,
    Node,
    Not,
    OneOf,
    Param,
    Path,
    Subtract,
    parse_condition,
)
from infra.local.cosmos.wire import Json, Refusal

Params = Mapping[str, Any]
Evaluate = Callable[[Json, Params], Any]


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()
# Undefined, null, boolean, number, string, array, object: the order in which Cosmos sorts types.
_RANKS: Final[dict[type, int]] = {
    _Undefined: 0,
    type(None): 1,
    bool: 2,
    int: 4,
    float: 4,
    str: 5,
    list: 6,
    dict: 7,
}
_ORDERED: Final = frozenset({2, 4, 5})
_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(condition: Evaluate | None, document: Json, params: Params) -> bool:
    """Whether a document fits."""
    return condition is None or condition(document, params) is True


@lru_cache(maxsize=512)
def compiled_condition(text: str) -> Evaluate:
    """A patch's predicate, ready to be asked."""
    return compile_node(parse_condition(text))


def compile_node(node: Node) -> Evaluate:
    """A function of document and bound values; answers a value or UNDEFINED."""
    match node:
        case Literal(value):
            found: Evaluate = partial(_literal, value)
        case Param(name):
            found = partial(_bound, name)
        case Path(segments):
            found = partial(_property, segments)
        case Compare(sign, left, right):
            found = _compare(sign, compile_node(left), compile_node(right))
        case Subtract(left, right):
            found = partial(_subtract, compile_node(left), compile_node(right))
        case OneOf(value_node, choices):
            found = _one_of(compile_node(value_node), [compile_node(choice) for choice in choices])
        case Not(part):
            found = partial(_not, compile_node(part))
        case Logic(word, parts):
            found = _logic(word == "AND", [compile_node(part) for part in parts])
        case Call(name, arguments):
            found = _call(name, [compile_node(argument) for argument in arguments])
    return found


def value_at(document: Any, segments: tuple[str, ...]) -> Any:
    """The value at a path, or UNDEFINED."""
    for segment in segments:
        if type(document) is not dict:
            return UNDEFINED
        document = document.get(segment, UNDEFINED)
    return document


def rank(value: Any) -> int:
    """Where a value's type stands in the order of types."""
    return _RANKS[type(value)]


def equal(left: Any, right: Any) -> bool:
    """Equal and of one type."""
    if rank(left) != rank(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    return bool(left == right)


def _literal(value: Any, document: Json, params: Params) -> Any:
    return value


def _bound(name: str, document: Json, params: Params) -> Any:
    if name not in params:
        raise Refusal(400, f"the parameter {name} is not given")
    return params[name]


def _property(segments: tuple[str, ...], document: Json, params: Params) -> Any:
    return value_at(document, segments)


def _not(part: Evaluate, document: Json, params: Params) -> Any:
    value = part(document, params)
    return not value if isinstance(value, bool) else UNDEFINED


def _compare(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign in {"=", "!="}:
        wanted = sign == "="

        def same(document: Json, params: Params) -> Any:
            one, other = left(document, params), right(document, params)
            if one is UNDEFINED or other is UNDEFINED or rank(one) != rank(other):
                return UNDEFINED
            return equal(one, other) is wanted

        return same
    test = _SIGNS[sign]

    def ordered(document: Json, params: Params) -> Any:
        one, other = left(document, params), right(document, params)
        kind = rank(one)
        return test(one, other) if kind == rank(other) and kind in _ORDERED else UNDEFINED

    return ordered


def _subtract(left: Evaluate, right: Evaluate, document: Json, params: Params) -> Any:
    one, other = left(document, params), right(document, params)
    numbers = rank(one) == rank(other) == _RANKS[int]
    return one - other if numbers else UNDEFINED


def _one_of(value: Evaluate, choices: list[Evaluate]) -> Evaluate:
    def test(document: Json, params: Params) -> Any:
        found = value(document, params)
        if found is UNDEFINED:
            return UNDEFINED
        return any(equal(found, choice(document, params)) for choice in choices)

    return test


def _logic(is_and: bool, parts: list[Evaluate]) -> Evaluate:
    """Three-valued: what decides wins, else undefined if anything was."""
    decides = not is_and

    def test(document: Json, params: Params) -> Any:
        outcome: Any = is_and
        for part in parts:
            value = part(document, params)
            if value is decides:
                return decides
            if value is not is_and:
                outcome = UNDEFINED
        return outcome

    return test


def _call(name: str, arguments: list[Evaluate]) -> Evaluate:
    first = arguments[0]
    if name == "IS_DEFINED":
        return lambda document, params: first(document, params) is not UNDEFINED
    if name == "IS_NULL":
        return lambda document, params: first(document, params) is None
    second = arguments[1]
    test = _starts_with if name == "STARTSWITH" else _contains
    return lambda document, params: test(first(document, params), second(document, params))


def _starts_with(text: Any, start: Any) -> Any:
    return text.startswith(start) if isinstance(text, str) and isinstance(start, str) else UNDEFINED


def _contains(elements: Any, wanted: Any) -> Any:
    if not isinstance(elements, list) or wanted is UNDEFINED:
        return UNDEFINED
    return any(equal(element, wanted) for element in elements)
