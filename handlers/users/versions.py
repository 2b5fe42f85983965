"""Rights taken away end soon: tokens are compared with their account (decisions 59 and 78).

Writes, and everything that staff and administrators do, are held to an account read at most `WRITES` ago; reads of
customers to one read at most `READS` ago. So a token outlives logout, a change or reset of the password, a revoked
session, a role taken away and the account itself by that long at most, and by nothing in the process that did it.
"""

from __future__ import annotations

from typing import Final

from handlers.contract.services import Services
from handlers.platform.access import RANK, Principal
from handlers.platform.errors import unauthorized
from handlers.users import store
from handlers.users.known_versions import KnownVersions, Rights

WRITES: Final = 5.0
READS: Final = 60.0


class VersionCheck:
    """Refuses tokens that are older than the last change of their account's rights, or whose session was ended."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known = services.room(KnownVersions)

    async def __call__(self, principal: Principal, *, writes: bool) -> None:
        """Raises `Problem` 401 when the token is of another version or a higher role than the account, or of a session
        that is over.
        """
        strict = writes or RANK[principal.role] > RANK["customer"]
        current = await self._current(principal.id, WRITES if strict else READS)
        # A token of less than the account may do is fine: it was made before a second factor, or a role, was given.
        if current is None or current.version != principal.token_version or RANK[principal.role] > RANK[current.role]:
            raise unauthorized("The rights of this account have changed", rule="token_invalid")
        if principal.session_id in current.ended:
            raise unauthorized("The session is over", rule="token_invalid")

    async def _current(self, user_id: str, seconds: float) -> Rights | None:
        known = self._known.no_older_than(user_id, seconds)
        if known is not None:
            return known[0]
        found = await store.read(self._services.store, user_id)
        return self._known.note(user_id, found.data if found is not None else None)
