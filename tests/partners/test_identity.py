"""What the shop knows about the real providers."""

from __future__ import annotations

import pytest

from handlers.partners.identity import IdentityProviders, IdentityRejected, known_providers
from tests.support.app import MovableClock
from tests.support.oidc import TENANT, issuing, knowing


def test_only_providers_with_a_client_id_are_known() -> None:
    providers = known_providers("g-id", None, "f-id")
    assert [(one.name, one.client_id) for one in providers] == [("google", "g-id"), ("facebook", "f-id")]
    assert all(one.discovery.startswith(one.issuer) for one in providers)
    known = IdentityProviders(providers, MovableClock())
    assert "google" in known
    assert "microsoft" not in known


async def test_the_tenant_of_a_token_fills_the_issuer_of_entra() -> None:
    clock = MovableClock()
    async with issuing(clock) as issuer:
        template = f"{issuer.address}/{{tenantid}}/v2.0"
        issuer.discovery = {"issuer": template}
        async with knowing(issuer, issuer.provider("microsoft", template)) as known:
            own = issuer.token("n", iss=f"{issuer.address}/{TENANT}/v2.0", tid=TENANT, oid="person", xms_edov=True)
            identity = await known.verify("microsoft", own)
            assert (identity.key, identity.email_verified) == (f"microsoft|{TENANT}|person", True)
            for tenant in ("other", "../..", None):
                odd = issuer.token("n", iss=f"{issuer.address}/{TENANT}/v2.0", tid=tenant, oid="person")
                with pytest.raises(IdentityRejected):
                    await known.verify("microsoft", odd)
