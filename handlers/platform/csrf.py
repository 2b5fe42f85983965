"""Writes authenticated by cookie: an allowed origin and the double-submit token (decisions 12 and 58)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from typing import Final

from handlers.platform.access import Principal
from handlers.platform.errors import forbidden

HEADER: Final = b"x-csrf-token"


class CsrfGuard:
    """Decides whether a browser's write was meant by our own pages."""

    def __init__(self, key: bytes, origins: Collection[str]) -> None:
        self._key = key
        self._origins = frozenset(origin.encode("ascii") for origin in origins)

    def token(self, session_id: str) -> str:
        """The token of a session, for the JSON of login, refresh and guest."""
        return hmac.new(self._key, b"csrf|" + session_id.encode(), hashlib.sha256).hexdigest()[:40]

    def check(self, principal: Principal, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Raises `Problem` 403 when the origin is foreign, or the caller's cookie comes without its token."""
        found = {key: value for key, value in headers if key in (b"origin", b"sec-fetch-site", b"host", HEADER)}
        by_cookie = principal.credential == "cookie"
        if not self._known_origin(found, needed=by_cookie):
            raise forbidden("This origin may not do that", rule="origin_not_allowed")
        if not by_cookie:
            return
        expected = self.token(principal.session_id or principal.id).encode()
        if not hmac.compare_digest(found.get(HEADER, b""), expected):
            raise forbidden("The X-CSRF-Token header is missing or wrong", rule="csrf_failed")

    def _known_origin(self, found: dict[bytes, bytes], *, needed: bool) -> bool:
        origin = found.get(b"origin")
        if found.get(b"sec-fetch-site") == b"same-origin":
            return True
        if origin is None:
            return not needed
        return origin in self._origins
