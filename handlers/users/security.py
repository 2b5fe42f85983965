"""Operations on password and second factor of the caller's account (decisions 15, 17, 18, 55)."""

from __future__ import annotations

import secrets

from pydantic import MISSING

from generated import models as m
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.services import Services
from handlers.platform.errors import conflict, unprocessable
from handlers.platform.passwords import encoded
from handlers.platform.vault import Vault
from handlers.users import credentials, factors, mails, rules, store


async def change_password(body: m.PasswordChange, call: Call) -> None:
    """Sets a new password; ends every session, this one too."""
    proof = await credentials.proven(call, body.old_password)
    if encoded(body.new_password) == encoded(body.old_password):
        raise unprocessable("The new password is the old one", "password_unchanged")
    credentials.check_new_password(body.new_password, proof.data["email"])
    services, now = call.services, call.services.clock.now()
    hashed = await services.passwords.hash(body.new_password)

    def decide(user: rules.Json) -> rules.Change:
        credentials.still_proven(user, proof)
        return rules.with_password(user, hashed, now)

    changed = (await store.change(call, call.principal.id, decide)).data
    told = mails.password_changed(changed["email"], changed["name"])
    services.background.spawn(services.mailer.send(told), "password changed mail")


async def enable_two_factor(body: m.TwoFactorEnableRequest, call: Call) -> v.TwoFactorSetup:
    """Makes a secret, in force once its first code was seen."""
    proof = await credentials.proven(call, body.password)
    now = call.services.clock.now()
    secret = factors.new_secret()
    sealed = vault(call.services).seal(secret, call.principal.id)

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
    codes = [_recovery_code() for _ in range(factors.RECOVERY_CODES)]
    hashes = [factors.recovery_hash(recovery_key(services), user_id, code) for code in codes]

    def decide(user: rules.Json) -> rules.Change:
        state = user["two_factor"]["state"]
        if state == "on":
            raise _already_on()
        if state != "pending":
            raise _not_on()
        secret = vault(services).open(user["two_factor"]["secret"], user_id)
        step = factors.matching_step(secret, body.code, now, user["two_factor"]["last_step"])
        if step is None:
            raise unprocessable("The code is wrong", "mfa_code_invalid")
        return factors.switched_on(user, step, hashes, now)

    await store.change(call, user_id, decide)
    return {"two_factor_enabled": True, "recovery_codes": codes}


async def disable_two_factor(body: m.TwoFactorDisableRequest, call: Call) -> None:
    """Switches the second factor off."""
    proof = await credentials.proven(call, body.password)
    services, now = call.services, call.services.clock.now()

    def decide(user: rules.Json) -> rules.Change:
        credentials.still_proven(user, proof)
        if user["two_factor"]["state"] != "on":
            raise _not_on()
        if body.code is not MISSING and with_code_used(services, user, body.code) is None:
            raise unprocessable("The code is wrong", "mfa_code_invalid")
        return factors.switched_off(user, now)

    await store.change(call, call.principal.id, decide)


def with_code_used(services: Services, user: rules.Json, code: str) -> rules.Change | None:
    """The account with a second factor's code used up, or None when the code is wrong. For accounts that have one."""
    user_id = user["user_id"]
    secret = vault(services).open(user["two_factor"]["secret"], user_id)
    hashed = factors.recovery_hash(recovery_key(services), user_id, code)
    return factors.with_code_used(user, secret, code, hashed, services.clock.now())


def vault(services: Services) -> Vault:
    """What TOTP secrets are kept in."""
    return Vault(services.settings.derived_key("totp"))


def recovery_key(services: Services) -> bytes:
    """The key of the recovery codes' hashes."""
    return services.settings.derived_key("recovery")


def _recovery_code() -> str:
    signs = "".join(secrets.choice(factors.ALPHABET) for _ in range(10))
    return f"{signs[:5]}-{signs[5:]}"


def _already_on() -> Exception:
    return conflict("Two-factor authentication is on already", "two_factor_already_enabled")


def _not_on() -> Exception:
    return conflict("Two-factor authentication is not on", "two_factor_not_enabled")
