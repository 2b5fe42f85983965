"""Conformance: random queries over random documents answer what the plain-Python reference answers, page by page."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handlers.platform.store.port import (
    And,
    Condition,
    Contains,
    Create,
    Difference,
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

# Few values, so that conditions often hold; signs that SQL, LIKE, JSON and UTF-16 treat in their own way.
TEXTS = st.one_of(
    st.sampled_from(
        ["", "a", "ab", "A", "1", "true", "[1]", "a'b", 'a"b', "100%", "a_b", "é", "\ud7ff", "\uffff", "🎄"]
    ),
    st.text(alphabet="aAb%_'\"\\é🎄\ue000\ud7ff\U0010ffff", max_size=3),
)
NUMBERS = st.one_of(
    st.integers(-3, 3), st.sampled_from([0.5, 1.0, -1.5, 2.25, 19.99, 1e6, 2**53, -(2**53)]), st.just(0)
)
SCALARS: st.SearchStrategy[Scalar] = st.one_of(TEXTS, NUMBERS, st.booleans())
VALUES: st.SearchStrategy[Any] = st.one_of(
    SCALARS, st.none(), st.lists(st.one_of(SCALARS, st.none()), max_size=3), st.just({"k": 1}), st.just([[1], {"a": 1}])
)
# `a` and `price.amount` are indexed, `b` and `deep.er` are not, and so take another way through an adapter.
PATHS = st.sampled_from(["a", "b", "price.amount", "deep.er", "n", "s", "owner", "id", "deep", "nothing.there"])

DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {"owner": st.sampled_from(["ann", "ben", "cy"]), "id": st.sampled_from(["1", "2", "3", "a", "é"])},
        optional={
            "a": VALUES,
            "b": VALUES,
            "n": NUMBERS,
            "s": TEXTS,
            "price": st.fixed_dictionaries({}, optional={"amount": VALUES}),
            "deep": st.one_of(VALUES, st.fixed_dictionaries({"er": VALUES})),
        },
    ),
    max_size=12,
    unique_by=lambda document: (document["owner"], document["id"]),
)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Bounds of one type, at least one."""
    kind = draw(st.sampled_from([TEXTS, NUMBERS, st.booleans()]))
    names = draw(st.lists(st.sampled_from(["ge", "gt", "le", "lt"]), min_size=1, max_size=3, unique=True))
    return Range(draw(PATHS), **{name: draw(kind) for name in names})


LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Eq, PATHS, SCALARS),
    st.builds(In, PATHS, st.lists(SCALARS, max_size=5)),
    ranges(),
    st.builds(Difference, PATHS, PATHS, st.integers(-3, 3)),
    st.builds(Prefix, PATHS, TEXTS),
    st.builds(Contains, PATHS, SCALARS),
    st.builds(Exists, PATHS, st.booleans()),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.builds(And, st.lists(inner, max_size=3)), st.builds(Or, st.lists(inner, max_size=3))),
    max_leaves=8,
)
SORTS = st.sampled_from(
    [
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
        (Sort("id", True),),
    ]
)


class Bench:
    """A store on a loop of its own, for tests that are not coroutines. Each set of documents is a world of its own."""

    def __init__(self, runner: asyncio.Runner, store: DocumentStore) -> None:
        self._runner = runner
        self._store = store
        self._worlds = itertools.count()

    def load(self, documents: list[Json]) -> int:
        """Writes the documents and says which world they are."""
        world = next(self._worlds)

        async def write() -> None:
            rows = [{**document, "owner": f"{document['owner']}-{world}", "world": world} for document in documents]
            await asyncio.gather(*(self._store.write("things", Create(row)) for row in rows))

        self._runner.run(write())
        return world

    def pages(self, query: Query, world: int) -> tuple[list[Json], int]:
        """All documents, page after page, and the count."""

        async def read() -> tuple[list[Json], int]:
            own = replace(
                query,
                where=And([Eq("world", world), *([query.where] if query.where else [])]),
                partition=f"{query.partition}-{world}" if query.partition is not None else None,
                purpose="everything",
            )
            found: list[Json] = []
            step = own
            while True:
                page = await self._store.query(step)
                assert len(page.items) <= query.limit
                found += [document.data for document in page.items]
                if page.next is None:
                    return found, await self._store.count(own)
                assert len(page.items) == query.limit
                step = replace(own, after=page.next)

        return self._runner.run(read())


@pytest.fixture(scope="module", params=ADAPTERS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One store for all examples."""
    with asyncio.Runner() as runner:
        store = ADAPTERS[request.param](tmp_path_factory.mktemp("bench"), CONTAINERS, TestClock())
        yield Bench(runner, store)
        runner.run(store.close())


def strip(documents: list[Json], world: int) -> list[Json]:
    """The documents as they were given."""
    return [
        {
            **{key: value for key, value in document.items() if key != "world"},
            "owner": document["owner"].removesuffix(f"-{world}"),
        }
        for document in documents
    ]


QUERIES = st.builds(
    Query,
    container=st.just("things"),
    partition=st.sampled_from([None, None, "ann"]),
    where=st.one_of(st.none(), CONDITIONS),
    sort=SORTS,
    limit=st.integers(1, 5),
)


def everything(where: Condition | None) -> Query:
    """One document per page, over all partitions."""
    return Query("things", None, where, limit=1)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS, QUERIES)
@example([], everything(And([])))
@example([{"owner": "ann", "id": "1", "a": True}, {"owner": "ann", "id": "2", "a": 1}], everything(Eq("a", True)))
@example([{"owner": "ann", "id": "1"}, {"owner": "ben", "id": "1"}], everything(None))
@example([{"owner": "ann", "id": "1", "b": 5}], everything(Or([])))
@example([{"owner": "ann", "id": "1", "b": "\uffff🎄"}], everything(Prefix("b", "\uffff")))
def test_queries_answer_as_the_reference_does(bench: Bench, documents: list[Json], query: Query) -> None:
    query = replace(query, where=owners_left_out(query.where))
    world = bench.load(documents)
    found, count = bench.pages(query, world)
    assert strip(found, world) == run(query, documents)
    assert count == len(run(replace(query, sort=()), documents))


def owners_left_out(condition: Condition | None) -> Condition | None:
    """Owners are renamed for each world, so a condition on them would mean something else."""
    if isinstance(condition, And | Or):
        return type(condition)([part for part in map(owners_left_out, condition.conditions) if part is not None])
    if condition is not None and condition.path == "owner":
        return Exists("owner")
    return condition
