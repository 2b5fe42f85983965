"""What a mail about an account says to a mailbox that may be another person's."""

from __future__ import annotations

import pytest

from handlers.users.mails import verification


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("Dana Whitfield", "Hello Dana Whitfield,"),
        ("Dr. J. O’Neil-Núñez 2nd", "Hello Dr. J. O’Neil-Núñez 2nd,"),
        ("李小龍", "Hello 李小龍,"),
        ("win a prize at https://evil.example", "Hello,"),
        ("win a prize at evil.example", "Hello,"),
        ("write to me@evil.example", "Hello,"),
        ("call +1 5551234567", "Hello,"),
        ("Dana\u2028\u2028Your account is locked", "Hello,"),
        ("Dana\u0085Your account is locked", "Hello,"),
        ("\u202egnp.exe", "Hello,"),
    ],
)
def test_a_name_brings_no_link_and_no_line_into_a_mail(name: str, begins: str) -> None:
    mail = verification("dana@example.com", name, "https://shop.example", "vm-1")
    assert mail.text.splitlines()[0] == begins
    assert mail.text.count("://") == 1
