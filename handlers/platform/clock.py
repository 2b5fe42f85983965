"""Time: UTC, RFC 3339 with `Z`, everywhere (decision 49)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests put one of their own in its place."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z` and milliseconds, so that stored texts sort as the moments do."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"  # twice as fast as strftime


def moment(text: str) -> datetime:
    """The moment a stored timestamp says. Raises `ValueError` when it is none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
