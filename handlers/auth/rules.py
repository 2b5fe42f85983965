"""Who a user is to the rest of the system, and what an answer to a sign-in holds. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from generated import views as v
from generated.access import PERMISSIONS
from handlers.platform import cookies
from handlers.platform.access import Principal
from handlers.platform.keys import PublicKey
from handlers.users.rules import effective_role, user_view

Json = dict[str, Any]

GUEST_LIFETIME: Final = timedelta(days=14)
MFA_AUDIENCE: Final = "holiday-peak-hub-mfa"
MFA_LIFETIME: Final = timedelta(minutes=5)
MFA_TRIES: Final = 5

ACCEPTED: Final[v.Accepted] = {"message": "If this address has an account, a message is on its way."}


def principal_of(user: Json, session_id: str, authenticated_at: int, *, second_factor: bool) -> Principal:
    """The caller that an access token of this user stands for. `second_factor`: whether staff need one."""
    role = effective_role(user, second_factor=second_factor)
    return Principal(
        id=user["user_id"],
        role=role,
        permissions=PERMISSIONS[role],
        enrolment_required=role != user["role"],
        email=user["email"],
        session_id=session_id,
        token_version=user["token_version"],
        authenticated_at=authenticated_at,
    )


def guest_principal(session_id: str) -> Principal:
    """The caller that a guest's token stands for (decision 14). `session_id` is `guest-<uuid>`."""
    return Principal(id=session_id, role="anonymous", permissions=PERMISSIONS["guest"])


def challenge_principal(user: Json, challenge_id: str) -> Principal:
    """What a challenge says: who has shown the password. It opens nothing, by its own audience and by no permission."""
    return Principal(id=user["user_id"], role="anonymous", session_id=challenge_id, token_version=user["token_version"])


def user_session(
    user: Json,
    *,
    access_token: str,
    refresh_token: str,
    csrf_token: str,
    lifetime: timedelta,
    refresh_lifetime: timedelta,
) -> v.Session:
    """The tokens of a signed-in user."""
    return {
        "access_token": access_token,
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "expires_in": seconds(lifetime),
        "refresh_expires_in": seconds(refresh_lifetime),
        "csrf_token": csrf_token,
        "user": user_view(user),
    }


def guest_session(session_id: str, access_token: str, csrf_token: str) -> v.Session:
    """The token of a guest."""
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": seconds(GUEST_LIFETIME),
        "csrf_token": csrf_token,
        "session_id": session_id,
    }


def session_cookies(session: v.Session, *, secure: bool) -> list[cookies.Header]:
    """The cookies of a session. The CSRF token lasts as long as the session can be gone on with.

    A guest has no refresh token; the one of a session before is cleared, so that a refresh does not bring it back.
    """
    refresh = session.get("refresh_token", "")
    lasting = session.get("refresh_expires_in", 0)
    return [
        cookies.cookie(cookies.ACCESS, session["access_token"], session["expires_in"], secure=secure),
        cookies.cookie(cookies.REFRESH, refresh, lasting, secure=secure),
        cookies.cookie(cookies.CSRF, session["csrf_token"], lasting or session["expires_in"], secure=secure),
    ]


def login_result(session: v.Session) -> v.LoginResult:
    """The answer of a login that is complete."""
    return {"mfa_required": False, **session}  # type: ignore[typeddict-item]  # both name the same fields


def mfa_required(token: str) -> v.LoginResult:
    """The answer of a login that needs a second step."""
    return {"mfa_required": True, "mfa_token": token, "mfa_expires_in": seconds(MFA_LIFETIME)}


def jwk(key: PublicKey) -> v.Jwk:
    """A public key as the JWKS shows it."""
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, "n": key.n, "e": key.e}


def seconds(duration: timedelta) -> int:
    """Whole seconds."""
    return int(duration.total_seconds())
