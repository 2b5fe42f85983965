"""The table of rules: a name, what it holds, and the function that finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.contract.lint.contract import ENTRY, Contract

Found = Iterator[tuple[str, str]]
Check = Callable[[Contract], Found]


@dataclass(frozen=True, order=True)
class Finding:
    """One breach of a rule: the file, the rule, what and where."""

    place: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Rule:
    """A named check. `needs_bundle` rules are left out while the documents do not bundle."""

    name: str
    holds: str
    check: Check
    needs_bundle: bool


RULES: dict[str, Rule] = {}


def rule(name: str, needs_bundle: bool = True) -> Callable[[Check], Check]:
    """Registers a check under a name; its docstring is the rule in words."""

    def register(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"two rules are named {name}")
        RULES[name] = Rule(name, (check.__doc__ or "").strip(), check, needs_bundle)
        return check

    return register


def findings(contract: Contract) -> list[Finding]:
    """Every breach of every rule, in order of file and rule."""
    entries = [entry for entry in RULES.values() if contract.bundled or not entry.needs_bundle]
    return sorted(
        {Finding(place, entry.name, message) for entry in entries for place, message in _found(entry, contract)}
    )


def _found(entry: Rule, contract: Contract) -> list[tuple[str, str]]:
    """What a rule finds. A document that it cannot get through is a finding too, so that the others still report."""
    try:
        return list(entry.check(contract))
    except Exception as error:
        return [(ENTRY, f"cannot be checked: {error!r}")]
