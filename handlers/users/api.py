"""Operations on the caller's own account."""

from __future__ import annotations

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform import cookies
from handlers.platform.attempts import claim_mail
from handlers.platform.email import address_in
from handlers.platform.errors import unprocessable
from handlers.platform.store.port import Document
from handlers.users import leaving, mail_tokens, mails, proofs, rules, store
from handlers.users.security import change_password, disable_two_factor, enable_two_factor, verify_two_factor

__all__ = [
    "change_password",
    "delete_me",
    "disable_two_factor",
    "enable_two_factor",
    "get_me",
    "get_preferences",
    "get_rewards",
    "update_me",
    "update_preferences",
    "verify_two_factor",
]


async def get_me(call: Call) -> Reply[v.User]:
    """The account of the caller."""
    return _reply(await store.signed_in(call))


async def update_me(params: p.UpdateMeParameters, body: m.UserUpdate, call: Call) -> Reply[v.User]:
    """Changes the account; a new address is in force at once, unverified, and every session ends (decision 17)."""
    now = call.services.clock.now()
    day = body.date_of_birth
    if day is not MISSING and rules.birth_date_fault(day, now.date()):
        raise unprocessable("The date of birth is not in the past", "date_of_birth_invalid")
    if body.email is not MISSING:
        before = await store.signed_in_now(call)
        address = address_in(body.email)
        if address != before.data["email"]:
            return _reply(await _move(call, params, body, before, address))
    return _reply(
        await store.change(
            call, call.principal.id, lambda user: rules.updated(user, body, now), if_match=params.if_match
        )
    )


async def _move(
    call: Call, params: p.UpdateMeParameters, body: m.UserUpdate, before: Document, address: str
) -> Document:
    services, now = call.services, call.services.clock.now()
    # Whoever is signed in can name any address: its mailbox is not to be filled this way.
    await claim_mail(services.limits, address)
    token, hashed = mail_tokens.new_token("verify")
    user_id, old = before.data["user_id"], before.data["email"]
    await mail_tokens.keep(services.store, "verify", hashed, user_id=user_id, now=now)

    def decide(user: rules.Json) -> rules.Change:
        return rules.with_email(rules.updated(user, body, now), address, hashed)

    document = await store.change_email(call, user_id, old, address, decide=decide, if_match=params.if_match)
    proofs.send_verification(services, document.data, token)
    told = mails.address_changed(old, document.data["name"])
    services.background.spawn(services.mailer.send(told), "address changed mail")
    return document


async def delete_me(call: Call) -> Reply[None]:
    """Deletes the account for good."""
    await leaving.leave(call)
    return Reply(None, headers=cookies.cleared(secure=call.services.settings.in_production))


async def get_preferences(call: Call) -> Reply[v.Preferences]:
    """Language, currency and notifications of the caller."""
    found = await store.signed_in(call)
    return Reply(rules.preferences_view(found.data), etag=found.etag)


async def update_preferences(
    params: p.UpdatePreferencesParameters, body: m.PreferencesUpdate, call: Call
) -> Reply[v.Preferences]:
    """Changes preferences; an absent field stays, inside `notifications` too."""
    now = call.services.clock.now()
    changed = await store.change(
        call, call.principal.id, lambda user: rules.with_preferences(user, body, now), if_match=params.if_match
    )
    return Reply(rules.preferences_view(changed.data), etag=changed.etag)


async def get_rewards(call: Call) -> v.Rewards:
    """Points, tier and way to the next tier of the caller."""
    return rules.rewards_view((await store.signed_in(call)).data)


def _reply(found: Document) -> Reply[v.User]:
    return Reply(rules.user_view(found.data), etag=found.etag)
