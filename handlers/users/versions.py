"""Roles taken away end at once where it matters: staff and admin operations compare token and account (decision 59)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from handlers.contract.services import Services
from handlers.platform.access import Principal
from handlers.platform.errors import unauthorized
from handlers.users import store

CACHE: Final = timedelta(seconds=5)
_MAX_CACHED: Final = 10_000


class VersionCheck:
    """Refuses tokens that are older than the last change of their account's rights. Accounts are cached for `CACHE`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # user -> (version and role, the moment it was read); None for an account that is gone.
        self._known: dict[str, tuple[tuple[int, str] | None, float]] = {}

    async def __call__(self, principal: Principal) -> None:
        """Raises `Problem` 401 when the token's version or role is not the account's."""
        current = await self._current(principal.id)
        if current != (principal.token_version, principal.role):
            raise unauthorized("The rights of this account have changed", rule="token_invalid")

    async def _current(self, user_id: str) -> tuple[int, str] | None:
        now = self._services.clock.now().timestamp()
        known = self._known.get(user_id)
        if known is not None and 0 <= now - known[1] < CACHE.total_seconds():
            return known[0]
        found = await store.read(self._services.store, user_id)
        current = (found.data["token_version"], found.data["role"]) if found is not None else None
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
        self._known[user_id] = (current, now)
        return current
