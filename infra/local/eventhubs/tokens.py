"""Who may do what: tokens put to `$cbs` (AMQP claims-based security), checked as far as a key alone can tell."""

from __future__ import annotations

import base64
import hmac
import time
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, quote_plus, urlsplit

SAS = "servicebus.windows.net:sastoken"


class Refused(Exception):
    """The token is not accepted. Says why."""


@dataclass(slots=True)
class Gate:
    """What one connection may reach. `key` None: whoever knocks. `bearers`: take Entra ID tokens, unread."""

    key: str | None
    bearers: bool = True
    _hubs: set[str] = field(default_factory=set)

    def admit(self, token: str, kind: str, audience: str) -> None:
        """Takes a token for what it is meant for. Raises `Refused`."""
        if kind == SAS:
            if self.key is not None:
                check(token, self.key, audience)
        elif not self.bearers:
            raise Refused("only shared access signatures are accepted here")
        self._hubs.add(hub_in(audience))

    def lets(self, hub: str) -> bool:
        """Whether a hub may be used: the token was for it, or for the whole namespace."""
        return self.key is None or bool({hub.lower(), ""} & self._hubs)


def check(token: str, key: str, audience: str) -> None:
    """Raises `Refused` when a shared access signature was not made with the key, is over, or for something else."""
    scheme, _, query = token.partition(" ")
    parts = {name: values[0] for name, values in parse_qs(query).items()}
    resource, signature, expiry = (parts.get(name, "") for name in ("sr", "sig", "se"))
    if scheme != "SharedAccessSignature" or not expiry.isdecimal():
        raise Refused("this is no shared access signature")
    text = f"{quote_plus(resource)}\n{expiry}"
    wanted = base64.b64encode(hmac.new(key.encode(), text.encode(), sha256).digest()).decode()
    if not hmac.compare_digest(signature, wanted):
        raise Refused("the signature is invalid")
    if int(expiry) <= time.time():
        raise Refused("the token has expired")
    if hub_in(resource) not in ("", hub_in(audience)):
        raise Refused("the token is for another resource")


def hub_in(audience: str) -> str:
    """The hub of an audience such as `sb://host/hub/consumergroups/group`; empty: the namespace."""
    return urlsplit(audience).path.strip("/").partition("/")[0].lower()
