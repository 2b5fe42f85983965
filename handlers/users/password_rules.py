"""What a new password must not be (decision 18; NIST SP 800-63B-4, 3.1.1.2). Pure."""

from __future__ import annotations

from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from generated.errors import ErrorRule
from handlers.platform.passwords import MAX_BYTES, encoded

COMMON_PASSWORDS: Final = frozenset(FREQUENCY_LISTS["passwords"])
SHOP_NAME: Final = "holidaypeak"
_NAME_PART: Final = 4


def password_fault(password: str, email: str, name: str) -> ErrorRule | None:
    """The rule that a new password breaks, or None (decision 18). Lengths in characters are the contract's.

    Looked at in the form that is hashed, so that a common password in full-width letters is common too.
    """
    content = encoded(password)
    if len(content) > MAX_BYTES:
        return "password_too_long"
    folded = content.decode().casefold()
    if len(set(folded)) == 1:
        return "password_repetitive"
    if email in folded or folded == email.partition("@")[0]:
        return "password_contains_email"
    if folded in COMMON_PASSWORDS:
        return "password_too_common"
    letters = _letters(folded)
    if any(part in letters for part in (SHOP_NAME, *_name_parts(name))):
        return "password_contains_name"
    return None


def _name_parts(name: str) -> list[str]:
    """What of a person's name must not be in a password: the whole, and each part that is no accident in a word."""
    folded = encoded(name).decode().casefold()
    parts = [*map(_letters, folded.split()), _letters(folded)]
    return [part for part in parts if len(part) >= _NAME_PART]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
