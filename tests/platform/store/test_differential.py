"""Differential: random typed queries give the same ids in the same order on every store, page by page.

One population in all of them; each query is run to its end on each, and some are counted. The plain-Python reference
has a say too, so that all of them cannot be wrong together.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from handlers.platform.store.port import (
    And,
    Condition,
    Contains,
    Create,
    DocumentStore,
    Eq,
    Exists,
    In,
    Json,
    Or,
    Prefix,
    Query,
    Range,
    Scalar,
    Sort,
)
from tests.platform.store.adapters import ADAPTERS, CONTAINERS, TestClock
from tests.platform.store.reference import run

QUERIES: Final = 520
OWNERS: Final = ("ann", "ben", "cy", "dora", "émile")
TEXTS: Final = ("", "a", "ab", "abc", "A", "b", "1", "true", "a'b", 'a"b', "100%", "a_b", "é", "🎄", "\uffff")
NUMBERS: Final = (-3, -1, 0, 1, 1.5, 2, 2.25, 19.99, 1e6)
SCALARS: Final[tuple[Scalar, ...]] = (*TEXTS, *NUMBERS, True, False)
VALUES: Final[tuple[Any, ...]] = (*SCALARS, None, [], [1, "a"], [True], ["ab", None], {"k": 1})
PATHS: Final = ("a", "b", "price.amount", "deep.er", "n", "s", "owner", "id", "nothing.there")
SORTS: Final = (
    (),
    (Sort("n"),),
    (Sort("n", True),),
    (Sort("s"),),
    (Sort("s", True),),
    (Sort("n"), Sort("s")),
    (Sort("n", True), Sort("s", True)),
    (Sort("n"), Sort("s", True)),
    (Sort("n", True), Sort("s")),
    (Sort("s", True), Sort("n", True)),
    (Sort("id"),),
    (Sort("id", True),),
)


def population(chance: random.Random) -> list[Json]:
    """Documents with values of every type, some without, sort fields of one type or absent."""
    documents = []
    for number in range(160):
        document: Json = {"id": f"{number % 60:02d}", "owner": OWNERS[(number // 60 * 2 + number % 2) % 5]}
        for path, values in (("a", VALUES), ("b", VALUES), ("n", NUMBERS), ("s", TEXTS)):
            if chance.random() < 0.8:
                document[path] = chance.choice(values)
        for outer, inner in (("price", "amount"), ("deep", "er")):
            if chance.random() < 0.7:
                document[outer] = {inner: chance.choice(VALUES)}
        documents.append(document)
    return documents


def leaf(chance: random.Random) -> Condition:
    """One condition on one path."""
    path = chance.choice(PATHS)
    match chance.randrange(6):
        case 0:
            return Eq(path, chance.choice(SCALARS))
        case 1:
            return In(path, chance.sample(SCALARS, chance.randrange(6)))
        case 2:
            kind: Sequence[Scalar] = chance.choice((TEXTS, NUMBERS, (True, False)))
            bounds = chance.sample(["ge", "gt", "le", "lt"], chance.randrange(1, 3))
            return Range(path, **{bound: chance.choice(kind) for bound in bounds})
        case 3:
            return Prefix(path, chance.choice(TEXTS))
        case 4:
            return Contains(path, chance.choice(SCALARS))
    return Exists(path, present=chance.random() < 0.7)


def condition(chance: random.Random, depth: int = 3) -> Condition:
    """Nested, and not too narrow: alternatives come more often than not."""
    if depth == 0 or chance.random() < 0.35:
        return leaf(chance)
    parts = [condition(chance, depth - 1) for _ in range(chance.randrange(1, 4))]
    return Or(parts) if chance.random() < 0.65 else And(parts)


def query(chance: random.Random) -> Query:
    """A typed query."""
    return Query(
        "things",
        chance.choice((None, None, *OWNERS)),
        condition(chance) if chance.random() < 0.9 else None,
        chance.choice(SORTS),
        limit=chance.choice((3, 7, 20, 200)),
        offset=chance.choice((0, 0, 0, 1, 5)),
        purpose="everything",
    )


async def to_the_end(store: DocumentStore, asked: Query) -> list[tuple[str, str]]:
    """Owner and id of every document, page after page."""
    found: list[tuple[str, str]] = []
    while True:
        page = await store.query(asked)
        found += [(item.data["owner"], item.data["id"]) for item in page.items]
        if page.next is None:
            return found
        asked = replace(asked, after=page.next, offset=0)


@pytest.mark.skipif(
    "COSMOS_ACCOUNT_URI" not in os.environ,
    reason="COSMOS_ACCOUNT_URI is not set: the store suites run on sqlite and the stand-in only (make test-azure)",
)
def test_an_account_is_among_the_stores() -> None:
    assert "cosmos-account" in ADAPTERS


async def test_all_stores_answer_alike(tmp_path: Path) -> None:
    chance = random.Random(20_260_125)
    documents = population(chance)
    stores = {name: opener(tmp_path / name, CONTAINERS, TestClock()) for name, opener in ADAPTERS.items()}
    for store in stores.values():
        for start in range(0, len(documents), 40):
            await asyncio.gather(*(store.write("things", Create(row)) for row in documents[start : start + 40]))
    matched = paged = 0
    for number in range(QUERIES):
        asked = query(chance)
        wanted = [(row["owner"], row["id"]) for row in run(asked, documents)][asked.offset :]
        for name, store in stores.items():
            assert await to_the_end(store, asked) == wanted, (number, name, asked)
            if number % 4 == 0:
                count = len(run(replace(asked, sort=()), documents))
                assert await store.count(asked) == count, (number, name, asked)
        matched += bool(wanted)
        paged += len(wanted) > asked.limit
    assert matched > QUERIES * 0.4  # that the comparison is worth something
    assert paged > QUERIES / 6
    for store in stores.values():
        await store.close()
