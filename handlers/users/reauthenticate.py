"""Asking the owner again before what a stolen access token must not do (decision 77; OWASP ASVS 5.0, 7.5.1).

The proof is a token of its own for one session and some minutes. An access token alone does not get it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.contract.call import Call
from handlers.platform.access import Principal
from handlers.platform.store.port import Document
from handlers.platform.tokens import TokenRejected
from handlers.users import credentials, store
from handlers.users.rules import Change

Json = dict[str, Any]

AUDIENCE: Final = "holiday-peak-hub-reauthentication"
LIFETIME: Final = timedelta(minutes=5)


async def reauthenticate(body: m.ReauthenticationRequest, call: Call) -> v.Reauthentication:
    """Proves the owner by password and code, or by a fresh sign-in where there is no password."""
    password = None if body.password is MISSING else body.password
    code = None if body.code is MISSING else body.code
    proof = await credentials.proven(call, password)
    user = await credentials.change_proven(call, proof, code, Change)
    principal = Principal(id=user["user_id"], session_id=call.principal.session_id, token_version=user["token_version"])
    token = call.services.tokens.issue(principal, audience=AUDIENCE, lifetime=LIFETIME)
    return {"reauthentication_token": token, "expires_in": int(LIFETIME.total_seconds())}


async def reauthenticated(call: Call, given: str | None) -> Document:
    """The caller's account, its owner asked again a moment ago.

    Raises `Problem`: 403 `reauthentication_required` without a token of this session that is still good; 401 when the
    session is over.
    """
    found = await store.signed_in_now(call)
    try:
        claims = call.services.tokens.claims(given or "", audience=AUDIENCE)
    except TokenRejected:
        raise credentials.reauthentication_required() from None
    expected = (call.principal.id, call.principal.session_id, found.data["token_version"])
    if (claims["sub"], claims.get("sid"), claims["ver"]) != expected:
        raise credentials.reauthentication_required()
    return found
