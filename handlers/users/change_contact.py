"""Changing what an account is reached by, address and telephone number: only by an owner who was asked again (77)."""

from __future__ import annotations

from dataclasses import replace

from pydantic import MISSING

from generated import models as m
from generated import params as p
from handlers.contract.call import Call
from handlers.platform.attempts import claim_mail
from handlers.platform.email import address_in
from handlers.platform.errors import unprocessable
from handlers.platform.store.port import Document
from handlers.users import email_change_rules, mail_tokens, rules, store
from handlers.users.reauthenticate import reauthenticated
from handlers.users.tell_owner import may_tell, new_mail_token, telling


async def change_contact(call: Call, params: p.UpdateMeParameters, body: m.UserUpdate) -> Document:
    """The account with the body's changes; another address waits until it is proven, its mails are sent.

    Raises `Problem`: 403 `reauthentication_required`, 409 for a taken address, 412, 422 and 429 for too many changes.
    """
    services, now = call.services, call.services.clock.now()
    before = await store.signed_in_now(call)
    address = before.data["email"] if body.email is MISSING else address_in(body.email)
    moving = address != before.data["email"]
    calling = body.phone is not MISSING and body.phone != before.data["phone"]
    if moving or calling:
        before = await reauthenticated(call, params.x_reauthentication)
    if moving:
        document = await _ask_for_proof(call, params, body, before, address, calling=calling)
    else:
        may = await may_tell(services, before.data) if calling else False

        def decide(user: rules.Json) -> rules.Change:
            change = telling(rules.updated(user, body, now), "phone_changed", may=may)
            if body.email is MISSING or user.get("pending_email") is None:
                return change
            return replace(change, user=email_change_rules.called_off(change.user, now).user)

        document = await store.change(call, call.principal.id, decide, if_match=params.if_match)
    return document


async def _ask_for_proof(
    call: Call, params: p.UpdateMeParameters, body: m.UserUpdate, before: Document, address: str, *, calling: bool
) -> Document:
    services, now = call.services, call.services.clock.now()
    user_id = before.data["user_id"]
    if not await store.address_is_free(services, address, user_id):
        raise store.email_taken()
    # Whoever is signed in can name any address: its mailbox is not to be filled this way.
    await claim_mail(services.limits, address)
    (proof, hashed), (undo, undo_hashed) = new_mail_token(services, "verify"), new_mail_token(services, "undo")
    may = await may_tell(services, before.data)
    await mail_tokens.keep(services.store, "verify", hashed, user_id=user_id, now=now)
    await mail_tokens.keep(services.store, "undo", undo_hashed, user_id=user_id, now=now)

    def decide(user: rules.Json) -> rules.Change:
        change = rules.updated(user, body, now)
        pending = email_change_rules.requested(
            change.user, address, verify_token=hashed, undo_token=undo_hashed, now=now
        )
        if pending is None:
            raise unprocessable("The address was changed too often of late", "limit_reached")
        change = replace(change, user=pending.user)
        change = telling(change, "phone_changed", may=may and calling)
        change = telling(change, "email_change_requested", notice_id=undo, may=may)
        return telling(change, "verification_requested", to=address, notice_id=proof)

    document = await store.change(call, user_id, decide, if_match=params.if_match)
    call.security_event("email_change_requested")
    return document
