"""Every environment variable, typed once (plan, Appendix B; decision 45 for the roles).

`load_settings` is the only reader of the environment. `python -m handlers.settings` prints the variables, what they
mean and where their values come from, with secrets masked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from handlers.settings_checks import faults_of, local_secrets

PORTS: Final[dict[str, int]] = {"all": 8000, "gateway": 8000, "crud": 8001, "worker": 8090}
BUILT_IN_AGENTS: Final = (
    "inventory-reservation-validation",
    "logistics-carrier-selection",
    "logistics-eta-computation",
    "crm-profile-aggregation",
)


class SettingsError(Exception):
    """The environment is not fit to start with. The text lists everything that is wrong, for an operator."""


def _items(value: Any) -> Any:
    if isinstance(value, str):
        items = tuple(item for item in (part.strip() for part in value.split(",")) if item)
        return () if items == ("none",) else items
    return value


def _none(value: Any) -> Any:
    return "" if value == "none" else value


def _lines(value: Any) -> Any:
    # A variable on one line carries the line ends of a PEM as `\n`.
    return value.replace("\\n", "\n") if isinstance(value, str) else value


Items = Annotated[tuple[str, ...], BeforeValidator(_items)]
Pem = Annotated[SecretStr, BeforeValidator(_lines)]
AddressOrNone = Annotated[str, BeforeValidator(_none)]

# Defaults of ENV=local and test. The others are meant for production.
_LOCAL: Final[dict[str, Any]] = {
    "host": "127.0.0.1",
    "public_url": "http://127.0.0.1:8000",
    "cors_origins": (
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "http://localhost:8000",
        "http://127.0.0.1:8000",
    ),
    "crud_service_url": "http://127.0.0.1:8001",
    "agent_base_url": "",
    "redis_ssl": False,
    "staff_second_factor": False,
    "drain_seconds": 0.0,
}


class Settings(BaseSettings):
    """The settings of one process. A field in upper case is its environment variable; lists are separated by commas."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    # Process
    env: Literal["local", "test", "production"] = "production"
    """Where this runs. `local` and `test` make secrets of their own and play the part of the partners."""
    role: Literal["all", "gateway", "crud", "worker"] = "all"
    """The part of the backend this process is (decision 45)."""
    host: str = Field(default="0.0.0.0", min_length=1)  # noqa: S104 - in a container; the local default is another
    """Address to listen on. Local: 127.0.0.1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on: 8000 for `all` and `gateway`, 8001 for `crud`, 8090 for `worker` (probes and metrics)."""
    public_url: str = "https://holidaypeakhub.com"
    """Address of the shop, for links in mails. Local: http://127.0.0.1:8000."""
    data_dir: Path = Path(".local")
    """Folder of the embedded documents and events, the outbox of messages and local secrets."""
    single_machine: bool = False
    """Allow the embedded documents and events in production, for a shop on one machine. Its log and health say so."""
    data_key: SecretStr | None = None
    """Encrypts TOTP secrets; keys for cursors and CSRF come from it. 32 characters or more. For `all` and `crud`."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe level that is logged."""

    # Tokens
    jwt_secret: SecretStr | None = None
    """Signs access tokens (HS256). 32 characters or more."""
    jwt_algorithm: Literal["HS256", "RS256"] = "HS256"
    """How access tokens are signed."""
    jwt_private_key: Pem | None = None
    """PEM of an RSA key of 2048 bits or more, for RS256 (without need of JWT_SECRET). `\\n` stands for a line end."""
    jwt_previous_secret: SecretStr | None = None
    """The JWT_SECRET before this one; its tokens are still accepted (HS256). Remove it after an access token's life."""
    jwt_other_public_keys: Pem | None = None
    """PEM of further public keys that are accepted and published (RS256): the next one, then the last one."""
    jwt_access_expiry_minutes: int = Field(default=15, ge=1, le=60)
    """Life of an access token, in minutes."""
    jwt_refresh_expiry_days: int = Field(default=7, ge=1, le=90)
    """Life of a refresh token, in days."""
    staff_second_factor: bool = True
    """Whether staff and administrators need a second factor; until then they act as customers. Local: false."""
    session_max_days: int = Field(default=90, ge=1, le=365)
    """Longest life of a session, in days, however often it is refreshed; then one signs in anew."""
    password_hash_cost: int = Field(default=12, ge=4, le=16)
    """Cost of bcrypt; each step doubles the time of a hash. At least 12 in production; tests lower it."""
    google_client_id: str | None = None
    """Client id at Google. Without it social login with Google is off."""
    microsoft_client_id: str | None = None
    """Client id at Microsoft Entra ID. Without it social login with Microsoft is off."""
    facebook_client_id: str | None = None
    """Client id at Facebook. Without it social login with Facebook is off."""

    # Edge
    cors_origins: Items = ("https://holidaypeakhub.com", "https://admin.holidaypeakhub.com")
    """Origins whose pages may call the API. Local: ports 3000 and 8000 of this machine."""
    cors_allow_credentials: bool = True
    """Whether those pages may send cookies."""
    trusted_proxies: Items = ()
    """Networks (CIDR) whose X-Forwarded-For and -Proto are believed; for `crud` the gateway's (decision 61)."""
    rate_limit_per_minute: int = Field(default=60, ge=1, le=1_000_000)
    """Requests a caller may make in a minute, where the contract says nothing else."""
    rate_limit_burst: int = Field(default=100, ge=1, le=1_000_000)
    """Requests a caller may make at once."""
    rate_limit_scale: float = Field(default=1.0, gt=0, le=1_000_000, allow_inf_nan=False)
    """Multiplies every rate limit. For tests and load."""
    max_body_bytes: int = Field(default=1_048_576, ge=1024, le=104_857_600)
    """The largest request body, in bytes."""
    max_connections: int = Field(default=4_096, ge=16, le=100_000)
    """Connections open at once, without those of trusted proxies. Beyond it the one that waited longest is closed."""
    max_connections_per_address: int = Field(default=256, ge=8, le=100_000)
    """Connections open at once from one address (IPv6: one /64) that is no trusted proxy's."""
    drain_seconds: float = Field(default=5.0, ge=0, le=120, allow_inf_nan=False)
    """How long a process goes on serving after it was told to stop, until nobody sends requests any more. Local: 0."""
    check_answers: bool = False
    """Check every answer against the contract; one that does not fit becomes a 500."""
    crud_service_url: str = "http://crud-service:8001"
    """Where the gateway forwards to; several addresses are asked in turn. Local: http://127.0.0.1:8001."""
    agent_base_url: AddressOrNone = "http://{service-name}:8000"
    """Address of an agent, with `{service-name}` for its name. `none`: none is deployed. Local: none."""
    built_in_agents: Items = BUILT_IN_AGENTS
    """Agents whose part in the order process is played here until the real one is deployed, or `none` (decision 39)."""
    take_over_silent_agents: bool = True
    """Whether the built-in part books a parcel when the deployed carrier agent is silent; else staff do."""

    # Documents, cache, events
    cosmos_account_uri: str | None = None
    """Azure Cosmos DB account. Without it documents live in SQLite under DATA_DIR."""
    cosmos_database: str = "holiday-peak-hub"
    """Database in that account."""
    cosmos_key: SecretStr | None = None
    """Key of that account. Without it Entra ID is used (managed identity)."""
    cosmos_preferred_locations: Items = ()
    """Regions to read from, nearest first."""
    redis_url: SecretStr | None = None
    """Redis or Valkey: redis://, rediss:// or unix://. Needed in production."""
    redis_password: SecretStr | None = None
    """Password of Redis, when it is not in the URL."""
    redis_username: str | None = None
    """User of Redis, when it is not in the URL. With Entra ID: our object id, if not the token's `oid`."""
    redis_entra_id: bool = False
    """Log in to Redis with Entra ID (managed identity) instead of a password. Production needs TLS for it."""
    redis_cluster: bool = False
    """Whether Redis is a cluster (on Azure: OSS cluster policy). REDIS_URL then names any of its servers."""
    redis_ssl: bool = True
    """TLS to Redis (without meaning for unix://). Local: false."""
    event_hub_namespace: str | None = None
    """Azure Event Hubs namespace, by name or host; reached with Entra ID when there is no connection string."""
    event_hub_connection_string: SecretStr | None = None
    """Connection string of the namespace or an emulator. Without both, events live in SQLite under DATA_DIR."""
    audit_archive_url: str | None = None
    """Blob container for audit entries older than 90 days. Without it: a folder under DATA_DIR."""
    applicationinsights_connection_string: SecretStr | None = None
    """Azure Monitor, when traces shall go there."""

    # Partners
    stripe_secret_key: SecretStr | None = None
    """Stripe's secret key. Needed in production, but not by the gateway."""
    stripe_webhook_secret: SecretStr | None = None
    """Secret that Stripe signs its webhooks with. Needed in production by `all` and `crud`."""
    stripe_api_base: str | None = None
    """Another address for Stripe's API, such as the local stand-in."""
    sendgrid_api_key: SecretStr | None = None
    """SendGrid's key. Without it mails become files under DATA_DIR, which production refuses."""
    from_email: str = "noreply@holidaypeakhub.com"
    """Sender of mails."""
    sms_account_id: str | None = None
    """Twilio account for SMS. Without it none are sent; locally they become files under DATA_DIR."""
    sms_auth_token: SecretStr | None = None
    """Token of that account."""
    sms_from: str | None = None
    """Sender of SMS, a telephone number in E.164."""

    # Shop
    shop_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """The shop's currency (ISO 4217)."""
    shop_timezone: str = "UTC"
    """The shop's time zone (IANA), used for days in analytics and mails only (decision 49)."""
    shipping_taxed: bool = False
    """Whether shipping is taxed, at the rate of the goods (decision 66). Off, as in the plan's examples."""

    @model_validator(mode="before")
    @classmethod
    def _dependent_defaults(cls, data: dict[str, Any]) -> dict[str, Any]:
        defaults = dict(_LOCAL) if data.get("env") in ("local", "test") else {}
        defaults["port"] = PORTS.get(str(data.get("role", "all")), 8000)
        return {**defaults, **data}

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: `Settings(...)` in a test does not see the machine's environment."""
        return (init_settings,)

    @property
    def in_production(self) -> bool:
        """Whether anything made for development is out of the question."""
        return self.env == "production"

    @property
    def embedded_parts(self) -> list[Literal["documents", "events"]]:
        """What this process keeps in files of DATA_DIR: `documents`, `events`, both or nothing."""
        found: list[Literal["documents", "events"]] = []
        if self.role != "gateway" and self.cosmos_account_uri is None:
            found.append("documents")
        namespaces = (self.event_hub_namespace, self.event_hub_connection_string)
        if self.role in ("all", "worker") and namespaces == (None, None):
            found.append("events")
        return found

    @property
    def crud_addresses(self) -> tuple[str, ...]:
        """The addresses of CRUD_SERVICE_URL, which are separated by commas."""
        return tuple(address.strip() for address in self.crud_service_url.split(",") if address.strip())

    @property
    def redis_address(self) -> str | None:
        """REDIS_URL, which may hold a password, with the scheme that REDIS_SSL asks for."""
        url = self.redis_url.get_secret_value() if self.redis_url is not None else None
        if url is not None and self.redis_ssl and url.startswith("redis://"):
            return "rediss://" + url.removeprefix("redis://")
        return url

    def derived_key(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose, from DATA_KEY (one block of HKDF-Expand, RFC 5869, 2.3)."""
        if self.data_key is None:
            raise SettingsError("DATA_KEY: needed and not set")
        return hmac.new(self.data_key.get_secret_value().encode(), purpose.encode() + b"\x01", hashlib.sha256).digest()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment. Empty variables count as absent.

    Raises `SettingsError` with every fault in it. With `ENV=local` or `test`, missing secrets are made and kept in
    DATA_DIR, readable by the owner only.
    """
    settings, faults = inspect(environ)
    if faults:
        raise SettingsError("The settings are not fit to start with:\n" + "\n".join(f"  {fault}" for fault in faults))
    missing = [name for name in ("jwt_secret", "data_key") if getattr(settings, name) is None]
    if settings.in_production or not missing:
        return settings
    try:
        secrets = local_secrets(settings.data_dir)
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {settings.data_dir} does not take files: {error.strerror}") from error
    return settings.model_copy(update={name: SecretStr(secrets[name]) for name in missing})


def inspect(environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """The settings of an environment as far as they can be read, and everything that is wrong with them."""
    given = given_values(environ)
    settings, unreadable = _parse(given)
    faults = [f"{name.upper()}: {message}" for name, message in unreadable.items()]
    return settings, faults + [fault for name, fault in faults_of(settings) if name not in unreadable]


def given_values(environ: Mapping[str, str]) -> dict[str, str]:
    """What the environment says about our variables, by field."""
    names = ((name, environ.get(name.upper(), "").strip()) for name in Settings.model_fields)
    return {name: value for name, value in names if value}


def _parse(given: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
    values: dict[str, Any] = dict(given)
    try:
        return Settings(**values), {}
    except ValidationError as error:
        faults = {str(e["loc"][0]): str(e["msg"]) for e in error.errors(include_input=False, include_url=False)}
    return Settings(**{name: value for name, value in values.items() if name not in faults}), faults


def describe(environ: Mapping[str, str]) -> str:
    """Every variable with its value and where that comes from, and what it means. Secrets are masked."""
    settings, faults = inspect(environ)
    given = given_values(environ)
    lines: list[str] = []
    for name, field in Settings.model_fields.items():
        source = "set" if name in given else "default"
        lines += [f"{name.upper()}={_shown(getattr(settings, name))}  ({source})", f"    {field.description}"]
    return "\n".join([*lines, "", *(f"WRONG {fault}" for fault in faults)]).rstrip()


def _shown(value: object) -> str:
    if value is None:
        return ""
    return ",".join(value) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    sys.stdout.write(describe(os.environ) + "\n")
    sys.exit(1 if inspect(os.environ)[1] else 0)
