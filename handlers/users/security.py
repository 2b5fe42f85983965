"""Operations on password and second factor of the caller's account (decisions 15, 17, 18, 55)."""

from __future__ import annotations

import secrets

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.errors import conflict, unprocessable
from handlers.platform.passwords import encoded
from handlers.users import credentials, factors, rules, store
from handlers.users.reauthenticate import reauthenticated
from handlers.users.tell_owner import may_tell, telling


async def change_password(body: m.PasswordChange, call: Call) -> None:
    """Sets a new password; ends every session, this one too."""
    proof = await credentials.proven(call, body.old_password)
    if encoded(body.new_password) == encoded(body.old_password):
        raise unprocessable("The new password is the old one", "password_unchanged")
    credentials.check_new_password(body.new_password, proof.data["email"], proof.data["name"])
    services, now = call.services, call.services.clock.now()
    hashed = await services.passwords.hash(body.new_password)
    code = None if body.code is MISSING else body.code

    def decide(user: rules.Json) -> rules.Change:
        return rules.with_password(user, hashed, now)

    await credentials.change_proven(call, proof, code, decide, kind="password_changed")
    call.security_event("password_changed")


async def enable_two_factor(body: m.TwoFactorEnableRequest, call: Call) -> v.TwoFactorSetup:
    """Makes a secret, in force once its first code was seen."""
    proof = await credentials.proven(call, None if body.password is MISSING else body.password)
    now = call.services.clock.now()
    secret = factors.new_secret()
    sealed = credentials.vault(call.services).seal(secret, call.principal.id)

    def decide(user: rules.Json) -> rules.Change:
        credentials.still_proven(user, proof)
        change = factors.started(user, sealed, now)
        if change is None:
            raise _already_on()
        return change

    await store.change(call, call.principal.id, decide)
    return {"secret": secret, "otpauth_uri": factors.otpauth_uri(secret, proof.data["email"])}


async def verify_two_factor(body: m.TwoFactorVerifyRequest, call: Call) -> v.TwoFactorRecoveryCodes:
    """Switches the second factor on with the app's first code; answers the recovery codes, this one time."""
    services, user_id, now = call.services, call.principal.id, call.services.clock.now()
    codes, hashes = _new_recovery_codes(services, user_id)
    may = await may_tell(services, (await store.signed_in(call)).data)

    def decide(user: rules.Json) -> rules.Change:
        state = user["two_factor"]["state"]
        if state == "on":
            raise _already_on()
        if state != "pending":
            raise _not_on()
        secret = credentials.vault(services).open(user["two_factor"]["secret"], user_id)
        step = factors.matching_step(secret, body.code, now, user["two_factor"]["last_step"])
        if step is None:
            raise unprocessable("The code is wrong", "mfa_code_invalid")
        return telling(factors.switched_on(user, step, hashes, now), "two_factor_on", may=may)

    await store.change(call, user_id, decide)
    call.security_event("two_factor_on")
    return {"two_factor_enabled": True, "recovery_codes": codes}


async def disable_two_factor(body: m.TwoFactorDisableRequest, call: Call) -> None:
    """Switches the second factor off: takes the password and a code."""
    proof = await credentials.proven(call, None if body.password is MISSING else body.password)
    if not rules.two_factor_on(proof.data):
        raise _not_on()
    now = call.services.clock.now()

    def decide(user: rules.Json) -> rules.Change:
        return factors.switched_off(user, now)

    await credentials.change_proven(call, proof, body.code, decide, kind="two_factor_off")
    call.security_event("two_factor_off")


async def renew_recovery_codes(params: p.RenewRecoveryCodesParameters, call: Call) -> v.TwoFactorRecoveryCodes:
    """Replaces the recovery codes; answers the new ones, this one time."""
    found = await reauthenticated(call, params.x_reauthentication)
    services, now = call.services, call.services.clock.now()
    codes, hashes = _new_recovery_codes(services, call.principal.id)
    may = await may_tell(services, found.data)

    def decide(user: rules.Json) -> rules.Change:
        change = factors.with_recovery_codes(user, hashes, now)
        if change is None:
            raise _not_on()
        return telling(change, "recovery_codes_renewed", may=may)

    await store.change(call, call.principal.id, decide)
    call.security_event("recovery_codes_renewed")
    return {"two_factor_enabled": True, "recovery_codes": codes}


def _new_recovery_codes(services: Services, user_id: str) -> tuple[list[str], list[str]]:
    """Recovery codes, and what is kept of them."""
    codes = [_recovery_code() for _ in range(factors.RECOVERY_CODES)]
    key = credentials.recovery_key(services)
    return codes, [factors.recovery_hash(key, user_id, code) for code in codes]


def _recovery_code() -> str:
    signs = "".join(secrets.choice(factors.ALPHABET) for _ in range(10))
    return f"{signs[:5]}-{signs[5:]}"


def _already_on() -> Exception:
    return conflict("Two-factor authentication is on already", "two_factor_already_enabled")


def _not_on() -> Exception:
    return conflict("Two-factor authentication is not on", "two_factor_not_enabled")
