"""Which banners are shown, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from handlers.platform.clock import moment
from handlers.platform.errors import unprocessable

Json = Mapping[str, Any]

PLACEMENTS: Final = ("hero", "sidebar", "footer")


def shown_at(banner: Json, now: datetime) -> bool:
    """Whether the banner is active and within its time; a bound that is absent does not limit."""
    if banner["status"] != "active":
        return False
    starts, ends = banner.get("starts_at"), banner.get("ends_at")
    return (starts is None or moment(starts) <= now) and (ends is None or now < moment(ends))


def order(banner: Json) -> tuple[int, int, str]:
    """By placement, then position, then id."""
    return PLACEMENTS.index(banner["placement"]), banner["position"], banner["banner_id"]


def latest(banners: Iterable[Json]) -> dict[str, Json]:
    """One banner for each id: while one moves to another placement there are two, and the newer one counts."""
    found: dict[str, Json] = {}
    for banner in banners:
        known = found.get(banner["banner_id"])
        if known is None or known["updated_at"] < banner["updated_at"]:
            found[banner["banner_id"]] = banner
    return found


def check_window(banner: Json) -> None:
    """Raises `Problem` 422 when the end does not lie after the start."""
    starts, ends = banner.get("starts_at"), banner.get("ends_at")
    if starts is not None and ends is not None and moment(ends) <= moment(starts):
        raise unprocessable(
            "ends_at has to lie after starts_at", "banner_window_invalid", starts_at=starts, ends_at=ends
        )
