"""Answers kept by a process, and through Redis by all of them: made once, by one, and given to everybody.

The way of a request: the memory of this process, without waiting for anything; then Redis, for operations whose answers
are worth the way; then the handler. Who finds that somebody else is making the answer waits for it, in the process or
briefly beside it. An answer whose time is over goes out once more (`STALE`) while a new one is made behind it; one
whose data has changed (`generations`) never does.

While Redis is away answers are made without it (decision 19), and the memory of a process, which then hears of the
changes of others by its rooms only, keeps them for `ALONE_SECONDS`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from handlers.platform.background import Background
from handlers.platform.cache import Cache, CacheUnavailable
from handlers.platform.clock import Clock
from handlers.platform.memo import Memo
from handlers.platform.responses.generations import Generations
from handlers.platform.responses.kept import CacheRule, Kept, Made, State, kept, size_of
from handlers.platform.responses.shared import Place, SharedAnswers, place

if TYPE_CHECKING:
    from handlers.platform.telemetry import Telemetry

# Answers that are cheap to make are kept when they are asked for again among so many others: whoever walks through all
# pages of everything pushes nothing out that people come back to.
SEEN: Final = 512
MEMORY_BYTES: Final = 16 * 1024 * 1024  # about 450 pages of 20 products
ALONE_SECONDS: Final = 2.0
LOOK_AGAIN_SECONDS: Final = 0.02
WAIT_SECONDS: Final = 0.5

Make = Callable[[], Awaitable[Made]]
Answer = tuple[Kept, State]


class _Asked(NamedTuple):
    """A request: its key, the version of its data it was asked under, and what makes its answer."""

    rule: CacheRule
    key: bytes
    version: int
    make: Make


class Responses:
    """The kept answers of one process. `changed`, `watch`, `close`: see `Generations`."""

    def __init__(self, cache: Cache, background: Background, clock: Clock) -> None:
        self.generations = Generations(cache)
        self._shared = SharedAnswers(cache)
        self._background = background
        self._clock = clock
        self._memory: Memo[Kept] = Memo(MEMORY_BYTES, float("inf"), size_of)
        # What is being made; a future once somebody waits for it.
        self._making: dict[Hashable, asyncio.Future[Answer] | None] = {}
        self._renewing: set[bytes] = set()
        self._seen: set[bytes] = set()
        self.counts: dict[State, int] = {"HIT": 0, "MISS": 0, "STALE": 0}
        self.changed = self.generations.changed
        self.watch = self.generations.watch
        self.close = self.generations.close

    def is_new(self, rule: CacheRule, key: bytes) -> bool:
        """Whether a request not worth the way to Redis is the first of its kind lately: then nothing is kept."""
        if rule.shared or key in self._seen or key in self._memory:
            return False
        if len(self._seen) >= SEEN:
            self._seen.clear()
        self._seen.add(key)
        self.counts["MISS"] += 1
        return True

    async def answer(self, rule: CacheRule, key: bytes, make: Make) -> Answer:
        """The answer to a request with this key, kept or made by `make`; and where it is from.

        Raises what `make` raises, which is not kept.
        """
        version = self.generations.current(rule.of)
        if version is None:
            await self.generations.settle(rule.of)
            version = self.generations.version(rule.of)
        asked = _Asked(rule, key, version, make)
        answer = self._remembered(asked) or await self._together(asked)
        self.counts[answer[1]] += 1
        return answer

    def expose(self, telemetry: Telemetry) -> None:
        """Publishes the counts in the metrics."""
        help_text = "Answers of operations with a cache."
        telemetry.watch("hph_answers", help_text, lambda: self.counts["HIT"], outcome="hit")
        telemetry.watch("hph_answers", help_text, lambda: self.counts["MISS"], outcome="miss")
        telemetry.watch("hph_answers", help_text, lambda: self.counts["STALE"], outcome="stale")

    def _remembered(self, asked: _Asked) -> Answer | None:
        """The answer in the memory of this process, if it may go out."""
        found = self._memory.get(asked.key, asked.version)
        if found is None:
            return None
        now = self._now()
        if self.generations.alone:
            return (found, "HIT") if now < min(found.until, found.made + ALONE_SECONDS) else None
        if now < found.until:
            return found, "HIT"
        if now >= found.gone:
            return None
        if asked.key not in self._renewing:
            self._renewing.add(asked.key)
            self._background.spawn(self._renew(asked), "make an answer anew")
        return found, "STALE"

    async def _together(self, asked: _Asked) -> Answer:
        """Gets the answer, or waits for the request of this process that is at it already."""
        task, making = (asked.key, asked.version), self._making
        while task in making:
            other = making[task]
            if other is None:
                other = making[task] = asyncio.get_running_loop().create_future()
            await asyncio.wait([other])
            if not other.cancelled():
                answer, state = other.result()
                return answer, "STALE" if state == "STALE" else "HIT"
        making[task] = None
        outcome: Answer | Exception | None = None
        try:
            outcome = await self._get(asked)
        except Exception as error:
            outcome = error
            raise
        finally:
            _tell(making.pop(task), outcome)
        return outcome

    async def _get(self, asked: _Asked, *, renew: bool = False) -> Answer:
        """The answer from Redis, or from the handler; with `renew` a stale one is made anew now, not behind."""
        if not asked.rule.shared:
            return await self._make(asked, None)
        generations = self.generations.shared(asked.rule.of)
        if generations is None:
            return await self._make(asked, None)
        where = place(asked.key, generations)
        try:
            found, claimed = await self._look(where)
        except CacheUnavailable:
            return await self._make(asked, None)
        if found is None or (renew and claimed):
            return await self._make(asked, where)
        self._memory.put(asked.key, asked.version, found)
        if self._now() < found.until:
            return found, "HIT"
        if claimed:
            self._background.spawn(self._make_behind(asked, where), "make an answer anew")
        return found, "STALE"

    async def _look(self, where: Place) -> tuple[Kept | None, bool]:
        """What is in Redis. Waits briefly for an answer that another process is making."""
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT_SECONDS
        while True:
            found, claimed = await self._shared.look(where, self._now())
            if found is not None or claimed or loop.time() > end:
                return found, claimed
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _renew(self, asked: _Asked) -> None:
        try:
            await self._get(asked, renew=True)
        finally:
            self._renewing.discard(asked.key)

    async def _make_behind(self, asked: _Asked, where: Place) -> None:
        await self._make(asked, where)

    async def _make(self, asked: _Asked, where: Place | None) -> Answer:
        """The answer from the handler, kept here and, with a place, in Redis."""
        now = self._now()
        try:
            answer = kept(await asked.make(), asked.rule, now)
        except BaseException:
            if where is not None:
                self._background.spawn(self._release(where), "release a claim")
            raise
        self._memory.put(asked.key, asked.version, answer)
        if where is not None:
            with suppress(CacheUnavailable):  # the claim ends by itself
                await self._shared.put(where, answer, self._now())
        return answer, "MISS"

    async def _release(self, where: Place) -> None:
        with suppress(CacheUnavailable):  # it ends by itself
            await self._shared.release(where)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _tell(others: asyncio.Future[Answer] | None, outcome: Answer | Exception | None) -> None:
    """Tells those who wait, if there are any. None: the request was told to end, and one of them takes over."""
    if others is None:
        return
    if outcome is None:
        others.cancel()
    elif isinstance(outcome, Exception):
        others.set_exception(outcome)
        others.exception()  # perhaps nobody waits any more
    else:
        others.set_result(outcome)
