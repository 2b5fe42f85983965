"""What an account is, what may change in it, and what others see of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

import orjson
from pydantic import MISSING

from generated import models as m
from generated import views as v
from generated.errors import ErrorRule
from handlers.platform.clock import timestamp
from handlers.platform.money import major_units
from handlers.users.owner_notice_rules import OwnerNotice

Json = dict[str, Any]
Role = Literal["customer", "staff", "admin"]
Tier = Literal["bronze", "silver", "gold", "platinum"]
Field = Literal[
    "email",
    "email_verified",
    "password",
    "name",
    "phone",
    "role",
    "profile",
    "preferences",
    "newsletter_opt_in",
    "rewards",
]

# Points from which a tier begins (decision 40).
TIERS: Final[tuple[tuple[Tier, int], ...]] = (("bronze", 0), ("silver", 500), ("gold", 1_000), ("platinum", 5_000))


@dataclass(frozen=True, slots=True)
class Change:
    """An account as it will be, and the parts that differ, as `UserUpdated` names them.

    No parts: a change that is nobody else's business, and no such event. `notices`: mails to the owner about it.
    """

    user: Json
    fields: tuple[Field, ...] = ()
    notices: tuple[OwnerNotice, ...] = ()


# --- accounts -------------------------------------------------------------------------------------------------------


def new_user(
    user_id: str,
    *,
    email: str,
    name: str,
    now: datetime,
    currency: str,
    password_hash: str | None = None,
    newsletter_opt_in: bool = False,
    email_verified: bool = False,
    role: Role = "customer",
    identities: Iterable[str] = (),
) -> Json:
    """A new account. `email` is normalised; `identities` are those of social login (decision 60)."""
    created = timestamp(now)
    return {
        "id": user_id,
        "user_id": user_id,
        "email": email,
        "name": name,
        "password_hash": password_hash,
        "role": role,
        "phone": None,
        "email_verified": email_verified,
        "newsletter_opt_in": newsletter_opt_in,
        "profile": {
            "avatar_url": None,
            "date_of_birth": None,
            "preferences": {
                "language": "en",
                "currency": currency,
                "notifications": {
                    "email_marketing": newsletter_opt_in,
                    "email_orders": True,
                    "sms_shipping": False,
                },
            },
        },
        # Money in minor units (decision 65).
        "rewards": {"points": 0, "lifetime_spend": 0, "currency": currency},
        "identities": list(identities),
        # Tokens and refresh families carry the version they were made with; raising it ends them (decisions 17, 59).
        "token_version": 0,
        # Hashes of the last token sent by mail; others, though kept until they end, lead to nothing.
        "verify_token": None,
        "reset_token": None,
        # A change of address that waits for its proof, and those that the old address may undo (email_change_rules).
        "pending_email": None,
        "email_changes": [],
        "two_factor": no_second_factor(),
        "created_at": created,
        "updated_at": created,
        "last_login": None,
    }


def changed_copy(user: Mapping[str, Any], now: datetime) -> Json:
    """A copy to change, with the moment of the change."""
    changed: Json = orjson.loads(orjson.dumps(user))  # a fourth of deepcopy's time; an account is JSON and nothing else
    changed["updated_at"] = timestamp(now)
    return changed


def updated(user: Json, body: m.UserUpdate, now: datetime) -> Change:
    """The account with the body's changes but for `email` (decision 10: absent stays, null clears)."""
    changed = changed_copy(user, now)
    fields: list[Field] = []
    if body.name is not MISSING and body.name != user["name"]:
        changed["name"] = body.name
        fields.append("name")
    if body.phone is not MISSING and body.phone != user["phone"]:
        changed["phone"] = body.phone
        fields.append("phone")
    if body.newsletter_opt_in is not MISSING and body.newsletter_opt_in != user["newsletter_opt_in"]:
        changed["newsletter_opt_in"] = body.newsletter_opt_in
        fields.append("newsletter_opt_in")
    profile = changed["profile"]
    if body.avatar_url is not MISSING:
        profile["avatar_url"] = body.avatar_url
    if body.date_of_birth is not MISSING:
        profile["date_of_birth"] = body.date_of_birth.isoformat() if body.date_of_birth is not None else None
    if profile != user["profile"]:
        fields.append("profile")
    return Change(changed, tuple(fields))


def birth_date_fault(day: date | None, today: date) -> ErrorRule | None:
    """The rule that a date of birth breaks, or None."""
    return "date_of_birth_invalid" if day is not None and day >= today else None


def with_preferences(user: Json, body: m.PreferencesUpdate, now: datetime) -> Change:
    """The account with other preferences; an absent field stays, inside `notifications` too."""
    changed = changed_copy(user, now)
    preferences = changed["profile"]["preferences"]
    if body.language is not MISSING:
        preferences["language"] = body.language
    if body.currency is not MISSING:
        preferences["currency"] = body.currency
    if body.notifications is not MISSING:
        preferences["notifications"].update(body.notifications.model_dump(exclude_unset=True))
    return Change(changed, () if changed["profile"] == user["profile"] else ("preferences",))


