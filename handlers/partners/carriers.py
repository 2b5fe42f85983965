"""Carriers: one port; in local mode and in tests a built-in one whose parcels move along by the clock.

The contract of a real carrier (FedEx, UPS, USPS, DHL) goes behind the same port once the shop has one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol
from urllib.parse import quote

from handlers.platform.clock import Clock

Status = Literal["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel as a carrier knows it. No person's name."""

    carrier: str
    tracking_number: str
    origin: str
    destination: str
    booked_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """A point on the way of a parcel. `id` is the same whenever the carrier is asked."""

    id: str
    status: Status
    words: str
    moment: datetime
    location: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a carrier says about a parcel: its scans, oldest first and never none; the status in its own words."""

    scans: tuple[Scan, ...]
    words: str
    due_at: datetime


class Carriers(Protocol):
    """All carriers that the shop works with."""

    async def track(self, parcel: Parcel) -> Report:
        """Where a parcel is now. Raises `PartnerUnavailable`."""
        ...

    async def contact(self, parcel: Parcel, inquiry_id: str, text: str) -> str | None:
        """Hands an inquiry over, once for each id; the carrier's own number for it. Raises `PartnerUnavailable`."""
        ...


_SITES: Final = {
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr=",
    "UPS": "https://www.ups.com/track?tracknum=",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
    "DHL": "https://www.dhl.com/en/express/tracking.html?AWB=",
}


def tracking_url(carrier: str, tracking_number: str) -> str:
    """Where people follow a parcel at its carrier's."""
    return _SITES[carrier] + quote(tracking_number, safe="")


# How far a parcel is, in parts of a hundred of the time between booking and the promised arrival.
_WAY: Final[tuple[tuple[int, Status, str], ...]] = (
    (0, "label_created", "Shipping label created"),
    (10, "picked_up", "Package picked up by carrier"),
    (40, "in_transit", "Package in transit"),
    (80, "out_for_delivery", "Out for delivery"),
    (95, "delivered", "Package delivered"),
)
_AT_ORIGIN: Final = frozenset({"label_created", "picked_up"})


class BuiltInCarriers:
    """A carrier that always delivers a little before the promised moment, and answers every inquiry with a number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def track(self, parcel: Parcel) -> Report:
        """The scans that are due by the clock."""
        now = self._clock.now()
        way = max(parcel.due_at - parcel.booked_at, timedelta())
        scans = tuple(
            Scan(
                id=_id("scan", parcel.tracking_number, status),
                status=status,
                words=words,
                moment=parcel.booked_at + way * part / 100,
                location=parcel.origin if status in _AT_ORIGIN else parcel.destination,
            )
            for part, status, words in _WAY
            if part == 0 or parcel.booked_at + way * part / 100 <= now
        )
        return Report(scans, f"{scans[-1].words} - on schedule", parcel.due_at)

    async def contact(self, parcel: Parcel, inquiry_id: str, text: str) -> str | None:
        """A number, the same for the same inquiry."""
        return _id(parcel.carrier.upper(), parcel.tracking_number, inquiry_id, text)


def _id(prefix: str, *parts: str) -> str:
    return f"{prefix}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}"
