"""The session cookies (decisions 12, 58): `Secure` in production, `SameSite=Lax`, refresh on `/api/auth` only.

In production their names carry a prefix that browsers hold to (RFC 6265bis, 4.1.3): `__Host-` where the path is `/`,
so that no other host of the domain can set one, and `__Secure-` where the path is narrower. What a refresh token in a
cookie lacks by that, the CSRF cookie has: in production both must be of one session (`handlers/auth`).
"""

from __future__ import annotations

from typing import Final

Header = tuple[bytes, bytes]

ACCESS: Final = "hph_access"
REFRESH: Final = "hph_refresh"
CSRF: Final = "hph_csrf"
DEVICE: Final = "hph_device"
STATE: Final = "hph_state"
_PATHS: Final = {ACCESS: "/", REFRESH: "/api/auth", CSRF: "/", DEVICE: "/api/auth", STATE: "/"}
_OF_A_SESSION: Final = (ACCESS, REFRESH, CSRF)


def cookie_name(name: str, *, secure: bool) -> str:
    """The name under which a cookie is set and read."""
    if not secure:
        return name
    return f"__Host-{name}" if _PATHS[name] == "/" else f"__Secure-{name}"


def cookie(name: str, value: str, max_age: int, *, secure: bool) -> Header:
    """One `Set-Cookie` header. Scripts may read the CSRF token's cookie only. `max_age` in seconds; 0 clears."""
    whole = cookie_name(name, secure=secure)
    parts = [f"{whole}={value}", f"Path={_PATHS[name]}", f"Max-Age={max_age}", "SameSite=Lax"]
    if name != CSRF:
        parts.append("HttpOnly")
    if secure:
        parts.append("Secure")
    return b"set-cookie", "; ".join(parts).encode("ascii")


def cleared(*, secure: bool) -> list[Header]:
    """The headers that remove all session cookies. That a device is known outlasts its sessions."""
    return [cookie(name, "", 0, secure=secure) for name in _OF_A_SESSION]
