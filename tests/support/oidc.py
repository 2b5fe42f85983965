"""An identity provider of our own on loopback: discovery document, keys, ID tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk, jwt

from handlers.partners.identity import IdentityProviders, Provider, ProviderName
from handlers.platform.clock import Clock

CLIENT_ID = "shop-client"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def rsa_key() -> tuple[str, str]:
    """A new RSA key: private and public PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


_KEYS = [rsa_key() for _ in range(2)]


class Issuer:
    """A provider that can change its key, go away, and say odd things."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.address = ""
        self.kid = "key-0"
        self.requests: list[str] = []
        self.away = False
        self.discovery: dict[str, Any] = {}
        self.odd_keys: list[Any] = []

    @property
    def public(self) -> str:
        """The public key in force, as PEM."""
        return _KEYS[int(self.kid[-1])][1]

    @property
    def private(self) -> str:
        """The private key in force, as PEM."""
        return _KEYS[int(self.kid[-1])][0]

    def provider(self, name: ProviderName, issuer: str | None = None) -> Provider:
        """How the shop is told about this provider."""
        return Provider(name, CLIENT_ID, issuer or self.address, f"{self.address}/discovery")

    def token(self, nonce: str | None, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An ID token. A claim of None is left out."""
        now = int(self.clock.now().timestamp())
        content = {
            "iss": self.address,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **claims,
        }
        given = {key: value for key, value in content.items() if value is not None}
        return str(jwt.encode(given, self.private, algorithm="RS256", headers={"kid": self.kid, **(header or {})}))

    async def _discovery(self, _: web.Request) -> web.Response:
        self.requests.append("discovery")
        if self.away:
            return web.Response(status=503)
        return web.json_response({"issuer": self.address, "jwks_uri": f"{self.address}/keys", **self.discovery})

    async def _keys(self, _: web.Request) -> web.Response:
        self.requests.append("keys")
        public = jwk.construct(_KEYS[int(self.kid[-1])][1], "RS256").to_dict()
        texts = {key: value.decode() if isinstance(value, bytes) else value for key, value in public.items()}
        own = {**texts, "kid": self.kid, "use": "sig"}
        return web.json_response({"keys": [*self.odd_keys, own, {"kty": "EC", "kid": "other"}]})


@asynccontextmanager
async def issuing(clock: Clock) -> AsyncIterator[Issuer]:
    """A provider that listens on loopback."""
    issuer = Issuer(clock)
    app = web.Application()
    app.add_routes([web.get("/discovery", issuer._discovery), web.get("/keys", issuer._keys)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    issuer.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def knowing(issuer: Issuer, *providers: Provider) -> AsyncIterator[IdentityProviders]:
    """The shop's side of it."""
    known = IdentityProviders(list(providers), issuer.clock)
    try:
        yield known
    finally:
        await known.close()
