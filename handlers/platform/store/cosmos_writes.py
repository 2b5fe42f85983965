"""Writes: sent, and settled when the answer was lost.

A write in doubt (answer lost, timed out, 408, 500, 503, or sent twice below us) is never blindly repeated:

1. Read back. Every version carries the name of the write that made it (`_w`): is it ours, the write took effect.
2. It is not there, or not there yet: the read may have come from a replica that is behind. The same write is sent
   again. That is safe, for what could take effect twice carries a guard: an id that is created once, an etag, or for
   a patch the condition that this very write has not been applied. The one that arrives late finds it closed.
3. The service refuses the repeat. Then the first may have been the reason, or may not: read back once more, now with
   the session token of the refusal. Ours: done. A creation that is another's: refused. A change that was overwritten
   since: nobody can tell, `OutcomeUnknown`.

Only without any usable answer within the time of the operation is the outcome unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.platform.store.cosmos_layout import WRITE, PartitionValue, document_of
from handlers.platform.store.cosmos_operations import Prepared
from handlers.platform.store.cosmos_retry import (
    ERRORS,
    Allowance,
    Pauses,
    Policy,
    Verdict,
    judge,
    refusal,
    unavailable,
)
from handlers.platform.store.cosmos_transport import Flight, flight
from handlers.platform.store.cosmos_watch import Watch
from handlers.platform.store.port import Create, Delete, Document, Json, OutcomeUnknown, StoreUnavailable

Look = Callable[[PartitionValue, str], Awaitable[Json | None]]


@dataclass(slots=True)
class Write:
    """What is to be written: the operations, how they are sent (answering a document each), and where."""

    prepared: Sequence[Prepared]
    send: Callable[[], Awaitable[list[Document | None]]]
    place: str

    @property
    def witness(self) -> Prepared:
        """The operation that is looked at afterwards, for all of them took effect or none: best one that creates.

        Where several change one document, the last of them has left its name.
        """
        last = {one.id: one for one in self.prepared}.values()
        created = next((one for one in last if isinstance(one.operation, Create)), None)
        return created or next((one for one in last if one.token), self.prepared[-1])


class Writes:
    """Carries out writes. `look` reads a stored document as it is, None when there is none."""

    def __init__(self, policy: Policy, allowance: Allowance, watch: Watch, look: Look) -> None:
        self._policy = policy
        self._allowance = allowance
        self._watch = watch
        self._look = look

    async def run(self, write: Write, billed: Callable[[Mapping[str, Any]], None]) -> list[Document | None]:
        """The documents as they are afterwards. Raises what the port says, `OutcomeUnknown` as a last resort.

        `billed` hears of the headers of every error.
        """
        pauses: Pauses | None = None
        seconds, doubt = self._policy.attempt, False
        under_way = Flight()
        reset = flight.set(under_way)
        try:
            while True:
                try:
                    with self._watch.limit(seconds):
                        found = await write.send()
                except ERRORS as error:
                    billed(getattr(error, "headers", None) or {})
                    verdict = judge(error)
                    if isinstance(error, TimeoutError) and not under_way.in_the_air:
                        verdict = Verdict.NOT_DONE  # the SDK was resting after a refusal, or had not begun
                    doubt = doubt or verdict is Verdict.DOUBT or under_way.doubt
                    if verdict is Verdict.REFUSED:
                        return await self._refused(write, error, doubt=doubt)
                    if verdict is Verdict.DOUBT and (done := await self._done(write)) is not None:
                        return done
                    pauses = pauses or Pauses(self._policy, self._allowance)
                    if verdict is Verdict.DOWN or not await pauses.rest(error):
                        raise unavailable(error, write.place, doubt=doubt) from error
                    seconds = pauses.attempt()
                else:
                    self._allowance.earn()
                    return found
        finally:
            flight.reset(reset)

    async def _refused(self, write: Write, error: Exception, *, doubt: bool) -> list[Document | None]:
        """The service judged the write; in doubt it may have judged the repeat of one that took effect."""
        refused = refusal(error, write.place)
        if not doubt:
            raise refused from error
        try:
            stored = await self._look(write.witness.partition, write.witness.id)
            if _is_ours(write.witness, stored):
                return await self._as_they_are(write)
        except StoreUnavailable as away:
            raise unavailable(error, write.place, doubt=True) from away
        if stored is None or isinstance(write.witness.operation, Create):
            raise refused from error
        raise OutcomeUnknown(f"{write.place}: changed by another since; nobody can tell whether by this write too")

    async def _done(self, write: Write) -> list[Document | None] | None:
        """What the write made, if it can be seen; a look that fails says nothing."""
        try:
            if _is_ours(write.witness, await self._look(write.witness.partition, write.witness.id)):
                return await self._as_they_are(write)
        except StoreUnavailable:
            return None
        return None

    async def _as_they_are(self, write: Write) -> list[Document | None]:
        stored = await asyncio.gather(*(self._current(one) for one in write.prepared))
        return list(stored)

    async def _current(self, one: Prepared) -> Document | None:
        if isinstance(one.operation, Delete):
            return None
        found = await self._look(one.partition, one.id)
        return None if found is None else document_of(found)


def _is_ours(witness: Prepared, stored: Json | None) -> bool:
    if isinstance(witness.operation, Delete):
        return stored is None
    return stored is not None and stored.get(WRITE) == witness.token
