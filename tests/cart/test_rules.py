"""The rules of cart lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cart import rules
from handlers.cart.rules import Line
from handlers.cart.shelf import Goods
from handlers.platform.errors import Problem

NOW = "2026-01-25T10:45:00.000Z"


def goods(number: int = 1, *, stock: int = 10, price: int = 500) -> Goods:
    """Something for sale."""
    return Goods(
        f"product-{number}", f"variant-{number}", f"SKU-{number}", f"Thing {number}", "", price, 82_500, 100, stock
    )


def line(number: int = 1, quantity: int = 1, *, stock: int = 10) -> Line:
    """A line of it."""
    return rules.new_line(goods(number, stock=stock), quantity, NOW)


@given(mine=st.integers(0, 99), theirs=st.integers(0, 99), stock=st.integers(0, 200), taken=st.integers(0, 99))
def test_a_merge_never_exceeds_what_can_be_had(mine: int, theirs: int, stock: int, taken: int) -> None:
    own = [line(1, mine, stock=stock)._replace(available=stock > 0)] if mine else []
    guests = [line(1, theirs, stock=stock)._replace(available=stock > 0)] if theirs else []
    lines, notices, total = rules.merged(own, guests, {"variant-1": taken})
    more = max(0, theirs - taken)
    most = min(99, stock) or 99
    wanted = mine + more
    expected = min(wanted, most) if more else mine
    assert sum(each.quantity for each in lines) == expected
    assert bool(notices) == (more > 0 and wanted > most)
    assert rules.merged(lines, guests, total)[0] == lines  # a second time changes nothing


def test_a_merge_leaves_out_what_a_cart_cannot_hold() -> None:
    full = [line(number) for number in range(100)]
    lines, notices, _ = rules.merged(full, [line(5, 2), line(500, 3)], {})
    assert (len(lines), lines[5].quantity) == (100, 3)
    assert [(each.item_id, each.before, each.after) for each in notices] == [(None, 3, 0)]


def test_a_price_that_changed_while_it_was_gone_is_told_when_it_is_back() -> None:
    first = line(1, 2)
    (gone,), told = rules.refreshed([first], {})
    assert (gone.available, gone.limit, [each.code for each in told]) == (False, 0, ["unavailable"])
    (still,), told = rules.refreshed([gone], {"variant-1": goods(stock=0)})
    assert (still.available, told) == (False, [])
    (back,), told = rules.refreshed([still], {"variant-1": goods(price=600)})
    assert (back.available, back.unit_price) == (True, 600)
    assert [(each.code, each.before, each.after) for each in told] == [("price_changed", 500, 600)]


def test_what_was_ordered_is_taken_off() -> None:
    left = rules.without_ordered([line(1, 3), line(2, 1), line(3, 5)], {"variant-1": 2, "variant-2": 4})
    assert [(each.variant_id, each.quantity) for each in left] == [("variant-1", 1), ("variant-3", 5)]


def test_limits() -> None:
    with pytest.raises(Problem) as refused:
        rules.check_stock(goods(stock=1000), 100, in_cart=0)
    assert refused.value.rule == "quantity_limit"
    with pytest.raises(Problem) as refused:
        rules.set_quantity([line(1)], "cartitem-none", 1)
    assert refused.value.status == 404
