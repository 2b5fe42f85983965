"""Rules of accounts, without the application."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generated import models as m
from handlers.platform.passwords import encoded
from handlers.users import email_change_rules as changes
from handlers.users import factors, password_rules, rules

NOW = datetime(2026, 1, 25, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def user(**more: Any) -> rules.Json:
    made = rules.new_user("user-1", email="dana@example.com", name="Dana", now=NOW, currency="USD", password_hash="h")
    return {**made, **more}


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Mountain-Rail#42", None),
        ("SecurePassword123!", None),
        ("HolidayPeak!2026", "password_contains_name"),
        ("holiday-PEAK-hub-9", "password_contains_name"),
        ("its-dana-again", "password_contains_name"),
        ("xWhitfield77", "password_contains_name"),
        ("d.a.n.a.whitfield", "password_contains_name"),
        ("%%%%%%%%", "password_repetitive"),
        ("ZzZzZzZz", "password_repetitive"),
        ("ab" * 36, None),
        ("ab" * 37, "password_too_long"),
        ("é" * 35 + "zz", None),
        ("é" * 37, "password_too_long"),
        ("ﷺ" * 8, "password_too_long"),
        ("my-DANA@example.com", "password_contains_email"),
        ("iloveyou", "password_too_common"),
        ("IloveYou", "password_too_common"),
        ("ｉｌｏｖｅｙｏｕ", "password_too_common"),
        ("my-ＤＡＮＡ＠example.com", "password_contains_email"),
    ],
)
def test_password_rules(password: str, rule: str | None) -> None:
    assert password_rules.password_fault(password, "dana@example.com", "Dana Whitfield") == rule


def test_the_local_part_alone_is_no_password() -> None:
    assert (
        password_rules.password_fault("dana.whitfield", "dana.whitfield@example.com", "D") == "password_contains_email"
    )
    assert password_rules.password_fault("dana.whitfield-is-me", "dana.whitfield@example.com", "D") is None


@given(st.text(min_size=8, max_size=72))
def test_what_is_accepted_can_be_hashed(password: str) -> None:
    try:
        fault = password_rules.password_fault(password, "dana@example.com", "Dana")
    except UnicodeEncodeError:
        return  # a lone surrogate: no JSON body can hold one
    if fault is None:
        assert len(encoded(password)) <= 72


def test_updates_leave_what_they_do_not_name() -> None:
    before = user(phone="+14155550132")
    change = rules.updated(before, m.UserUpdate(name="D", phone=None), LATER)
    assert change.fields == ("name", "phone")
    assert (change.user["name"], change.user["phone"]) == ("D", None)
    assert before["name"] == "Dana"
    same = rules.updated(before, m.UserUpdate(name="Dana", phone="+14155550132", newsletter_opt_in=False), LATER)
    assert same.fields == ()
    profile = m.UserUpdate(avatar_url="https://x.example/a", date_of_birth=date(1990, 5, 15), newsletter_opt_in=True)
    assert rules.updated(before, profile, LATER).fields == ("newsletter_opt_in", "profile")
    cleared = rules.updated(before, m.UserUpdate(avatar_url=None, date_of_birth=None), LATER)
    assert cleared.fields == ()


def test_birth_dates() -> None:
    today = date(2026, 1, 25)
    assert rules.birth_date_fault(None, today) is None
    assert rules.birth_date_fault(date(2026, 1, 24), today) is None
    assert rules.birth_date_fault(today, today) == "date_of_birth_invalid"


def test_preferences_merge() -> None:
    body = m.PreferencesUpdate(
        language="de", currency="EUR", notifications=m.NotificationPreferencesUpdate(sms_shipping=True)
    )
    change = rules.with_preferences(user(), body, LATER)
    assert change.fields == ("preferences",)
    preferences = rules.preferences_view(change.user)
    assert preferences == {
        "language": "de",
        "currency": "EUR",
        "notifications": {"email_marketing": False, "email_orders": True, "sms_shipping": True},
    }
    assert rules.with_preferences(user(), m.PreferencesUpdate(language="en"), LATER).fields == ()


def test_tokens_of_mails_have_force_once_and_one_at_a_time() -> None:
    first = rules.with_mail_token(user(), "verify", "one").user
    second = rules.with_mail_token(first, "verify", "two").user
    assert rules.with_verified_email(second, "one", LATER) is None
    verified = rules.with_verified_email(second, "two", LATER)
    assert verified is not None
    assert rules.with_verified_email(verified.user, "two", LATER) is None
    waiting = rules.with_mail_token(verified.user, "reset", "three").user
    assert rules.with_reset_password(waiting, "two", "h2", LATER) is None
    reset = rules.with_reset_password(waiting, "three", "h2", LATER)
    assert reset is not None
    assert reset.fields == ("password",)
    assert (reset.user["password_hash"], reset.user["token_version"]) == ("h2", 1)
    unproven = rules.with_reset_password(rules.with_mail_token(user(), "reset", "r").user, "r", "h2", LATER)
    assert unproven is not None
    assert unproven.fields == ("password", "email_verified")


def test_another_address_takes_all_force_from_links_and_sessions() -> None:
    before = user(email_verified=True, reset_token="r", verify_token="w")
    waiting = changes.requested(before, "new@example.com", verify_token="v", undo_token="u", now=LATER)
    assert waiting is not None
    assert (waiting.user["email"], waiting.user["token_version"], waiting.fields) == ("dana@example.com", 0, ())
    assert changes.proven(waiting.user, "w", LATER) is None
    change = changes.proven(waiting.user, "v", LATER)
    assert change is not None
    after = change.user
    assert change.fields == ("email",)
    assert (after["email"], after["email_verified"], after["verify_token"]) == ("new@example.com", True, None)
    assert (after["reset_token"], after["token_version"], after["pending_email"]) == (None, 1, None)
    assert changes.holds_address(after, "dana@example.com", LATER)
    assert not changes.holds_address(after, "dana@example.com", LATER + changes.UNDO)
    unproven = changes.requested(user(), "new@example.com", verify_token="v", undo_token="u", now=LATER)
    assert unproven is not None
    first = changes.proven(unproven.user, "v", LATER)
    assert first is not None
    assert first.fields == ("email", "email_verified")


def test_undoing_one_change_undoes_the_later_ones() -> None:
    state = user(email_verified=True)
    for number in range(3):
        asked = changes.requested(state, f"n{number}@example.com", verify_token="v", undo_token=f"u{number}", now=LATER)
        assert asked is not None
        done = changes.proven(asked.user, "v", LATER)
        assert done is not None
        state = done.user
    assert changes.undone(state, "u1", LATER + changes.UNDO) is None
    back = changes.undone(state, "u1", LATER)
    assert back is not None
    assert (back.user["email"], back.user["password_hash"]) == ("n0@example.com", None)
    assert back.fields == ("password", "email")
    assert changes.undone(back.user, "u2", LATER) is None
    assert changes.undone(back.user, "u1", LATER) is None
    first = changes.undone(back.user, "u0", LATER)
    assert first is not None
    assert (first.user["email"], first.user["token_version"]) == ("dana@example.com", 5)
    unproven = changes.requested(user(password_hash=None), "n@example.com", verify_token="v", undo_token="u", now=LATER)
    assert unproven is not None
    undone = changes.undone(unproven.user, "u", LATER)
    assert undone is not None
    assert undone.fields == ("email_verified",)


def test_an_address_is_not_changed_without_end() -> None:
    state = user()
    for number in range(changes.MAX_CHANGES):
        asked = changes.requested(state, "n@example.com", verify_token="v", undo_token=f"u{number}", now=LATER)
        assert asked is not None
        state = asked.user
    assert changes.requested(state, "n@example.com", verify_token="v", undo_token="u", now=LATER) is None
    assert changes.requested(state, "n@example.com", verify_token="v", undo_token="u", now=LATER + changes.UNDO)
    assert changes.called_off(state, LATER).user["pending_email"] is None
    del state["pending_email"], state["email_changes"]
    assert changes.pending_address(state, "v") is None
    assert changes.undoable(state, LATER) == []


@pytest.mark.parametrize(
    ("points", "tier", "following", "missing"),
    [
        (0, "bronze", "silver", 500),
        (499, "bronze", "silver", 1),
        (500, "silver", "gold", 500),
        (1_000, "gold", "platinum", 4_000),
        (4_999, "gold", "platinum", 1),
        (5_000, "platinum", None, None),
    ],
)
def test_tiers(points: int, tier: str, following: str | None, missing: int | None) -> None:
    view = rules.rewards_view(user(rewards={"points": points, "lifetime_spend": 131_240, "currency": "USD"}))
    assert (view["tier"], view.get("next_tier"), view.get("points_to_next_tier")) == (tier, following, missing)
    assert view["lifetime_spend"] == 1312.4


def test_a_view_shows_what_the_contract_names_and_nothing_else() -> None:
    view = rules.user_view(user(password_hash="secret-hash", verify_token="secret-token", identities=["google|x|y"]))
    assert "secret" not in str(view)
    assert "google" not in str(view)


# --- the second factor ----------------------------------------------------------------------------------------------

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_steps_are_taken_once_and_forward_only() -> None:
    step = int(NOW.timestamp()) // 30
    totp = pyotp.TOTP(SECRET)
    assert factors.matching_step(SECRET, totp.at(NOW), NOW, 0) == step
    assert factors.matching_step(SECRET, totp.at(NOW), NOW, step) is None
    assert factors.matching_step(SECRET, totp.at(NOW - timedelta(seconds=30)), NOW, 0) == step - 1
    assert factors.matching_step(SECRET, totp.at(NOW - timedelta(seconds=30)), NOW, step - 1) is None
    assert factors.matching_step(SECRET, totp.at(NOW + timedelta(seconds=60)), NOW, 0) is None


@given(st.integers(min_value=0, max_value=10**10), st.integers(min_value=-3, max_value=3))
def test_no_code_is_accepted_twice(seconds: int, drift: int) -> None:
    now = datetime.fromtimestamp(seconds + 1000, UTC)
    code = pyotp.TOTP(SECRET).at(now + timedelta(seconds=30 * drift))
    step = factors.matching_step(SECRET, code, now, 0)
    if step is not None:
        assert factors.matching_step(SECRET, code, now + timedelta(seconds=30), step) in (None, step + 1, step + 2)
        assert (
            factors.matching_step(SECRET, code, now, step) is None or pyotp.TOTP(SECRET).generate_otp(step + 1) == code
        )


def test_recovery_codes_are_replaced_where_a_second_factor_is_on() -> None:
    assert factors.with_recovery_codes(user(), ["x"], LATER) is None
    on = user(two_factor={"state": "on", "secret": "s", "last_step": 0, "recovery_codes": ["a"]})
    renewed = factors.with_recovery_codes(on, ["x"], LATER)
    assert renewed is not None
    assert renewed.user["two_factor"]["recovery_codes"] == ["x"]


def test_the_life_of_a_second_factor() -> None:
    started = factors.started(user(), "sealed", LATER)
    assert started is not None
    assert rules.two_factor_on(started.user) is False
    on = factors.switched_on(started.user, 7, ["a", "b"], LATER)
    assert rules.two_factor_on(on.user) is True
    assert factors.started(on.user, "other", LATER) is None
    assert factors.with_code_used(on.user, SECRET, "AAAAA-AAAAA", "c", NOW) is None
    used = factors.with_code_used(on.user, SECRET, "AAAAA-AAAAA", "a", NOW)
    assert used is not None
    assert used.user["two_factor"]["recovery_codes"] == ["b"]
    coded = factors.with_code_used(on.user, SECRET, pyotp.TOTP(SECRET).at(NOW), "-", NOW)
    assert coded is not None
    assert factors.with_code_used(coded.user, SECRET, pyotp.TOTP(SECRET).at(NOW), "-", NOW) is None
    off = factors.switched_off(on.user, LATER)
    assert off.user["two_factor"] == {"state": "off", "secret": None, "last_step": 0, "recovery_codes": []}


def test_recovery_hashes_belong_to_one_user_and_key() -> None:
    first = factors.recovery_hash(b"k", "user-1", "ABCDE-FGHJK")
    assert first == factors.recovery_hash(b"k", "user-1", "abcdefghjk")
    assert first != factors.recovery_hash(b"k", "user-2", "ABCDE-FGHJK")
    assert first != factors.recovery_hash(b"j", "user-1", "ABCDE-FGHJK")
    assert len(factors.new_secret()) == 32
