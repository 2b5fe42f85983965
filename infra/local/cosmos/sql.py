"""The part of Cosmos SQL that the adapter and the SDK write, parsed into a tree. Nothing is run as Python."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.cosmos.wire import Refusal

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<param>@\w+)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign><=|>=|!=|<>|-|\{documentdb-formattableorderbyquery-filter\}|[=<>\[\](){},.:*])
    )""",
    re.VERBOSE,
)
_FUNCTIONS: Final = frozenset({"IS_DEFINED", "IS_NULL", "STARTSWITH", "ARRAY_CONTAINS"})
_COMPARISONS: Final = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Param:
    """A value bound by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """A property of the document; no segment: the document."""

    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values and the sign between them."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Subtract:
    """One number less another."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """AND or OR over two or more parts."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Node


@dataclass(frozen=True, slots=True)
class OneOf:
    """IN."""

    value: Node
    choices: tuple[Node, ...]


Node = Literal | Param | Path | Call | Compare | Subtract | Logic | Not | OneOf


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ORDER BY."""

    path: Path
    descending: bool


@dataclass(slots=True)
class Select:
    """A query. `shape`: documents, count, partial_count or ordered (what a query plan makes of the first two)."""

    shape: str = "documents"
    top: int | None = None
    where: Node | None = None
    where_text: str = ""
    order: list[Order] = field(default_factory=list)
    offset: int | None = None
    limit: int | None = None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    # --- tokens
    def _peek(self) -> str:
        return self._tokens[self._at][1].upper() if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise Refusal(400, "the query ends too early")
        kind, text, _ = self._tokens[self._at]
        self._at += 1
        return kind, text

    def _take(self, *words: str) -> bool:
        for number, word in enumerate(words):
            at = self._at + number
            if at >= len(self._tokens) or self._tokens[at][1].upper() != word:
                return False
        self._at += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._take(*words):
            raise Refusal(400, f"expected {' '.join(words)}, found {self._peek() or 'the end'}")

    def _place(self) -> int:
        return self._tokens[self._at][2] if self._at < len(self._tokens) else len(self._text)

    # --- statements
    def select(self) -> Select:
        query = Select()
        self._expect("SELECT")
        if self._take("TOP"):
            query.top = self._integer()
        query.shape = self._shape()
        self._expect("FROM", "C")
        if self._take("WHERE"):
            start = self._place()
            query.where = self.expression()
            query.where_text = self._text[start : self._place()].strip()
        if self._take("ORDER", "BY"):
            query.order.append(self._order())
            while self._take(","):
                query.order.append(self._order())
        if self._take("OFFSET"):
            query.offset = self._integer()
            self._expect("LIMIT")
            query.limit = self._integer()
        self.end()
        return query

    def condition(self) -> Node:
        """What a patch's predicate is: FROM c WHERE …"""
        self._expect("FROM", "C", "WHERE")
        found = self.expression()
        self.end()
        return found

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise Refusal(400, f"unexpected {self._peek()}")

    def _shape(self) -> str:
        if self._take("*"):
            return "documents"
        if self._take("VALUE", "COUNT", "(", "1", ")"):
            return "count"
        if self._take("VALUE", "[", "{", '"ITEM"', ":", "COUNT", "(", "1", ")", "}", "]"):
            return "partial_count"
        self._expect("C", ".", "_RID", ",", "[")
        while not self._take("]", "AS", "ORDERBYITEMS", ",", "C", "AS", "PAYLOAD"):
            self._next()
        return "ordered"

    def _integer(self) -> int:
        kind, text = self._next()
        if kind != "number" or not text.isdigit():
            raise Refusal(400, f"expected a whole number, found {text}")
        return int(text)

    def _order(self) -> Order:
        path = self._operand()
        if not isinstance(path, Path):
            raise Refusal(400, "ORDER BY takes properties only")
        return Order(path, self._take("DESC") or (self._take("ASC") and False))

    # --- conditions
    def expression(self) -> Node:
        return self._joined("OR", lambda: self._joined("AND", self._negation))

    def _joined(self, word: str, part: Any) -> Node:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Logic(word, tuple(parts))

    def _negation(self) -> Node:
        return Not(self._negation()) if self._take("NOT") else self._comparison()

    def _comparison(self) -> Node:
        left = self._operand()
        if self._take("-"):
            left = Subtract(left, self._operand())
        if self._take("IN", "("):
            return OneOf(left, self._arguments())
        if self._peek() in _COMPARISONS:
            sign = self._next()[1]
            return Compare("!=" if sign == "<>" else sign, left, self._operand())
        return left

    def _arguments(self) -> tuple[Node, ...]:
        found = [self.expression()]
        while self._take(","):
            found.append(self.expression())
        self._expect(")")
        return tuple(found)

    def _operand(self) -> Node:
        kind, text = self._next()
        if text == "(":
            inner = self.expression()
            self._expect(")")
            return inner
        if text == "{documentdb-formattableorderbyquery-filter}":
            return Literal(True)
        if kind in {"string", "number"}:
            return Literal(_string(text) if kind == "string" else json.loads(text))
        if kind == "param":
            return Param(text)
        if kind == "word":
            return self._word(text)
        raise Refusal(400, f"unexpected {text}")

    def _word(self, text: str) -> Node:
        upper = text.upper()
        if upper in {"TRUE", "FALSE", "NULL"}:
            return Literal({"TRUE": True, "FALSE": False, "NULL": None}[upper])
        if upper in _FUNCTIONS:
            self._expect("(")
            return Call(upper, self._arguments())
        if text != "c":
            raise Refusal(400, f"{text} is not known here")
        return self._path()

    def _path(self) -> Path:
        segments: list[str] = []
        while True:
            if self._take("."):
                segments.append(self._next()[1])
            elif self._take("["):
                kind, text = self._next()
                if kind != "string":
                    raise Refusal(400, "expected the name of a property in brackets")
                segments.append(_string(text))
                self._expect("]")
            else:
                return Path(tuple(segments))


def parse(text: str) -> Select:
    """A query. Raises `Refusal` (400) for what is not of the subset."""
    return _Parser(text).select()


def parse_condition(text: str) -> Node:
    """A patch's predicate."""
    return _Parser(text).condition()


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Refusal(400, f"cannot read the query at: {text[at : at + 30]}")
        found.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return found


def _string(text: str) -> str:
    if text.startswith("'"):
        text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    value: str = json.loads(text)
    return value
