"""What this process knows of accounts' rights: the version, the role and the ended sessions that tokens are held to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from handlers.contract.services import EventServices
from handlers.users.rules import Role, effective_role

MAX_KNOWN: Final = 50_000

Json = dict[str, Any]


class Rights(NamedTuple):
    """What a token of an account has to fit.

    `role`: the one that the account acts in. `ended`: sessions that were ended while their tokens were still good.
    """

    version: int
    role: Role
    ended: frozenset[str]


def rights_of(user: Json, now: datetime, *, second_factor: bool) -> Rights:
    """The rights of an account as it is stored; `second_factor`: whether staff need one."""
    ended = user.get("ended_sessions", {})
    moment = now.timestamp()
    role = effective_role(user, second_factor=second_factor)
    return Rights(user["token_version"], role, frozenset(key for key, until in ended.items() if until > moment))


class KnownVersions:
    """One per process: `services.room(KnownVersions)`. None stands for an account that is gone."""

    def __init__(self, services: EventServices) -> None:
        self._clock = services.clock
        self._second_factor = services.settings.staff_second_factor
        self._known: dict[str, tuple[Rights | None, float]] = {}

    def no_older_than(self, user_id: str, seconds: float) -> tuple[Rights | None] | None:
        """What is known of an account, in a tuple; None when that is older than so many seconds, or nothing."""
        known = self._known.get(user_id)
        if known is None or not 0 <= self._clock.now().timestamp() - known[1] < seconds:
            return None
        return (known[0],)

    def note(self, user_id: str, user: Json | None) -> Rights | None:
        """Notes an account as it was just read or written, None when it is gone; answers its rights."""
        now = self._clock.now()
        rights = rights_of(user, now, second_factor=self._second_factor) if user is not None else None
        if len(self._known) >= MAX_KNOWN and user_id not in self._known:
            # The oldest goes: it is read again when it comes back.
            del self._known[next(iter(self._known))]
        self._known[user_id] = (rights, now.timestamp())
        return rights
