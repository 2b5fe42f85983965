"""Breaks on purpose: `released/breaks.txt` lists each change since the last release that breaks callers.

A paragraph is a reason, flush left, and below it, indented, the breaks as `python -m infra.contract.diff` prints them:

    Why callers have to change, and what they do instead.
      POST /api/users/me/2fa/disable: the request property code became required [request-property-became-required]

What breaks callers without a difference between the documents ends in `[behaviour]` and is taken at its word.
A break needs both, a new major number in `info.version` and its line here. A line that is no break (any more) is also
refused, so that the list can be published as the changelog of the release.
"""

from __future__ import annotations


def read_breaks(text: str) -> dict[str, str]:
    """Break to reason.

    Raises `ValueError` that names the line: a break without a reason, a reason without a break, a break listed twice.
    """
    found: dict[str, str] = {}
    reason, used, number = "", True, 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            continue
        if not line:
            reason = _ended(reason, used, number)
            continue
        if raw[0].isspace():
            if not reason:
                raise ValueError(f"breaks.txt:{number}: no reason above this break")
            if line in found:
                raise ValueError(f"breaks.txt:{number}: listed twice")
            found[line] = reason
            used = True
            continue
        reason = f"{_ended(reason, used, number) if used else reason} {line}".strip()
        used = False
    _ended(reason, used, number)
    return found


def _ended(reason: str, used: bool, number: int) -> str:
    """The reason to begin with after a paragraph; a paragraph without breaks is refused."""
    if reason and not used:
        raise ValueError(f"breaks.txt:{number}: a reason without a break below it")
    return ""
