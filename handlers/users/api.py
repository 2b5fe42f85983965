"""Operations on the caller's own account."""

from __future__ import annotations

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.platform import cookies
from handlers.platform.errors import unprocessable
from handlers.platform.store.port import Document
from handlers.users import leaving, rules, store
from handlers.users.change_contact import change_contact
from handlers.users.reauthenticate import reauthenticate, reauthenticated
from handlers.users.security import (
    change_password,
    disable_two_factor,
    enable_two_factor,
    renew_recovery_codes,
    verify_two_factor,
)

__all__ = [
    "change_password",
    "delete_me",
    "disable_two_factor",
    "enable_two_factor",
    "get_me",
    "get_preferences",
    "get_rewards",
    "reauthenticate",
    "renew_recovery_codes",
    "update_me",
    "update_preferences",
    "verify_two_factor",
]


async def get_me(call: Call) -> Reply[v.User]:
    """The account of the caller."""
    return _reply(await store.signed_in(call))


async def update_me(params: p.UpdateMeParameters, body: m.UserUpdate, call: Call) -> Reply[v.User]:
    """Changes the account. A new address waits for its proof; that and the phone need the owner asked again (77)."""
    now = call.services.clock.now()
    day = body.date_of_birth
    if day is not MISSING and rules.birth_date_fault(day, now.date()):
        raise unprocessable("The date of birth is not in the past", "date_of_birth_invalid")
    if body.email is MISSING and body.phone is MISSING:
        changed = await store.change(
            call, call.principal.id, lambda user: rules.updated(user, body, now), if_match=params.if_match
        )
        return _reply(changed)
    return _reply(await change_contact(call, params, body))


async def delete_me(params: p.DeleteMeParameters, call: Call) -> Reply[None]:
    """Deletes the account for good."""
    await reauthenticated(call, params.x_reauthentication)
    await leaving.leave(call)
    call.security_event("account_deleted")
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
