"""Which banners are shown, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from generated import models as m
from handlers.platform.clock import moment
from handlers.platform.errors import unprocessable
from handlers.platform.patching import patched

Json = Mapping[str, Any]

PLACEMENTS: Final = ("hero", "sidebar", "footer")
FIELDS: Final = (
    "placement",
    "title",
    "subtitle",
    "image_url",
    "link_url",
    "position",
    "starts_at",
    "ends_at",
    "status",
)


def shown_at(banner: Json, now: datetime) -> bool:
    """Whether the banner is active and within its time; a bound that is absent does not limit."""
    if banner["status"] != "active":
        return False
    starts, ends = banner.get("starts_at"), banner.get("ends_at")
    return (starts is None or moment(starts) <= now) and (ends is None or now < moment(ends))


def next_change(banners: Iterable[Json], now: datetime) -> datetime | None:
    """When the time of an active banner begins or ends next, None when none does."""
    bounds = [
        moment(bound)
        for banner in banners
        if banner["status"] == "active"
        for bound in (banner.get("starts_at"), banner.get("ends_at"))
        if bound is not None
    ]
    return min((bound for bound in bounds if bound > now), default=None)


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


def new_banner(body: m.BannerCreate, banner_id: str, now: str) -> dict[str, Any]:
    """The document of a new banner."""
    banner: dict[str, Any] = {"id": banner_id, "banner_id": banner_id, "position": 0, "status": "draft"}
    return {**patched(banner, body, FIELDS), "created_at": now, "updated_at": now}


def changed_banner(before: Json, body: m.BannerUpdate, now: str) -> dict[str, Any]:
    """The document after a change: a given field replaces, null clears."""
    after = patched(before, body, FIELDS)
    return {**after, "updated_at": now} if after != before else after


def check_window(banner: Json) -> None:
    """Raises `Problem` 422 when the end does not lie after the start."""
    starts, ends = banner.get("starts_at"), banner.get("ends_at")
    if starts is not None and ends is not None and moment(ends) <= moment(starts):
        raise unprocessable(
            "ends_at has to lie after starts_at", "banner_window_invalid", starts_at=starts, ends_at=ends
        )
