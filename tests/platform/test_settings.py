"""The environment: defaults, what is refused, what is masked, local secrets."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr, ValidationError

from handlers.settings import Settings, SettingsError, describe, load_settings
from handlers.settings_checks import local_secrets

SECRET = "kR7!vQ2mZ9xW4tB8nL1cF6hJ3pD5sG0y"
SECRETS = {
    "JWT_SECRET": SECRET,
    "DATA_KEY": SECRET[::-1],
    "REDIS_URL": "redis://cache.example.com:6380",
    "STRIPE_SECRET_KEY": "sk_test_51H8aBcDeFgHiJk",
    "STRIPE_WEBHOOK_SECRET": "whsec_9aBcDeFgHiJkLmN",
    "SENDGRID_API_KEY": "SG.9aBcDeFgHiJkLmN",
}
SERVICES = {
    "COSMOS_ACCOUNT_URI": "https://holiday-peak.example.com:443/",
    "EVENT_HUB_NAMESPACE": "holiday-peak-events",
}
PRODUCTION = {**SECRETS, **SERVICES}
# Every variable of the plan's Appendix B.
APPENDIX_B = [
    "HOST",
    "PORT",
    "ENV",
    "JWT_SECRET",
    "JWT_ALGORITHM",
    "JWT_ACCESS_EXPIRY_MINUTES",
    "JWT_REFRESH_EXPIRY_DAYS",
    "CORS_ORIGINS",
    "CORS_ALLOW_CREDENTIALS",
    "RATE_LIMIT_PER_MINUTE",
    "RATE_LIMIT_BURST",
    "CRUD_SERVICE_URL",
    "AGENT_BASE_URL",
    "COSMOS_ACCOUNT_URI",
    "COSMOS_DATABASE",
    "COSMOS_KEY",
    "REDIS_URL",
    "REDIS_PASSWORD",
    "REDIS_SSL",
    "EVENT_HUB_NAMESPACE",
    "EVENT_HUB_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "SENDGRID_API_KEY",
    "FROM_EMAIL",
]


def refused(environ: dict[str, str]) -> str:
    """What an operator reads."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return str(caught.value)


def test_every_variable_of_the_plan_exists() -> None:
    assert {name.upper() for name in Settings.model_fields} >= set(APPENDIX_B)


def test_every_variable_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_production_defaults_are_the_plans() -> None:
    settings = load_settings(PRODUCTION)
    assert (settings.env, settings.role, settings.host, settings.port) == ("production", "all", "0.0.0.0", 8000)
    assert settings.cors_origins == ("https://holidaypeakhub.com", "https://admin.holidaypeakhub.com")
    assert (settings.rate_limit_per_minute, settings.rate_limit_burst, settings.rate_limit_scale) == (60, 100, 1.0)
    assert (settings.jwt_access_expiry_minutes, settings.jwt_refresh_expiry_days) == (15, 7)
    assert settings.agent_base_url == "http://{service-name}:8000"
    assert settings.redis_address == "rediss://cache.example.com:6380"


@pytest.mark.parametrize(("role", "port"), [("gateway", 8000), ("crud", 8001), ("worker", 8090)])
def test_each_role_has_its_port(role: str, port: int) -> None:
    assert load_settings({**PRODUCTION, "ROLE": role}).port == port
    assert load_settings({**PRODUCTION, "ROLE": role, "PORT": "9000"}).port == 9000


def test_every_fault_is_in_one_message() -> None:
    text = refused(
        {
            "JWT_SECRET": "twelve-chars",
            "PORT": "http",
            "CORS_ORIGINS": "*",
            "TRUSTED_PROXIES": "10.0.0.0/8,nonsense",
            "SHOP_TIMEZONE": "Mars/Olympus",
            "AGENT_BASE_URL": "http://agents:8000",
        }
    )
    assert "JWT_SECRET: has 12 characters, needs at least 32" in text
    for name in ("PORT", "CORS_ORIGINS", "TRUSTED_PROXIES", "SHOP_TIMEZONE", "AGENT_BASE_URL", "DATA_KEY", "REDIS_URL"):
        assert f"\n  {name}: " in text
    assert "twelve-chars" not in text


def test_production_needs_its_secrets() -> None:
    text = refused({})
    for name in PRODUCTION:
        assert f"{name}: needed in production" in text


