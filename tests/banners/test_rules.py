"""What no request can bring about, but the store or another clock may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from generated import models as m
from handlers.banners import rules
from handlers.platform.errors import Problem

BANNER: dict[str, Any] = {"banner_id": "b", "placement": "hero", "position": 1, "status": "active", "updated_at": "1"}


def test_of_two_copies_the_newer_one_counts() -> None:
    newer = {**BANNER, "placement": "footer", "updated_at": "2"}
    for copies in ([BANNER, newer], [newer, BANNER]):
        assert rules.latest(copies) == {"b": newer}


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_years_out_of_reach(year: int) -> None:
    body = m.BannerUpdate(starts_at=datetime(year, 6, 1, tzinfo=UTC))
    with pytest.raises(Problem, match="validation"):
        rules.changed_banner(BANNER, body, "3")


def test_a_bound_that_is_absent_does_not_limit() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert rules.shown_at(BANNER, now)
    assert not rules.shown_at({**BANNER, "starts_at": "2026-01-01T00:00:00.001Z"}, now)
    assert rules.shown_at({**BANNER, "starts_at": "2026-01-01T00:00:00.000Z"}, now)
    assert not rules.shown_at({**BANNER, "ends_at": "2026-01-01T00:00:00.000Z"}, now)
    rules.check_window({**BANNER, "ends_at": "2026-01-01T00:00:00.000Z"})
