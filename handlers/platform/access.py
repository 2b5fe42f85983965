"""Who is calling, and whether an operation is theirs to call. The rules themselves come from the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from handlers.platform.errors import Problem, forbidden, unauthorized

Role = Literal["anonymous", "customer", "staff", "admin"]
Credential = Literal["none", "bearer", "cookie"]

GUEST: Final = "guest-"  # begins the ids of guests, and no other

RANK: Final[dict[Role, int]] = {"anonymous": 0, "customer": 1, "staff": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `id` is the user or guest id, empty for a caller without a token.

    `token_version` is compared with the user's (decisions 59 and 78). `authenticated_at`: when the person signed in,
    in seconds since 1970; 0 where nobody did. `enrolment_required`: the account's role is higher, and waits for
    a second factor.
    """

    id: str = ""
    role: Role = "anonymous"
    permissions: frozenset[str] = frozenset()
    email: str | None = None
    session_id: str | None = None
    token_version: int = 0
    authenticated_at: int = 0
    enrolment_required: bool = False
    credential: Credential = "none"

    @property
    def is_guest(self) -> bool:
        """A guest has a session and a cart of its own, but no account (decision 14)."""
        return self.role == "anonymous" and self.id != ""

    def by_cookie(self) -> Principal:
        """The same caller, known by its cookie: its writes need the CSRF token."""
        return replace(self, credential="cookie")


def is_guest_id(id: str) -> bool:
    """Whether an id is a guest's: who owns what it stands on has no account to sign in to."""
    return id.startswith(GUEST)


ANONYMOUS: Final = Principal(permissions=frozenset({"read:products"}))


@dataclass(frozen=True, slots=True)
class Access:
    """What an operation asks of its caller: at least this role, and all of these permissions."""

    role: Role
    permissions: frozenset[str] = frozenset()


def refusal(principal: Principal, access: Access) -> Problem | None:
    """Why the caller may not call the operation, or None when it may (decision 13: roles are ordered)."""
    if RANK[principal.role] >= RANK[access.role] and access.permissions <= principal.permissions:
        return None
    if principal.enrolment_required:
        return forbidden("Switch two-factor authentication on first", rule="mfa_enrolment_required")
    return unauthorized() if principal.credential == "none" else forbidden()
