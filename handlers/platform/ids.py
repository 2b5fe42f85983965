"""Identifiers: a prefix that says what it names, then time and chance: they sort by age and cannot be guessed."""

from __future__ import annotations

import secrets
import time


def new_id(prefix: str) -> str:
    """A new identifier such as `order-0199c1f2a3b45d6e7f8091a2b3c4`: milliseconds, then 64 random bits, in hex."""
    return f"{prefix}-{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
