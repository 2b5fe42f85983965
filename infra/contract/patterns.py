"""Patterns of the contract, which speaks ECMA-262, said so that Python and Rust understand the same.

What `\\s`, `\\d` and `\\w` mean depends on the language: Rust counts U+0085 as white space and Python U+001C to U+001F,
ECMA-262 neither, but U+FEFF; and both know digits and letters of other scripts.
"""

from __future__ import annotations

import re
from typing import Final

from infra.contract.bundle import ContractError

_SPACE: Final = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES: Final = {"s": _SPACE, "d": "0-9", "w": "A-Za-z0-9_"}
_PART: Final = re.compile(r"\\(?P<escape>.)|(?P<open>\[\^?)|(?P<close>\])", re.DOTALL)


def portable(pattern: str) -> str:
    """The pattern with its character classes written out. Raises `ContractError` for what cannot be."""
    inside = False

    def written_out(part: re.Match[str]) -> str:
        nonlocal inside
        if part["escape"] is None:
            inside = part["open"] is not None or (inside and part["close"] is None)
            return part[0]
        members = _CLASSES.get(part["escape"].lower())
        if members is None:
            if part["escape"] in "bB" and not inside:
                raise ContractError(f"pattern {pattern}: \\{part['escape']} means something else in other languages")
            return part[0]
        if part["escape"].islower():
            return members if inside else f"[{members}]"
        if inside:
            raise ContractError(f"pattern {pattern}: \\{part['escape']} within brackets cannot be written out")
        return f"[^{members}]"

    return _PART.sub(written_out, pattern)
