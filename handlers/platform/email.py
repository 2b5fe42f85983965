"""E-mail addresses: one form for comparing, storing and sending, so that look-alikes of an address are that address.

Compared without regard to the case of letters and to Unicode compatibility forms (NFKC); the domain in its ASCII form
(IDNA 2008, RFC 5891). Dots and tags are kept: they are different mailboxes at most providers. Local parts beyond ASCII
(RFC 6531) are refused.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from handlers.platform.errors import fault, invalid

MAX_LENGTH: Final = 254


def normalised(address: str) -> str:
    """The address in the form it is stored and compared in. Raises `ValueError` when it is none."""
    folded = unicodedata.normalize("NFKC", address)
    try:
        parts = validate_email(folded, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    result = f"{parts.local_part}@{parts.ascii_domain}".lower()
    if len(result) > MAX_LENGTH:
        raise ValueError("The address is too long")
    return result


def address_in(value: str, path: str = "/email") -> str:
    """The normalised address of a request's body. Raises `Problem` 400 at `path` when it is none."""
    try:
        return normalised(value)
    except ValueError:
        raise invalid([fault("body", path, "Input should be an e-mail address")]) from None
