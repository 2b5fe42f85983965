"""What must be right about the settings before a process starts, and the secrets that local mode makes for itself."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pydantic import SecretStr

    from handlers.settings import Settings

MIN_SECRET: Final = 32
MIN_HASH_COST: Final = 12
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*", re.IGNORECASE)
_PLACEHOLDERS: Final = re.compile(r"your-secret|change.?me|<[a-z-]+>|^\.\.\.$", re.IGNORECASE)

Faults = Iterator[tuple[str, str]]


def faults_of(settings: Settings) -> list[tuple[str, str]]:
    """Everything wrong with readable settings: (field, text for an operator). No text holds a value of a secret."""
    groups = (
        _secrets(settings),
        _needed(settings),
        _edge(settings),
        _addresses(settings),
        _redis(settings),
        _event_hubs(settings),
        _shop(settings),
    )
    return [(name, f"{name.upper()}: {text}") for group in groups for name, text in group]


def _secrets(settings: Settings) -> Faults:
    for name in ("jwt_secret", "jwt_previous_secret", "data_key"):
        secret = getattr(settings, name)
        value = secret.get_secret_value() if secret is not None else None
        if value is None:
            continue
        if len(value) < MIN_SECRET:
            yield name, f"has {len(value)} characters, needs at least {MIN_SECRET}"
        elif settings.in_production and (_PLACEHOLDERS.search(value) or len(set(value)) < 8):
            yield name, "is a placeholder, needs a value of chance (openssl rand -base64 48)"
    if settings.jwt_algorithm == "RS256" and settings.jwt_private_key is not None:
        fault = _key_fault(settings.jwt_private_key.get_secret_value())
        if fault:
            yield "jwt_private_key", fault
    if settings.jwt_other_public_keys is not None:
        fault = _public_keys_fault(settings.jwt_other_public_keys.get_secret_value())
        if fault:
            yield "jwt_other_public_keys", fault


def _key_fault(pem: str) -> str | None:
    # Imported here: only RS256 pays for it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - loaded only then
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - loaded only then

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        return "is not a private key in PEM without a passphrase"
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        return "needs to be an RSA key of at least 2048 bits"
    return None


def _public_keys_fault(pems: str) -> str | None:
    from handlers.platform.keys import public_keys  # noqa: PLC0415 - only RS256 pays for it

    try:
        found = list(public_keys(pems))
    except (ValueError, TypeError):
        found = []
    return None if found else "holds no public RSA keys of at least 2048 bits in PEM"


def _needed(settings: Settings) -> Faults:
    if settings.jwt_algorithm == "RS256" and settings.jwt_private_key is None and settings.role != "worker":
        yield "jwt_private_key", "needed with JWT_ALGORITHM=RS256"
    if bool(settings.sms_account_id) != bool(settings.sms_auth_token and settings.sms_from):
        yield "sms_account_id", "needs SMS_AUTH_TOKEN and SMS_FROM, and they need it"
    if not settings.in_production:
        return
    if settings.password_hash_cost < MIN_HASH_COST:
        yield (
            "password_hash_cost",
            f"is {settings.password_hash_cost}, needs to be at least {MIN_HASH_COST} in production",
        )
    for name, roles in _PRODUCTION.items():
        if settings.role in roles and getattr(settings, name) is None:
            yield name, f"needed in production by the role `{settings.role}`"
    if not settings.single_machine:
        for part in settings.embedded_parts:
            name, service = _SERVICES[part]
            yield name, f"needed in production by the role `{settings.role}` ({service}), unless SINGLE_MACHINE is set"
    if settings.jwt_algorithm == "HS256" and settings.jwt_secret is None and settings.role != "worker":
        yield "jwt_secret", f"needed in production by the role `{settings.role}`, at least {MIN_SECRET} characters"


_PRODUCTION: Final[dict[str, tuple[str, ...]]] = {
    "data_key": ("all", "crud", "worker"),
    "redis_url": ("all", "gateway", "crud", "worker"),
    "stripe_secret_key": ("all", "crud", "worker"),
    "stripe_webhook_secret": ("all", "crud"),
    "sendgrid_api_key": ("all", "crud", "worker"),
}

# What takes the place of an embedded part in production (decision 79).
_SERVICES: Final[dict[str, tuple[str, str]]] = {
    "documents": ("cosmos_account_uri", "Azure Cosmos DB"),
    "events": ("event_hub_namespace", "Azure Event Hubs"),
}


def _edge(settings: Settings) -> Faults:
    for origin in settings.cors_origins:
        if _ORIGIN.fullmatch(origin) is None:
            yield "cors_origins", f"{origin!r} is not an origin such as https://shop.example.com (no path, no `*`)"
        elif settings.in_production and origin.startswith("http://"):
            yield "cors_origins", f"{origin!r} is not https, which production needs"
    if settings.in_production and not settings.public_url.startswith("https://"):
        yield "public_url", f"{settings.public_url!r} is not https, which production needs (links in mails)"
    for network in settings.trusted_proxies:
        try:
            parsed = ip_network(network)
        except ValueError as error:
            yield "trusted_proxies", f"{network!r} is not a network: {error}"
            continue
        if parsed.prefixlen == 0:
            yield "trusted_proxies", f"{network!r} trusts everyone"
    if settings.agent_base_url and "{service-name}" not in settings.agent_base_url:
        yield "agent_base_url", "needs `{service-name}` where the agent's name goes"


def _addresses(settings: Settings) -> Faults:
    for name in (
        "public_url",
        "agent_base_url",
        "cosmos_account_uri",
        "stripe_api_base",
        "audit_archive_url",
    ):
        value = getattr(settings, name)
        if value and not _is_url(value.replace("{service-name}", "agent"), ("http", "https")):
            yield name, "needs to be an http or https address"
    if not settings.crud_addresses or not all(_is_url(one, ("http", "https")) for one in settings.crud_addresses):
        yield "crud_service_url", "needs to be an http or https address, or several with commas"


def _redis(settings: Settings) -> Faults:
    url = settings.redis_address
    if url is None:
        return
    if not _is_url(url, ("redis", "rediss", "unix")):
        yield "redis_url", "needs to be redis://host:port, rediss://host:port or unix:///path"
        return
    parts = urlsplit(url)
    if settings.redis_cluster and (parts.scheme == "unix" or parts.path not in ("", "/", "/0")):
        yield "redis_cluster", "a cluster has no unix:// socket and no database but 0"
    if not settings.redis_entra_id:
        return
    if settings.redis_password is not None or parts.username or parts.password:
        yield "redis_entra_id", "takes the place of REDIS_PASSWORD and of user and password in REDIS_URL: give one"
    if settings.in_production and parts.scheme != "rediss":
        yield "redis_entra_id", "needs TLS in production: rediss:// or REDIS_SSL=true"


def _event_hubs(settings: Settings) -> Faults:
    name = settings.event_hub_namespace
    if name is not None and _NAMESPACE.fullmatch(name) is None:
        yield "event_hub_namespace", f"{name!r} is neither the name of a namespace nor its host"
    secret = settings.event_hub_connection_string
    if secret is not None:
        yield from (("event_hub_connection_string", text) for text in _connection_string_faults(secret))


def _connection_string_faults(secret: SecretStr) -> Iterator[str]:
    parts = dict(part.split("=", 1) for part in secret.get_secret_value().split(";") if "=" in part)
    if not _is_url(parts.get("Endpoint", ""), ("sb",)):
        yield "needs Endpoint=sb://host"
    if "SharedAccessSignature" not in parts and not (parts.get("SharedAccessKeyName") and parts.get("SharedAccessKey")):
        yield "needs SharedAccessKeyName and SharedAccessKey (both as Azure spells them)"
    if "EntityPath" in parts:
        yield "is of one hub (EntityPath), but there is a hub for each topic: take the namespace's"


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.path if parts.scheme == "unix" else parts.hostname)


def _shop(settings: Settings) -> Faults:
    try:
        ZoneInfo(settings.shop_timezone)
    except (KeyError, ValueError, OSError):
        yield "shop_timezone", f"{settings.shop_timezone!r} is not a time zone of the IANA database"
    name, at, domain = settings.from_email.rpartition("@")
    if not (name and at and "." in domain):
        yield "from_email", f"{settings.from_email!r} is not an address"


def local_secrets(folder: Path) -> dict[str, str]:
    """The secrets of a local installation: made at the first call, then read. For `ENV=local` and `test` only.

    Raises `OSError` when the folder does not take files. Two processes may start at once: the first one's secrets win.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secrets.json"
    if not path.exists():
        _publish(path, {"jwt_secret": secrets.token_urlsafe(48), "data_key": secrets.token_urlsafe(48)})
    path.chmod(0o600)
    known: dict[str, str] = json.loads(path.read_text("ascii"))
    return known


def _publish(path: Path, content: dict[str, str]) -> None:
    """Writes a file that appears whole and for the owner only; one that is there already stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(content, file)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
