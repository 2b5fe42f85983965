"""Texts compared and turned into names for URLs."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_SLUG: Final = 100
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """The text without letter case and accents, for comparing."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def slug_of(text: str, otherwise: str) -> str:
    """A slug for a name; `otherwise` (ASCII) where nothing of it can stand in one."""
    slug = _NO_SLUG.sub("-", folded(text)).strip("-")[:MAX_SLUG].strip("-")
    return slug or _NO_SLUG.sub("-", otherwise.lower()).strip("-")
