"""Security events: what an operator has to see of sign-ins, factors, rights and forgeries (OWASP ASVS 5.0, V16.3).

They are lines of the log with a schema of their own, `SCHEMA`, and go out whatever LOG_LEVEL says:

    schema, event, outcome, principal, network, operation_id, request_id, reason

`principal` and `network` are pseudonyms: the same person or network is the same text, in every process of this
deployment, and leads back to neither without the key. No address, token, code or password is ever among the fields.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Final, Literal, Protocol

from handlers.platform.limits import network
from handlers.platform.request import RequestInfo

SCHEMA: Final = "hph.security/1"
Outcome = Literal["success", "failure"]
SecurityEvent = Literal[
    "sign_in",
    "second_factor",
    "reauthentication",
    "refresh_token_reused",
    "session_revoked",
    "password_changed",
    "email_change_requested",
    "email_changed",
    "email_change_undone",
    "two_factor_on",
    "two_factor_off",
    "recovery_codes_renewed",
    "role_changed",
    "account_deleted",
    "access_refused",
    "webhook_refused",
]

log = logging.getLogger("security")
log.setLevel(logging.INFO)


class _Settings(Protocol):
    def derived_key(self, purpose: str) -> bytes: ...


class _Services(Protocol):
    @property
    def settings(self) -> _Settings: ...


class SecurityEvents:
    """Writes the events of one process: `services.room(SecurityEvents)`."""

    def __init__(self, services: _Services) -> None:
        self._key = services.settings.derived_key("security-events")

    def record(
        self, event: SecurityEvent, outcome: Outcome, request: RequestInfo, principal: str, reason: str = ""
    ) -> None:
        """Writes one event. `principal`: the account's id, or the address tried where there is none; "" for nobody.

        `reason`: a rule of the contract, such as `invalid_credentials`; never a text with values.
        """
        log.info(
            event,
            extra={
                "schema": SCHEMA,
                "event": event,
                "outcome": outcome,
                "principal": self.pseudonym("principal", principal),
                "network": self.pseudonym("network", network(request.address)),
                "operation_id": request.operation_id,
                "request_id": request.request_id,
                "reason": reason,
            },
        )

    def pseudonym(self, kind: Literal["principal", "network"], value: str) -> str:
        """What stands for a person or a network in the log; empty for nobody."""
        return hmac.new(self._key, f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:20] if value else ""