@pytest.mark.parametrize(
    ("role", "missing"),
    [
        ("all", ["COSMOS_ACCOUNT_URI", "EVENT_HUB_NAMESPACE"]),
        ("crud", ["COSMOS_ACCOUNT_URI"]),
        ("worker", ["COSMOS_ACCOUNT_URI", "EVENT_HUB_NAMESPACE"]),
    ],
)
def test_production_does_not_start_on_embedded_parts(role: str, missing: list[str]) -> None:
    text = refused({**SECRETS, "ROLE": role})
    assert [line.split(":")[0].strip() for line in text.splitlines()[1:]] == missing
    single = load_settings({**SECRETS, "ROLE": role, "SINGLE_MACHINE": "true"})
    assert len(single.embedded_parts) == len(missing)
    by_string = {**SERVICES, "EVENT_HUB_CONNECTION_STRING": "Endpoint=sb://h;SharedAccessKeyName=a;SharedAccessKey=b"}
    del by_string["EVENT_HUB_NAMESPACE"]
    for services in (SERVICES, by_string):
        assert load_settings({**SECRETS, **services, "ROLE": role}).embedded_parts == []


def test_the_gateway_needs_fewer_secrets() -> None:
    environ = {"ROLE": "gateway", "JWT_SECRET": SECRET, "REDIS_URL": "rediss://cache.example.com"}
    assert load_settings(environ).role == "gateway"


@pytest.mark.parametrize("value", ["your-secret-key-min-32-chars-long-enough", "a" * 40, "<primary-key>" * 3])
def test_production_refuses_placeholders(value: str) -> None:
    assert "JWT_SECRET: is a placeholder" in refused({**PRODUCTION, "JWT_SECRET": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ORIGINS", "http://shop.example.com"),
        ("CORS_ORIGINS", "https://shop.example.com/"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
        ("REDIS_URL", "http://cache.example.com"),
        ("RATE_LIMIT_SCALE", "nan"),
        ("RATE_LIMIT_SCALE", "0"),
        ("CRUD_SERVICE_URL", "crud-service:8001"),
        ("FROM_EMAIL", "nobody"),
        ("SHOP_CURRENCY", "usd"),
        ("ENV", "staging"),
        ("SMS_ACCOUNT_ID", "AC123"),
        ("EVENT_HUB_NAMESPACE", "https://hub.example.com"),
        ("EVENT_HUB_CONNECTION_STRING", "SharedAccessKeyName=a;SharedAccessKey=b"),
        ("EVENT_HUB_CONNECTION_STRING", "Endpoint=sb://hub.example.com/;SharedAccessKeyName=a"),
        (
            "EVENT_HUB_CONNECTION_STRING",
            "Endpoint=sb://h.example.com;SharedAccessKeyName=a;SharedAccessKey=b;EntityPath=c",
        ),
    ],
)
def test_refused_in_production(name: str, value: str) -> None:
    assert f"\n  {name}: " in refused({**PRODUCTION, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENT_HUB_NAMESPACE", "holiday-peak-events"),
        ("EVENT_HUB_NAMESPACE", "holiday-peak-events.servicebus.windows.net"),
        ("EVENT_HUB_CONNECTION_STRING", "Endpoint=sb://h.example.com/;SharedAccessKeyName=a;SharedAccessKey=b="),
        (
            "EVENT_HUB_CONNECTION_STRING",
            "Endpoint=sb://h.example.com/;SharedAccessSignature=SharedAccessSignature sr=a",
        ),
        (
            "EVENT_HUB_CONNECTION_STRING",
            "Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;",
        ),
    ],
)
def test_a_namespace_is_named_or_connected_to(name: str, value: str) -> None:
    load_settings({**PRODUCTION, name: value})


def test_rs256_needs_a_sound_key() -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != "JWT_SECRET"} | {"JWT_ALGORITHM": "RS256"}
    assert "JWT_PRIVATE_KEY: needed with JWT_ALGORITHM=RS256" in refused(environ)
    assert "JWT_PRIVATE_KEY: is not a private key" in refused({**environ, "JWT_PRIVATE_KEY": "nonsense"})
    pem = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )
    settings = load_settings({**environ, "JWT_PRIVATE_KEY": pem.replace("\n", "\\n")})
    assert settings.jwt_private_key is not None
    assert settings.jwt_private_key.get_secret_value().strip() == pem.strip()


def test_lists_and_empty_variables() -> None:
    settings = load_settings(
        {**PRODUCTION, "TRUSTED_PROXIES": " 10.0.0.0/8 , ::1/128,", "BUILT_IN_AGENTS": "none", "HOST": ""}
    )
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert settings.built_in_agents == ()
    assert settings.host == "0.0.0.0"
    assert load_settings({**PRODUCTION, "AGENT_BASE_URL": "none"}).agent_base_url == ""


