"""What a postal address has to be in its country."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.addresses import postal
from handlers.addresses.postal import examined, rules_of, spelled
from handlers.pricing.shipping import ShippingTable
from handlers.pricing.tax import Destination

SHIPPING = ShippingTable("USD")
BASE = {"name": "Dana Whitfield", "line1": "1 Main St", "city": "Springfield"}


def found(country: str, postal_code: str, state: str | None = None, **more: str) -> postal.Examined:
    """An address, examined."""
    address: dict[str, Any] = {**BASE, "country": country, "postal_code": postal_code, **more}
    return examined({**address, **({"state": state} if state else {})}, SHIPPING)


@pytest.mark.parametrize(
    ("country", "state", "code", "issues"),
    [
        ("US", "CA", "94102", []),
        ("US", "california", "94102", []),
        ("US", "CA", "10001", [("state", "mismatch")]),
        ("US", None, "94102", [("state", "missing")]),
        ("US", "ZZ", "94102", [("state", "unknown")]),
        ("US", "CA", "9410", [("postal_code", "format")]),
        ("US", "AE", "09001", []),
        ("CA", "Ontario", "k1a0b1", []),
        ("CA", "ON", "V6B 1A1", [("postal_code", "mismatch")]),
        ("GB", None, "sw1a1aa", []),
        ("GB", "Greater London", "SW1A 1AA", []),
        ("DE", None, "10117", []),
        ("DE", "Bayern", "1011", [("postal_code", "format")]),
        ("JP", "Tokyo", "1000001", []),
        ("XX", None, "10117", [("country", "unknown")]),
        ("ZZ", None, "10117", [("country", "unknown")]),
        ("BR", "SP", "01310-100", [("city", "unknown"), ("country", "not_served")]),
        ("HK", "Kowloon", "000", [("city", "unknown"), ("country", "not_served")]),
        ("MX", "Nirgends", "06000", [("state", "unknown")]),
    ],
)
def test_countries(country: str, state: str | None, code: str, issues: list[tuple[str, str]]) -> None:
    told = [(issue.field, issue.code) for issue in found(country, code, state).issues]
    expected = [("postal_code", what) if what == "mismatch" else (field, what) for field, what in issues]
    assert told == expected


@pytest.mark.parametrize(
    ("country", "given_code", "written"),
    [
        ("US", "941021234", "94102-1234"),
        ("US", "94102 1234", "94102-1234"),
        ("CA", "k1a-0b1", "K1A 0B1"),
        ("GB", "m25bq", "M2 5BQ"),
        ("NL", "1012ab", "1012 AB"),
        ("PL", "00950", "00-950"),
        ("JP", "1000001", "100-0001"),
        ("DE", "10 117", "10117"),
        ("SE", "114 55", "114 55"),
        ("US", "nonsense", "NONSENSE"),
        ("AE", "anything", "ANYTHING"),
    ],
)
def test_postal_codes_are_spelled_as_their_country_does(country: str, given_code: str, written: str) -> None:
    rules = rules_of(country)
    assert rules is not None
    assert spelled(given_code, rules) == written


def test_normal_form() -> None:
    result = found("US", "94102", " california ", line1="  1   Main\u2003St ", line2=" Apt 4B ", phone="+14155550132")
    assert result.address == {
        "name": "Dana Whitfield",
        "line1": "1 Main St",
        "line2": "Apt 4B",
        "city": "Springfield",
        "state": "CA",
        "postal_code": "94102",
        "country": "US",
        "phone": "+14155550132",
    }
    assert (result.errors, result.destination) == ([], Destination("US", "CA"))


@given(
    country=st.sampled_from(["US", "CA", "GB", "DE", "JP", "BR", "CN", "KR", "IE", "HK", "AE", "XX"]),
    code=st.from_regex(r"^[A-Za-z0-9][A-Za-z0-9 -]{1,11}\Z", fullmatch=True),
    state=st.none() | st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip())),
)
def test_any_address_is_examined_and_its_normal_form_is_stable(country: str, code: str, state: str | None) -> None:
    once = found(country, code, state)
    again = examined(once.address, SHIPPING)
    assert (again.address, again.issues) == (once.address, once.issues)
    assert len(once.issues) <= 20
    assert all(0 < len(issue.message) <= 200 for issue in once.issues)
