"""Writes authenticated by cookie: an allowed origin and the double-submit token (decisions 12 and 58)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
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
        by_cookie = principal.credential == "cookie"
        self.check_origin(headers, needed=by_cookie)
        if not by_cookie:
            return
        expected = self.token(principal.session_id or principal.id).encode()
        given = next((value for key, value in headers if key == HEADER), b"")
        if not hmac.compare_digest(given, expected):
            raise forbidden("The X-CSRF-Token header is missing or wrong", rule="csrf_failed")

    def check_origin(self, headers: Iterable[tuple[bytes, bytes]], *, needed: bool) -> None:
        """Raises `Problem` 403 when a browser says that another site's page asks; `needed`: also when nobody says."""
        said = {key: value for key, value in headers if key in (b"origin", b"sec-fetch-site")}
        origin, site = said.get(b"origin"), said.get(b"sec-fetch-site")
        if site == b"same-origin":
            return
        known = origin in self._origins if origin is not None else not needed and site in (None, b"none")
        if not known:
            raise forbidden("This origin may not do that", rule="origin_not_allowed")
