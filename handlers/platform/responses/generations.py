"""Generations: for each kind of data that answers are made of, a number that grows when the data changes.

The numbers are in Redis. Who has written says so (`changed`), and every process in use asks twice a second, with one
call for all kinds: a request never waits for it, unless the process had not asked for a second. When a number is
another one, the room that keeps the data in memory brings it up to date first (`watch`), and only then the process goes
by the new number: what is made and shared under a number is never older than it.

While Redis is away (`alone`) a process knows only of its own changes. It goes on asking, and tells what it could not
tell as soon as Redis is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from handlers.platform.cache import Cache, CacheUnavailable, Script, Value

log = logging.getLogger(__name__)

ASK_SECONDS: Final = 0.5
WAIT_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.05
MOST_GONE: Final = 500
PREFIX: Final = "hph:{answers}:"

# Brings what a room keeps of the data up to date; `gone` are ids of what was removed lately.
Refresh = Callable[[Sequence[str]], Awaitable[None]]

# A number that is not there starts with the time, so that none ever comes again after Redis has forgotten it.
_ASK: Final = Script(
    f"""
local time, found, at = redis.call('TIME'), {{}}, 1
for i = 1, #KEYS, 2 do
  redis.call('SET', KEYS[i], string.format('%.0f', time[1] * 1000000 + time[2]), 'NX')
  local changed, gone = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, gone do
    redis.call('LPUSH', KEYS[i + 1], ARGV[at])
    at = at + 1
  end
  if gone > 0 then
    redis.call('LTRIM', KEYS[i + 1], 0, {MOST_GONE - 1})
    redis.call('EXPIRE', KEYS[i + 1], 3600)
  end
  if changed == '1' then redis.call('INCR', KEYS[i]) end
  found[#found + 1] = redis.call('GET', KEYS[i])
end
return found
"""
)
_GONE: Final = Script("return redis.call('LRANGE', KEYS[1], 0, -1)")


class _Kind:
    """One kind of data. `version` is this process's own number; `untold` counts changes that Redis does not know of."""

    __slots__ = ("gone", "look", "refresh", "shared", "untold", "version")

    def __init__(self) -> None:
        self.version = 0
        self.shared: int | None = None
        self.untold = 0
        self.gone: list[str] = []
        self.refresh: Refresh | None = None
        self.look: Callable[[], object] | None = None


class Generations:
    """The generations as one process knows them; made for one event loop."""

    def __init__(self, cache: Cache, now: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._now = now
        self._kinds: dict[str, _Kind] = {}
        self._together: dict[tuple[str, ...], list[_Kind]] = {}
        self._asked_at = float("-inf")
        self._asked = asyncio.Event()  # set, and replaced, whenever there was an answer or none
        self._task: asyncio.Task[None] | None = None
        self.alone = False

    def watch(self, kind: str, refresh: Refresh, look: Callable[[], object] | None = None) -> None:
        """Has the room that keeps this kind of data in memory called before a new generation counts.

        `look` is called twice a second while answers of this kind are asked for, also when they are kept: for a room
        that looks by itself for what nobody has told, such as changes made while Redis was away.
        """
        known = self._kind(kind)
        known.refresh, known.look = refresh, look

    def changed(self, kind: str, *gone: str) -> None:
        """Says that the data has changed in the store; `gone` are ids of what was removed.

        Takes effect in this process at once, in the others within a second or so.
        """
        known = self._kind(kind)
        known.version += 1
        known.untold += 1
        known.gone = [*known.gone, *gone][-MOST_GONE:]
        self._ask_soon()

    def current(self, kinds: tuple[str, ...]) -> int | None:
        """The `version` of the kinds; None when they have to be settled (`settle`) before it counts."""
        version = self.version(kinds)  # first, for a kind that was not known yet is asked for at once
        return version if self._now() - self._asked_at < ASK_SECONDS else None

    async def settle(self, kinds: Sequence[str]) -> None:
        """Sees to it that what is known of the kinds is not much older than a second, as far as Redis answers."""
        since = self._now() - self._asked_at
        asked = self._asked
        self._ask_soon()
        for kind in kinds:
            look = self._kinds[kind].look
            if look is not None:
                look()
        if since > WAIT_SECONDS and not self.alone:
            await asked.wait()

    def version(self, kinds: tuple[str, ...]) -> int:
        """The generations of this process in one number that grows with each: answers are good while it is the same."""
        known = self._together.get(kinds)
        if known is None:
            known = self._together[kinds] = [self._kind(kind) for kind in kinds]
        return sum([kind.version for kind in known])

    def shared(self, kinds: Sequence[str]) -> tuple[int, ...] | None:
        """The generations of all processes; None while they are not known, or Redis has not heard of a change here."""
        if self.alone:
            return None
        known = [self._kinds[kind] for kind in kinds]
        numbers = tuple([each.shared for each in known if each.shared is not None and not each.untold])
        return numbers if len(numbers) == len(known) else None

    async def close(self) -> None:
        """Tells what is untold, once, and asks no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if any(kind.untold for kind in self._kinds.values()):
            await self._ask()

    def _kind(self, kind: str) -> _Kind:
        known = self._kinds.get(kind)
        if known is None:
            known = self._kinds[kind] = _Kind()
            self._asked_at = float("-inf")
        return known

    def _ask_soon(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._asking(), name="generations")

    async def _asking(self) -> None:
        """Asks, and goes on while there is something to tell: many changes at once are told together."""
        await self._ask()
        while any(kind.untold for kind in self._kinds.values()):
            await asyncio.sleep(WAIT_SECONDS if self.alone else PAUSE_SECONDS)
            await self._ask()

    async def _ask(self) -> None:
        try:
            await self._tell_and_hear()
            self.alone = False
        except CacheUnavailable:
            self.alone = True
        finally:
            self._asked_at = self._now()
            self._asked.set()
            self._asked = asyncio.Event()

    async def _tell_and_hear(self) -> None:
        kinds = list(self._kinds.items())
        told = [(known.untold, known.gone) for _, known in kinds]
        keys = [key for name, _ in kinds for key in (f"{PREFIX}generation:{name}", f"{PREFIX}gone:{name}")]
        arguments: list[Value] = []
        for untold, gone in told:
            arguments += [1 if untold else 0, len(gone), *gone]
        numbers = await self._cache.eval(_ASK, keys, arguments) if kinds else []
        for (_, known), (untold, gone) in zip(kinds, told, strict=True):
            known.untold -= untold
            known.gone = known.gone[len(gone) :]
        for (name, known), (untold, _), number in zip(kinds, told, numbers, strict=True):
            await self._learn(name, known, int(number), by_us=1 if untold else 0)

    async def _learn(self, name: str, known: _Kind, number: int, *, by_us: int) -> None:
        if known.shared is not None and number == known.shared + by_us:
            known.shared = number
            return
        known.shared = None
        if known.refresh is not None:
            gone = await self._cache.eval(_GONE, [f"{PREFIX}gone:{name}"])
            try:
                await known.refresh([each.decode() for each in gone])
            except Exception as error:
                # The number stays unknown: nothing is shared, and the next time is another try.
                log.warning("not brought up to date", extra={"kind": name, "reason": type(error).__name__})
                return
        known.version += 1
        known.shared = number
