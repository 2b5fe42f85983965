"""Operations of signing up, in and out."""

from __future__ import annotations

import hmac

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.auth import mfa, rules, signin, social
from handlers.auth.devices import known_device
from handlers.auth.manage_sessions import get_sessions, revoke_other_sessions, revoke_session
from handlers.auth.sessions import RefreshReused, Sessions
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform import cookies
from handlers.platform.attempts import forgive_sign_in, may_mail, sign_in_attempt
from handlers.platform.email import address_in
from handlers.platform.errors import Problem, fault, forbidden, invalid, unauthorized
from handlers.platform.ids import new_id
from handlers.users import proofs, store
from handlers.users.credentials import check_new_password, renew_hash
from handlers.users.end_session import end_session
from handlers.users.rules import new_user, two_factor_on, user_view
from handlers.users.session_index import remove_sessions

__all__ = ["get_sessions", "revoke_other_sessions", "revoke_session"]


async def signup(body: m.SignupRequest, call: Call) -> Reply[v.User]:
    """Creates a customer account; its event has the verification mail sent. Signs nobody in."""
    services = call.services
    email = address_in(body.email)
    check_new_password(body.password, email, body.name)
    user = new_user(
        new_id("user"),
        email=email,
        name=body.name,
        password_hash=await services.passwords.hash(body.password),
        newsletter_opt_in=body.newsletter_opt_in,
        currency=services.settings.shop_currency,
        now=services.clock.now(),
    )
    await proofs.prepare_verification(services, user)
    document = await store.create(call, user)
    return Reply(user_view(document.data), etag=document.etag)


async def verify_email(body: m.VerifyEmailRequest, call: Call) -> v.VerifiedEmail:
    """Marks an address as its owner's, by the token that was sent to it."""
    verified = await proofs.verify(call, body.token)
    return {"email": verified.data["email"], "email_verified": True}


async def resend_verification(body: m.ResendVerificationRequest, call: Call) -> v.Accepted:
    """Sends another verification mail where there is something to verify. The answer comes before the work (53)."""
    email = address_in(body.email)
    call.services.background.spawn(_resend(call, email), "resend verification")
    return rules.ACCEPTED


async def _resend(call: Call, email: str) -> None:
    if not await may_mail(call.services.limits, email):
        return
    found = await store.by_email(call.services.store, email)
    if found is None or found.data["email_verified"]:
        return
    await proofs.request_link(call, "verify", found)


async def login(body: m.LoginRequest, call: Call) -> v.LoginResult | Reply[v.LoginResult]:
    """Signs in with address and password. An unknown address costs the same reads and the same hash (53)."""
    services = call.services
    email = address_in(body.email)
    device = known_device(services, call.session_cookie(cookies.DEVICE), email, services.clock.now())
    try:
        await sign_in_attempt(services.limits, call.request.address, email, device)
    except Problem:
        call.security_event("sign_in", "failure", principal=email, reason="too_many_attempts")
        raise
    found = await store.by_email(services.store, email)
    hashed = found.data["password_hash"] if found is not None else None
    right = await services.passwords.matches(body.password, hashed)
    if found is None or not right:
        tried = found.data["user_id"] if found is not None else email
        call.security_event("sign_in", "failure", principal=tried, reason="invalid_credentials")
        raise unauthorized("E-mail address or password is wrong", rule="invalid_credentials")
    if services.passwords.outdated(found.data["password_hash"]):
        services.background.spawn(renew_hash(call, found, body.password), "renew hash")
    if two_factor_on(found.data):
        return rules.mfa_required(mfa.challenge(services, found.data))
    session = await signin.begin(call, found.data)
    await forgive_sign_in(services.limits, call.request.address, email, device)
    return signin.with_cookies(call, session, rules.login_result(session))


async def complete_mfa_login(body: m.MfaLoginRequest, call: Call) -> Reply[v.Session]:
    """Completes a login with a code of the app or a recovery code."""
    found = await mfa.answered(call, body.mfa_token, body.code)
    session = await signin.begin(call, found.data)
    await forgive_sign_in(call.services.limits, call.request.address, found.data["email"])
    return signin.with_cookies(call, session, session)


async def forgot_password(body: m.ForgotPasswordRequest, call: Call) -> v.Accepted:
    """Sends a reset mail where there is an account. The answer comes before the work (decision 53)."""
    email = address_in(body.email)
    call.services.background.spawn(_forgot(call, email), "forgot password")
    return rules.ACCEPTED


async def _forgot(call: Call, email: str) -> None:
    services = call.services
    if not await may_mail(services.limits, email):
        return
    found = await store.by_email(services.store, email)
    if found is None:
        return
    await proofs.request_link(call, "reset", found)


