"""The authorization header: an HMAC of the request with the account's key, or a bearer token where that is allowed."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from urllib.parse import parse_qs, unquote

from infra.local.cosmos.wire import Refusal, Request

# The key every installation of Microsoft's emulator has; published, protects nothing.
WELL_KNOWN_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


def check(request: Request, key: str, *, tokens: bool) -> None:
    """Raises `Refusal` (401). `tokens`: accept Entra ID tokens, unread."""
    header = request.headers.get("authorization", "")
    given = {name: values[0] for name, values in parse_qs(unquote(header).replace("+", "%2B")).items()}
    if given.get("type") == "aad":
        if not tokens:
            raise Refusal(401, "Entra ID tokens are not accepted here")
        return
    kind, link = resource_of(request.segments)
    date = request.headers.get("x-ms-date", "")
    text = f"{request.method.lower()}\n{kind}\n{link}\n{date.lower()}\n{request.headers.get('date', '').lower()}\n"
    wanted = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), sha256).digest()).decode()
    if given.get("type") != "master" or not hmac.compare_digest(given.get("sig", ""), wanted):
        raise Refusal(401, "the input authorization token cannot serve the request")


def resource_of(segments: list[str]) -> tuple[str, str]:
    """The kind of resource and the link that are signed: a feed is signed by its owner's link."""
    if segments[:1] == ["offers"] and len(segments) == 2:
        return "offers", segments[1].lower()  # by its own id, as only offers are
    if len(segments) % 2:
        return segments[-1], "/".join(segments[:-1])
    return (segments[-2], "/".join(segments)) if segments else ("", "")
