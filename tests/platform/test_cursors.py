"""Cursors: they lead on in their own list and nowhere else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.platform.cursors import MAX_CURSOR, Cursors, fingerprint
from handlers.platform.errors import Problem
from handlers.platform.store.port import And, Eq, In, Page, Query, Scalar, Sort

CURSORS = Cursors(b"k" * 32)
QUERY = Query("products", "laptops", And([Eq("status", "active"), In("brand", ["a", "b"])]), (Sort("price.amount"),))
POSITIONS = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.integers(-(2**53), 2**53),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    min_size=1,
    max_size=4,
).map(tuple)


@given(POSITIONS)
def test_a_cursor_leads_back_to_its_position(position: tuple[Scalar, ...]) -> None:
    cursor = CURSORS.next(QUERY, Page([], position))
    assert cursor is not None
    assert {*cursor} <= {*"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}
    after = CURSORS.apply(replace(QUERY, limit=50, offset=40), cursor)
    assert after == replace(QUERY, limit=50, after=position)
    assert after.after is not None
    assert [type(value) for value in after.after] == [type(value) for value in position]


def test_no_page_no_cursor() -> None:
    assert CURSORS.next(QUERY, Page([], None)) is None
    assert CURSORS.apply(QUERY, None) is QUERY


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, container="orders"),
        replace(QUERY, partition="phones"),
        replace(QUERY, partition=None),
        replace(QUERY, where=Eq("status", "active")),
        replace(QUERY, sort=(Sort("price.amount", True),)),
        replace(QUERY, sort=()),
        replace(QUERY, kind="outbox"),
    ],
)
def test_a_cursor_of_another_list_is_refused(other: Query) -> None:
    cursor = CURSORS.seal((1, "a"), fingerprint(other))
    with pytest.raises(Problem) as refused:
        CURSORS.apply(QUERY, cursor)
    assert refused.value.code == "INVALID_REQUEST"
    assert refused.value.details["faults"] == [
        {"in": "query", "path": "cursor", "message": "belongs to a list with other filters or another order"}
    ]


def test_the_page_size_may_change() -> None:
    cursor = CURSORS.seal((1, "a"), fingerprint(QUERY))
    assert CURSORS.apply(replace(QUERY, limit=99, slow=True), cursor).after == (1, "a")


def test_every_changed_sign_is_noticed() -> None:
    cursor = CURSORS.seal((450.0, "product-1"), fingerprint(QUERY))
    for place in range(len(cursor)):
        forged = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        if base64.urlsafe_b64decode(forged + "==") != base64.urlsafe_b64decode(cursor + "=="):
            with pytest.raises(Problem):
                CURSORS.apply(QUERY, forged)


@pytest.mark.parametrize(
    "text", ["", "a", "====", "not a cursor", "ä", "A" * (MAX_CURSOR + 1), "A" * 100, "\x00", "a+/b"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        CURSORS.apply(QUERY, text)
    assert refused.value.code == "INVALID_REQUEST"


@given(st.text(max_size=300))
def test_random_texts_are_refused(text: str) -> None:
    with pytest.raises(Problem):
        CURSORS.apply(QUERY, text)


def test_another_key_is_another_service() -> None:
    cursor = Cursors(b"x" * 32).seal((1, "a"), fingerprint(QUERY))
    with pytest.raises(Problem):
        CURSORS.apply(QUERY, cursor)
    with pytest.raises(ValueError, match="too short"):
        Cursors(b"short")