def test_redis_ssl_decides_the_scheme() -> None:
    assert load_settings({**PRODUCTION, "REDIS_SSL": "false"}).redis_address == "redis://cache.example.com:6380"
    assert (
        load_settings({**PRODUCTION, "REDIS_URL": "unix:///run/redis.sock"}).redis_address == "unix:///run/redis.sock"
    )


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("REDIS_CLUSTER", {"REDIS_CLUSTER": "true", "REDIS_URL": "unix:///run/redis.sock"}),
        ("REDIS_CLUSTER", {"REDIS_CLUSTER": "true", "REDIS_URL": "rediss://cache.example.com:6380/3"}),
        ("REDIS_ENTRA_ID", {"REDIS_ENTRA_ID": "true", "REDIS_PASSWORD": "hidden-word"}),
        ("REDIS_ENTRA_ID", {"REDIS_ENTRA_ID": "true", "REDIS_URL": "rediss://me:hidden-word@cache.example.com"}),
        ("REDIS_ENTRA_ID", {"REDIS_ENTRA_ID": "true", "REDIS_SSL": "false"}),
    ],
)
def test_redis_settings_that_contradict_each_other_are_refused(name: str, more: dict[str, str]) -> None:
    text = refused({**PRODUCTION, **more})
    assert f"\n  {name}: " in text
    assert "hidden-word" not in text


def test_a_cluster_with_entra_id_is_accepted() -> None:
    settings = load_settings({**PRODUCTION, "REDIS_CLUSTER": "true", "REDIS_ENTRA_ID": "true"})
    assert (settings.redis_cluster, settings.redis_entra_id, settings.redis_username) == (True, True, None)


def test_secrets_never_show() -> None:
    environ = {**PRODUCTION, "REDIS_URL": "rediss://:hidden-word@cache.example.com"}
    settings = load_settings(environ)
    shown = repr(settings) + str(settings) + describe(environ) + str(settings.model_dump())
    for secret in (*SECRETS.values(), "hidden-word"):
        assert secret not in shown
    assert "JWT_SECRET=**********  (set)" in shown
    assert "PORT=8000  (default)" in shown


def test_settings_do_not_change_and_do_not_read_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CURRENCY", "EUR")
    settings = Settings(env="test")
    assert settings.shop_currency == "USD"
    with pytest.raises(ValidationError):
        settings.port = 1


def test_derived_keys_differ_by_purpose() -> None:
    settings = Settings(data_key=SecretStr(SECRET))
    assert settings.derived_key("cursors") == settings.derived_key("cursors")
    assert settings.derived_key("cursors") != settings.derived_key("csrf")
    assert len(settings.derived_key("csrf")) == 32
    with pytest.raises(SettingsError):
        Settings().derived_key("csrf")


def test_local_mode_makes_secrets_once(tmp_path: Path) -> None:
    environ = {"ENV": "local", "DATA_DIR": str(tmp_path / "data")}
    first, second = load_settings(environ), load_settings(environ)
    assert first.jwt_secret == second.jwt_secret
    assert first.data_key == second.data_key
    assert first.jwt_secret is not None
    assert len(first.jwt_secret.get_secret_value()) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "secrets.json").stat().st_mode) == 0o600
    assert (first.host, first.agent_base_url, first.redis_address) == ("127.0.0.1", "", None)


def test_given_secrets_win_over_local_ones(tmp_path: Path) -> None:
    settings = load_settings({"ENV": "local", "DATA_DIR": str(tmp_path), "JWT_SECRET": SECRET})
    assert settings.jwt_secret is not None
    assert settings.jwt_secret.get_secret_value() == SECRET


def test_production_never_writes_secrets(tmp_path: Path) -> None:
    load_settings({**PRODUCTION, "ROLE": "worker", "DATA_DIR": str(tmp_path / "none")})
    assert not (tmp_path / "none").exists()


def test_processes_starting_at_once_agree_on_their_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: local_secrets(tmp_path / "data")["jwt_secret"], range(16)))
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.json"]


def test_a_folder_that_takes_no_files_is_an_operators_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "DATA_DIR" in refused({"ENV": "local", "DATA_DIR": str(tmp_path / "file")})


def test_the_command_lists_every_variable_and_masks() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "handlers.settings"], env=PRODUCTION, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for name in APPENDIX_B:
        assert f"\n{name}=" in "\n" + run.stdout
    assert SECRET not in run.stdout


def test_production_sends_its_mails_with_links_to_https_only() -> None:
    assert "PUBLIC_URL: 'http://shop.example.com' is not https" in refused(
        {**PRODUCTION, "PUBLIC_URL": "http://shop.example.com"}
    )
    assert load_settings({"ENV": "test", "PUBLIC_URL": "http://shop.example.com"}).public_url
