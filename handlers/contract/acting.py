"""Who does something by a call, for audit entries."""

from __future__ import annotations

from handlers.contract.call import Call
from handlers.platform.audit import Actor


def actor_of(call: Call) -> Actor:
    """The caller of an operation, with what is known of the request."""
    principal = call.principal
    return Actor(
        type=principal.role,
        id=principal.id or None,
        email=principal.email,
        request_id=call.request_id,
        ip_address=call.request.address or None,
        user_agent=call.header(b"user-agent"),
        session_id=principal.session_id,
    )
