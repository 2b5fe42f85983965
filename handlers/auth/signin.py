"""What every way to sign in ends with: a session, its tokens, its cookies."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from generated import views as v
from handlers.auth import devices, rules
from handlers.auth.sessions import RefreshToken, Sessions
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.contract.services import Services
from handlers.platform import cookies
from handlers.platform.access import GUEST
from handlers.platform.clock import timestamp
from handlers.platform.errors import unauthorized
from handlers.platform.limits import network
from handlers.users import store
from handlers.users.session_index import Session, device_of, note_session

T = TypeVar("T")


async def begin(call: Call, user: rules.Json) -> v.Session:
    """A new session of a user who has proven to be one; notes the login.

    Raises `Problem` 503 while sessions cannot be kept, 401 when the account is gone by now.
    """
    services, now = call.services, call.services.clock.now()
    refresh = await Sessions.of(services).begin(user["user_id"], user["token_version"], now)
    current = await store.note_login(services, user["user_id"], timestamp(now))
    if current is None:
        raise unauthorized("This account is gone", rule="invalid_credentials")
    await keep_in_list(call, refresh)
    call.security_event("sign_in", principal=user["user_id"])
    return session_of(services, current.data, refresh)


async def keep_in_list(call: Call, refresh: RefreshToken) -> None:
    """Notes a session, as this request shows it, in the list that its user sees; ends those that are too many."""
    services = call.services
    session = Session(
        session_id=refresh.family,
        version=refresh.version,
        device=device_of(call.header(b"user-agent")),
        network=network(call.request.address),
        started_at=refresh.started_at,
        last_used_at=int(services.clock.now().timestamp()),
        expires_at=refresh.expires_at,
    )
    for family in await note_session(services.cache, refresh.user_id, session):
        await Sessions.of(services).end_family(family)


def session_of(services: Services, user: rules.Json, refresh: RefreshToken) -> v.Session:
    """The tokens of a user in a session."""
    principal = rules.principal_of(
        user, refresh.family, refresh.started_at, second_factor=services.settings.staff_second_factor
    )
    session = rules.user_session(
        user,
        access_token=services.tokens.issue(principal),
        refresh_token=refresh.text,
        csrf_token=services.csrf.token(refresh.family),
        lifetime=services.tokens.lifetime,
        refresh_lifetime=timedelta(seconds=refresh.expires_at - int(services.clock.now().timestamp())),
    )
    if principal.enrolment_required:
        session["mfa_enrolment_required"] = True
    return session


def guest(services: Services) -> v.Session:
    """A guest's session: a token of 14 days, nothing kept (decisions 14 and 56)."""
    session_id = f"{GUEST}{uuid4()}"
    token = services.tokens.issue(rules.guest_principal(session_id), lifetime=rules.GUEST_LIFETIME)
    return rules.guest_session(session_id, token, services.csrf.token(session_id))


def with_cookies(call: Call, session: v.Session, body: T) -> Reply[T]:
    """The answer `body` with the session's cookies; the device of a user is known from now on."""
    services = call.services
    secure = services.settings.in_production
    headers = rules.session_cookies(session, secure=secure)
    if "user" in session:
        email, now = session["user"]["email"], services.clock.now()
        known = devices.known_device(services, call.session_cookie(cookies.DEVICE), email, now)
        token = devices.device_token(services, email, now, device=known)
        headers.append(cookies.cookie(cookies.DEVICE, token, rules.seconds(devices.LIFETIME), secure=secure))
    return Reply(body, headers=headers)
