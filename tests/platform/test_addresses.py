"""Whose address a request comes from, lies included."""

from __future__ import annotations

import pytest

from handlers.platform.addresses import TrustedProxies, parse_address

PROXIES = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.9", b"1.2.3.4", "198.51.100.9"),
        ("10.0.0.1", b"1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", b"6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", b"6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", b"10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", b"1.2.3.4:5678", "1.2.3.4"),
        ("10.0.0.1", b"[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", b"2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", b"::ffff:1.2.3.4", "1.2.3.4"),
        ("::ffff:10.0.0.1", b"1.2.3.4", "1.2.3.4"),
        ("2001:db8:ffff::1", b"1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", b"1.2.3.4, unknown", "10.0.0.1"),
        ("10.0.0.1", b"1.2.3.4, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"\xff\xfe", "10.0.0.1"),
        ("", b"1.2.3.4", ""),
    ],
)
def test_the_rightmost_untrusted(peer: str, forwarded: bytes, client: str) -> None:
    assert PROXIES.client(peer, forwarded) == client


def test_without_proxies_headers_say_nothing() -> None:
    assert TrustedProxies().client("10.0.0.1", b"1.2.3.4") == "10.0.0.1"
    assert not TrustedProxies()


@pytest.mark.parametrize("text", ["", "unknown", "1.2.3", "999.1.1.1", "[1.2.3.4", "a:b:c", "_hidden"])
def test_what_is_no_address(text: str) -> None:
    parsed = parse_address(text)
    assert parsed is None or str(parsed) == text.strip("[")
