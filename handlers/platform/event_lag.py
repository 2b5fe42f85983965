"""How far the event side is behind: changes whose events are not published yet, or not handled by all who need them.

Who waits for events may not be judged while theirs may still be under way (decision 74). That is known for all
processes together: relays note their positions in the store, groups theirs at the bus. A moment is remembered with what
was on the bus then; once every group is past that, everything written before that moment is handled. When nobody could
tell, the event side counts as behind.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from handlers.platform.bus.port import BusError, BusUnavailable, EventBus, Position
from handlers.platform.clock import Clock, moment, timestamp
from handlers.platform.feed_leases import POSITION
from handlers.platform.leases import has_been_ended
from handlers.platform.outbox import written_at
from handlers.platform.relay import GROUP as RELAYS
from handlers.platform.store.port import DocumentStore, Json, Query, StoreError

log = logging.getLogger(__name__)

# An event that takes longer than this to be handled means that the event side is behind. The shortest deadline of an
# order (5 minutes) spans two events, each published and handled: four times this fits in.
TOLERATED: Final = timedelta(seconds=45)
EVERY: Final = timedelta(seconds=10)
# Not measured for so long, by any process: what happened meanwhile is not known.
GAP: Final = timedelta(seconds=60)
# Behind for so long, and people are told; again after as long.
ALARM: Final = timedelta(minutes=5)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_SAMPLES: Final = TOLERATED // EVERY + 3
_ROWS: Final = 256
_MOST: Final = 5000

Part = tuple[str, int]  # topic, partition


@dataclass(frozen=True, slots=True)
class _Sample:
    """Everything written before `moment` was on the bus when its partitions had these numbers of messages."""

    moment: datetime
    published: Mapping[Part, int]


@dataclass(slots=True)
class _Feed:
    """What is known of a feed behind the position its relay has noted: read up to where, and the oldest row there."""

    noted: str | None
    read: str | None
    oldest: datetime | None


class EventLag:
    """Measures, and remembers when the event side was last behind. `groups`: the groups that count, with their topics.

    The one process that judges measures; what it knows goes into its lease (`note`), for the next one (`take_over`).
    """

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self.groups: Mapping[str, Sequence[str]] = {}
        self.measured_at: datetime | None = None
        self.behind_at: datetime | None = None
        self.behind_since: datetime | None = None
        self._store = store
        self._clock = clock
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._feeds: dict[str, _Feed] = {}
        self._told_at: datetime | None = None

    def note(self) -> Json:
        """What the next process has to know."""
        named = {"measured_at": self.measured_at, "behind_at": self.behind_at, "behind_since": self.behind_since}
        return {name: timestamp(at) for name, at in named.items() if at is not None}

    def take_over(self, note: Json) -> None:
        """Goes on from what another process has noted, where that is newer."""
        measured = moment(note["measured_at"]) if "measured_at" in note else None
        if measured is None or (self.measured_at is not None and self.measured_at >= measured):
            return
        self.measured_at = measured
        self.behind_at = moment(note["behind_at"]) if "behind_at" in note else None
        self.behind_since = moment(note["behind_since"]) if "behind_since" in note else None

    def seconds_behind(self) -> float:
        """For how long the event side has been behind; 0 while it is not. For metrics."""
        return (self._clock.now() - self.behind_since).total_seconds() if self.behind_since is not None else 0.0

    def not_before(self, wait: timedelta) -> datetime:
        """Who waits for events for so long may be judged from this moment on: all of `wait` without a lag."""
        return self.behind_at + wait if self.behind_at is not None else _NEVER

    async def measure(self, bus: EventBus | None) -> None:
        """Looks how things stand, if that was not done just now. Raises nothing: not knowing means behind."""
        now = self._clock.now()
        if self.measured_at is not None and self.measured_at <= now < self.measured_at + EVERY:
            return
        watched = self.measured_at is not None and now - self.measured_at <= GAP
        try:
            reached = await self._reached(now, bus)
            why = "events wait" if now - reached > TOLERATED else None
        except (BusError, StoreError) as error:
            why = f"it is not known: {type(error).__name__}"
        if why is None and not watched:
            why = "nobody has looked for a while"
        self.measured_at = now if self.measured_at is None else max(now, self.measured_at)
        self._judge(now, why)

    def _judge(self, now: datetime, why: str | None) -> None:
        if why is None:
            if self._told_at is not None:
                log.warning("the event side has caught up: deadlines are judged again, each after its full time")
            self.behind_since = self._told_at = None
            return
        self.behind_at = now
        self.behind_since = self.behind_since or now
        if now - (self._told_at or self.behind_since) >= ALARM:
            self._told_at = now
            log.error("no deadline is judged: the event side is behind", extra={"reason": why})

    async def _reached(self, now: datetime, bus: EventBus | None) -> datetime:
        """Everything written before this moment is handled. Raises `BusError`, `StoreError`."""
        if bus is None:
            raise BusUnavailable("this process has no event side")
        # The outbox first: what leaves it meanwhile is then counted on the bus, not missed in both.
        published = await self._published(now)
        positions = await bus.positions(self.groups)
        self._samples.append(_Sample(published, {(p.topic, p.partition): p.published for p in positions}))
        return next((s.moment for s in reversed(self._samples) if _passed(positions, s)), _NEVER)

    async def _published(self, now: datetime) -> datetime:
        """Everything written before this moment is on the bus."""
        leases = (await self._store.query(Query("leases", RELAYS, limit=_MOST))).items
        noted = {each.data["id"]: each.data["note"].get(POSITION) for each in leases if not has_been_ended(each.data)}
        oldest = [await self._oldest(feed, self._noted(feed, noted)) for feed in await self._store.feeds()]
        return min([now, *(at for at in oldest if at is not None)])

    def _noted(self, feed: str, noted: Mapping[str, str | None]) -> str | None:
        """How far the rows of a feed are published; one that no relay has begun with goes on where others were."""
        if feed in noted:
            return noted[feed]
        before = {other: position for other, position in noted.items() if self._store.overlap(feed, other)}
        return self._store.inherited(feed, before) if before else None

    async def _oldest(self, feed: str, noted: str | None) -> datetime | None:
        """When the oldest row was written that the feed's relay has not noted as published. None: there is none."""
        known = self._feeds.get(feed)
        if known is None or known.noted != noted:
            known = self._feeds[feed] = _Feed(noted, noted, None)
        if known.oldest is None:
            found = await self._store.changes(feed, known.read, _ROWS)
            known.read = found.next
            known.oldest = min((moment(written_at(row.data)) for row in found.items), default=None)
        return known.oldest


def _passed(positions: Sequence[Position], sample: _Sample) -> bool:
    return all(each.handled >= sample.published.get((each.topic, each.partition), 0) for each in positions)
