"""One caller of each kind for the demo shop: what it sends along, by token and by cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from infra.local.demo.load import PASSWORD
from tests.support.app import ORIGIN, RunningApp

# Nobody has no token; a guest has one without an account.
NOBODY: Final = "nobody"
GUEST: Final = "guest"
ROLES: Final = (NOBODY, GUEST, "customer", "staff", "admin")


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in caller (or nobody). `by_cookie` carries the CSRF token and an allowed origin."""

    role: str
    session: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The access token, empty for nobody."""
        return str(self.session.get("access_token", ""))

    @property
    def by_bearer(self) -> dict[str, str]:
        """The headers of a client with a token."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def by_cookie(self) -> dict[str, str]:
        """The headers of a browser on our own page."""
        if not self.token:
            return {"Origin": ORIGIN}
        csrf = str(self.session["csrf_token"])
        return {"Cookie": f"theme=dark; hph_access={self.token}", "X-CSRF-Token": csrf, "Origin": ORIGIN}


async def sign_in(running: RunningApp) -> dict[str, Caller]:
    """A caller of every role. The application has to hold the demo accounts."""
    callers = {NOBODY: Caller(NOBODY)}
    for role in ROLES[1:]:
        async with running.new_client() as client:
            callers[role] = Caller(role, (await _session(client, role)).json())
    return callers


async def _session(client: httpx.AsyncClient, role: str) -> httpx.Response:
    if role == GUEST:
        answer = await client.post("/api/auth/guest")
    else:
        body = {"email": f"{role}@example.com", "password": PASSWORD}
        answer = await client.post("/api/auth/login", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer
