"""The caller's sessions: listed, and ended one by one or all but this one."""

from __future__ import annotations

from datetime import UTC, datetime

from generated import params as p
from generated import views as v
from handlers.auth.sessions import Sessions
from handlers.contract.call import Call
from handlers.platform.clock import timestamp
from handlers.platform.errors import not_found
from handlers.users import store
from handlers.users.end_session import end_session
from handlers.users.session_index import Session, remove_sessions, sessions_of


async def get_sessions(call: Call) -> v.UserSessionList:
    """Where the account is signed in, the session used last first."""
    return {"items": [_view(session, call) for session in (await _alive(call))[:100]]}


async def revoke_session(params: p.RevokeSessionParameters, call: Call) -> None:
    """Ends a session of the caller's account."""
    if params.session_id not in {session.session_id for session in await _alive(call)}:
        raise not_found("Session", session_id=params.session_id)
    await _end(call, params.session_id)


async def revoke_other_sessions(call: Call) -> None:
    """Ends every session of the caller's account but this one."""
    for session in await _alive(call):
        if session.session_id != call.principal.session_id:
            await _end(call, session.session_id)


async def _alive(call: Call) -> list[Session]:
    services, user_id = call.services, call.principal.id
    version = (await store.signed_in(call)).data["token_version"]
    now = services.clock.now().timestamp()
    known = await sessions_of(services.cache, user_id)
    over = [one.session_id for one in known if one.expires_at <= now or one.version != version]
    await remove_sessions(services.cache, user_id, over)
    return [one for one in known if one.session_id not in over]


async def _end(call: Call, session_id: str) -> None:
    # The access tokens first: a crash in between leaves a session that is listed still, and can be ended again.
    await end_session(call, call.principal.id, session_id)
    await Sessions.of(call.services).end_family(session_id)
    await remove_sessions(call.services.cache, call.principal.id, [session_id])
    call.security_event("session_revoked")


def _view(session: Session, call: Call) -> v.UserSession:
    return {
        "session_id": session.session_id,
        "current": session.session_id == call.principal.session_id,
        "device": session.device,
        "network": session.network,
        "started_at": _moment(session.started_at),
        "last_used_at": _moment(session.last_used_at),
        "expires_at": _moment(session.expires_at),
    }


def _moment(seconds: int) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