async def reset_password(body: m.ResetPasswordRequest, call: Call) -> v.VerifiedEmail:
    """Sets a password by a mailed token; ends every session and proves the address."""
    user = await proofs.reset(call, body.token, body.new_password)
    await forgive_sign_in(call.services.limits, call.request.address, user["email"])
    return {"email": user["email"], "email_verified": True}


async def undo_email_change(body: m.UndoEmailChangeRequest, call: Call) -> v.VerifiedEmail:
    """Gives an account the address back that a change took away; ends every session."""
    user = await proofs.undo_email_change(call, body.token)
    return {"email": user["email"], "email_verified": True}


async def create_social_nonce(params: p.CreateSocialNonceParameters, call: Call) -> v.SocialNonce:
    """Issues the nonce of one sign-in at a provider."""
    nonce = await social.new_nonce(call.services, params.provider)
    return {"nonce": nonce, "expires_in": rules.seconds(social.NONCE_LIFETIME)}


async def social_login(params: p.SocialLoginParameters, body: m.SocialLoginRequest, call: Call) -> Reply[v.Session]:
    """Signs in with a provider's ID token; makes the account at the first time."""
    if body.provider is not MISSING and body.provider != params.provider:
        raise invalid([fault("body", "/provider", "Input should be the provider of the path")])
    nonce = None if body.nonce is MISSING else body.nonce
    identity = await social.identity_of(call, params.provider, body.token, nonce)
    session = await signin.begin(call, await social.account_of(call, identity))
    return signin.with_cookies(call, session, session)


async def refresh_session(body: m.RefreshRequest | None, call: Call) -> Reply[v.Session]:
    """Goes on with a session: a new access token, and the refresh token's successor (decisions 20 and 57)."""
    services, sessions = call.services, Sessions.of(call.services)
    presented = _presented(body, call)
    if presented is None:
        raise unauthorized("No refresh token", rule="token_invalid")
    try:
        refresh = await sessions.rotate(presented, services.clock.now())
    except RefreshReused as reused:
        call.security_event("refresh_token_reused", "failure", principal=reused.user_id, reason="token_reused")
        await end_session(call, reused.user_id, reused.family)
        raise unauthorized("The refresh token was used before; the session is over", rule="token_reused") from None
    found = await store.read(services.store, refresh.user_id)
    if found is None or found.data["token_version"] != refresh.version:
        await sessions.end_family(refresh.family)
        raise unauthorized("The session is over", rule="token_invalid")
    await signin.keep_in_list(call, refresh)
    session = signin.session_of(services, found.data, refresh)
    shown = session
    if body is None or body.refresh_token is MISSING:
        # Who came by cookie goes on by cookie: scripts of the page never see the token.
        shown = session.copy()
        del shown["refresh_token"]
    return signin.with_cookies(call, session, shown)


async def logout(body: m.LogoutRequest | None, call: Call) -> Reply[None]:
    """Ends the session of a refresh token and clears the cookies; needs no valid access token."""
    presented = _presented(body, call)
    if presented is not None:
        services, sessions = call.services, Sessions.of(call.services)
        owner = await sessions.owner_of(presented)
        if owner is not None:
            # The access tokens first: a crash in between leaves a session that can be logged out again.
            await end_session(call, *owner)
            await sessions.end_family(owner[1])
            await remove_sessions(services.cache, owner[0], [owner[1]])
    return Reply(None, headers=cookies.cleared(secure=call.services.settings.in_production))


async def create_guest_session(call: Call) -> Reply[v.Session]:
    """Starts a session without an account."""
    session = signin.guest(call.services)
    return signin.with_cookies(call, session, session)


async def get_jwks(call: Call) -> v.JwkSet:
    """Public keys of the access tokens."""
    return {"keys": [rules.jwk(key) for key in call.services.tokens.keys.public]}


def _presented(body: m.RefreshRequest | m.LogoutRequest | None, call: Call) -> str | None:
    if body is not None and body.refresh_token is not MISSING:
        return body.refresh_token
    token = call.session_cookie(cookies.REFRESH)
    if token is not None:
        # The browser sends it by itself: it has to say that one of our pages asks (decision 12).
        call.services.csrf.check_origin(call.headers, needed=True)
        if call.services.settings.in_production:
            _check_cookies_are_of_one_session(call, token)
    return token


def _check_cookies_are_of_one_session(call: Call, token: str) -> None:
    """Raises `Problem` 403 when a refresh cookie comes without the CSRF cookie of its session.

    Another host of the domain can set the one (its path is not `/`), but not the other (`__Host-`).
    """
    family = Sessions.of(call.services).family_of(token)
    expected = call.services.csrf.token(family) if family is not None else ""
    given = call.session_cookie(cookies.CSRF) or ""
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise forbidden("The cookies are not of one session", rule="csrf_failed")