def with_verified_email(user: Json, token_hash: str, now: datetime) -> Change | None:
    """The account with its address proven, or None when the token is not the last one sent."""
    if user["verify_token"] != token_hash:
        return None
    changed = changed_copy(user, now)
    changed["verify_token"] = None
    changed["email_verified"] = True
    return Change(changed, ("email_verified",))


def with_reset_password(user: Json, token_hash: str, password_hash: str, now: datetime) -> Change | None:
    """The account with a password set by mail, or None when the token is not the last one sent.

    Ends every session, and proves the address: the link came through it. Whoever made an account with an address that
    was never proven may not be its owner: what would let them in again goes (identities, second factor).
    """
    if user["reset_token"] != token_hash:
        return None
    change = with_password(user, password_hash, now)
    if user["email_verified"]:
        return change
    change.user["email_verified"] = True
    change.user["verify_token"] = None
    change.user["identities"] = []
    change.user["two_factor"] = no_second_factor()
    return Change(change.user, (*change.fields, "email_verified"))


def with_password(user: Json, password_hash: str, now: datetime) -> Change:
    """The account with another password: every session over; a waiting reset or change of address is void."""
    changed = changed_copy(user, now)
    changed["password_hash"] = password_hash
    changed["reset_token"] = None
    changed["pending_email"] = None
    changed["token_version"] += 1
    return Change(changed, ("password",))


def with_mail_token(user: Json, purpose: Literal["verify", "reset"], token_hash: str) -> Change:
    """The account waiting for the token of a mail that is about to be sent; tokens sent before lose their force."""
    changed = deepcopy(user)
    changed[f"{purpose}_token"] = token_hash
    return Change(changed)


# --- views ----------------------------------------------------------------------------------------------------------


def user_view(user: Json) -> v.User:
    """What the user and administrators see of an account (decision 54)."""
    profile = user["profile"]
    view: v.User = {
        "user_id": user["user_id"],
        "email": user["email"],
        "name": user["name"],
        "role": user["role"],
        "phone": user["phone"],
        "email_verified": user["email_verified"],
        "newsletter_opt_in": user["newsletter_opt_in"],
        "two_factor_enabled": two_factor_on(user),
        "profile": {
            "avatar_url": profile["avatar_url"],
            "date_of_birth": profile["date_of_birth"],
            "preferences": preferences_view(user),
        },
        "rewards": rewards_view(user),
        "created_at": user["created_at"],
        "updated_at": user["updated_at"],
        "last_login": user["last_login"],
    }
    pending = user.get("pending_email")
    if pending is not None:
        view["pending_email"] = pending["email"]
    return view


def preferences_view(user: Json) -> v.Preferences:
    """Language, currency and notifications of an account."""
    preferences = user["profile"]["preferences"]
    notifications = preferences["notifications"]
    return {
        "language": preferences["language"],
        "currency": preferences["currency"],
        "notifications": {
            "email_marketing": notifications["email_marketing"],
            "email_orders": notifications["email_orders"],
            "sms_shipping": notifications["sms_shipping"],
        },
    }


def no_second_factor() -> Json:
    """The second factor of an account that has none."""
    return {"state": "off", "secret": None, "last_step": 0, "recovery_codes": []}


def effective_role(user: Json, *, second_factor: bool) -> Role:
    """The role that an account acts in: a customer's while its own asks for a second factor (`second_factor`: by
    setting) that is not on yet.
    """
    role: Role = user["role"]
    return "customer" if second_factor and role != "customer" and not two_factor_on(user) else role


def two_factor_on(user: Json) -> bool:
    """Whether login asks for a second factor."""
    return bool(user["two_factor"]["state"] == "on")


def rewards_view(user: Json) -> v.Rewards:
    """Points, tier and way to the next tier of an account."""
    rewards = user["rewards"]
    tier, following = tier_of(rewards["points"])
    view: v.Rewards = {
        "points": rewards["points"],
        "tier": tier,
        "lifetime_spend": major_units(rewards["lifetime_spend"], rewards["currency"]),
        "currency": rewards["currency"],
    }
    if following is not None:
        view["next_tier"], start = following
        view["points_to_next_tier"] = start - rewards["points"]
    return view


def tier_of(points: int) -> tuple[Tier, tuple[Tier, int] | None]:
    """The tier that points lead to, and the next one with the points it begins at."""
    reached = [tier for tier, start in TIERS if points >= start]
    ahead = [(tier, start) for tier, start in TIERS if points < start]
    return reached[-1], ahead[0] if ahead else None
