"""Every setting is checked at start, and a wrong one is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.cli.docs import PAGES, refreshed
from orchestrator.model.errors import SettingsError
from orchestrator.settings import SETTINGS, Setting, load, parse_duration, table

README = Path(__file__).parents[2] / "README.md"

DEFAULTS = {
    "env": "local",
    "host": "127.0.0.1",
    "port": 4000,
    "cluster": "auto",
    "kubeconfig": None,
    "base_domain": "localtest.me",
    "base_port": None,
    "ingress_class": "traefik",
    "ingress_namespace": "traefik",
    "tls_issuer": None,
    "storage_class": None,
    "image_wordpress": "wordpress:6.9-php8.4-apache",
    "image_mysql": "mysql:8.4",
    "user_namespaces": False,
    "sandbox_speed": 1.0,
    "workers": 8,
    "max_stores_per_user": 50,
    "rate_limit": "600/minute",
    "provision_timeout": 600.0,
    "admin_token": None,
    "log_format": "pretty",
    "log_level": "info",
}


def test_the_defaults_are_those_of_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({})
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS
    assert settings.data_dir == tmp_path / ".urumi"
    assert settings.database_url == f"sqlite:///{tmp_path}/.urumi/urumi.db"
    assert settings.admin_token_file == tmp_path / ".urumi" / "admin-token"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.variable)
def test_an_empty_variable_counts_as_unset(setting: object) -> None:
    assert load({setting.variable: ""}) == load({})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("URUMI_ENV", "prod", "env", "prod"),
        ("URUMI_HOST", "::1", "host", "::1"),
        ("URUMI_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("URUMI_PORT", "65535", "port", 65535),
        ("URUMI_BASE_DOMAIN", "stores.example.com:8443", "base_port", 8443),
        ("URUMI_BASE_DOMAIN", "stores.example.com:8443", "base_domain", "stores.example.com"),
        ("URUMI_KUBECONFIG", "/k/config", "kubeconfig", Path("/k/config")),
        ("URUMI_IMAGE_MYSQL", "reg.example:5000/db/mysql:8.4", "image_mysql", None),
        ("URUMI_IMAGE_MYSQL", "mysql:8.4@sha256:" + "0a" * 32, "image_mysql", None),
        ("URUMI_USER_NAMESPACES", "TRUE", "user_namespaces", True),
        ("URUMI_SANDBOX_SPEED", "0", "sandbox_speed", 0.0),
        ("URUMI_MAX_STORES_PER_USER", "0", "max_stores_per_user", 0),
        ("URUMI_RATE_LIMIT", "off", "rate_limit", None),
        ("URUMI_RATE_LIMIT", "5/second", "rate_limit", "5/second"),
        ("URUMI_PROVISION_TIMEOUT", "1h30m", "provision_timeout", 5400.0),
        ("URUMI_DATABASE_URL", "postgresql://u:p@db:5432/urumi", "database_url", None),
        ("URUMI_DATABASE_URL", "postgresql:///urumi?host=/run/pg", "database_url", None),
        ("URUMI_LOG_FORMAT", "json", "log_format", "json"),
    ],
)
def test_right_values_are_taken(variable: str, value: str, field: str, expected: object) -> None:
    wanted = value if expected is None and variable != "URUMI_RATE_LIMIT" else expected
    assert getattr(load({variable: value}), field) == wanted


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("URUMI_ENV", "staging"),
        ("URUMI_HOST", "256.0.0.1"),
        ("URUMI_HOST", "a b"),
        ("URUMI_PORT", "0"),
        ("URUMI_PORT", "65536"),
        ("URUMI_PORT", "٤٠٠٠"),
        ("URUMI_PORT", "9" * 5000),
        ("URUMI_DATA_DIR", __file__),
        ("URUMI_CLUSTER", "kind"),
        ("URUMI_BASE_DOMAIN", "Example.com"),
        ("URUMI_BASE_DOMAIN", "com"),
        ("URUMI_BASE_DOMAIN", "example.com:0"),
        ("URUMI_INGRESS_CLASS", "a_b"),
        ("URUMI_INGRESS_NAMESPACE", "a.b"),
        ("URUMI_IMAGE_WORDPRESS", "wordpress"),
        ("URUMI_IMAGE_WORDPRESS", "wordpress:6.9@sha256:12"),
        ("URUMI_USER_NAMESPACES", "maybe"),
        ("URUMI_SANDBOX_SPEED", "-1"),
        ("URUMI_SANDBOX_SPEED", "nan"),
        ("URUMI_WORKERS", "0"),
        ("URUMI_MAX_STORES_PER_USER", "-1"),
        ("URUMI_RATE_LIMIT", "600"),
        ("URUMI_RATE_LIMIT", "0/minute"),
        ("URUMI_PROVISION_TIMEOUT", "0"),
        ("URUMI_PROVISION_TIMEOUT", "25h"),
        ("URUMI_PROVISION_TIMEOUT", "10 minutes"),
        ("URUMI_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_with_variable_value_and_rule(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({variable: value})
    message = str(caught.value)
    allowed = next(s.allowed for s in SETTINGS if s.variable == variable)
    assert message.startswith(f"{variable}={value[:120]!r}")
    assert message.endswith(allowed)
    assert "\n" not in message and len(message) < 400


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("URUMI_DATABASE_URL", "mysql://u:hunter22@db/x"),
        ("URUMI_DATABASE_URL", "postgresql://u:hunter22@db:x/y?password=hunter22"),
        ("URUMI_DATABASE_URL", "sqlite://"),
        ("URUMI_ADMIN_TOKEN", "hunter22 with spaces"),
        ("URUMI_ADMIN_TOKEN", "hunter2"),
    ],
)
def test_a_wrong_secret_is_not_shown(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({variable: value})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert variable in str(caught.value)


def test_secrets_are_in_no_repr() -> None:
    settings = load(
        {"URUMI_ADMIN_TOKEN": "hunter2222", "URUMI_DATABASE_URL": "postgresql://u:hunter2@h/d"}
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("URUMI_DATADIR", "URUMI_DATA_DIR"), ("URUMI_PRT", "URUMI_PORT"), ("URUMI_ZZZ", "--help")],
)
def test_a_misspelt_variable_is_an_error_that_names_the_closest(name: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        load({name: "x"})
    assert hint in str(caught.value)


def test_variables_that_are_not_settings_are_left_alone() -> None:
    others = (
        "URUMI_URL",
        "URUMI_TOKEN",
        "URUMI_TEST_CLUSTER",
        "URUMI_LAB_DIR",
        "URUMI_STORES_SERVICE_HOST",  # Kubernetes sets these beside a Service urumi-stores
        "URUMI_STORES_PORT_4000_TCP_ADDR",
    )
    assert load(dict.fromkeys(others, "x")) == load({})


def test_a_flag_wins_and_is_named_when_wrong() -> None:
    environ = {"URUMI_PORT": "5000"}
    assert load(environ, {"URUMI_PORT": "6000", "URUMI_HOST": None}).port == 6000
    with pytest.raises(SettingsError, match=r"--port \(URUMI_PORT\)='x'"):
        load(environ, {"URUMI_PORT": "x"})


def test_production_logs_json_and_says_what_is_unwise() -> None:
    settings = load({"URUMI_ENV": "prod"})
    assert settings.log_format == "json"
    said = "\n".join(settings.warnings)
    for variable in ("BASE_DOMAIN", "TLS_ISSUER", "IMAGE_WORDPRESS", "IMAGE_MYSQL"):
        assert f"URUMI_{variable}" in said
    assert load({}).warnings == ()


def test_a_data_dir_with_special_characters_stays_one_path(tmp_path: Path) -> None:
    from urllib.parse import unquote, urlsplit

    odd = tmp_path / "a?b#c%41"
    url = load({"URUMI_DATA_DIR": str(odd)}).database_url
    assert unquote(urlsplit(url).path) == f"/{odd}/urumi.db"


@given(hours=st.integers(0, 99), minutes=st.integers(0, 99), seconds=st.integers(0, 99))
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == total
    assert parse_duration(str(total)) == total


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("URUMI_DATABASE_URL", "sqlite:////dev/null"),
        ("URUMI_DATABASE_URL", "sqlite:////"),
        ("URUMI_DATABASE_URL", "sqlite:///:memory:"),
        ("URUMI_BASE_DOMAIN", "1.2.3.4"),
        ("URUMI_DATA_DIR", "one\ntwo"),
    ],
)
def test_what_looks_right_and_is_not(variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({variable: text})
    assert variable in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_credentials_in_the_wrong_place_are_not_shown(setting: Setting) -> None:
    for text in ("https://kim:hunter2@/a b", "kim:hunter2@host"):
        try:
            load({setting.variable: text})
        except SettingsError as exc:
            assert "hunter2" not in str(exc)


@given(st.text())
@example("x" * 5000)
@example("~nobody-is-called-so")
@example("a\0b")
def test_no_text_breaks_the_parsers(text: str) -> None:
    for setting in SETTINGS:
        try:
            load({setting.variable: text})
        except SettingsError as exc:
            assert "\n" not in str(exc)


@pytest.mark.parametrize("page", PAGES)
def test_generated_tables_are_current(page: str) -> None:
    text = (README.parent / page).read_text("utf-8")
    assert refreshed(text, PAGES[page]) == text, "run `make docs`"


def test_the_table_has_every_setting_once() -> None:
    lines = table().splitlines()
    for setting in SETTINGS:
        assert sum(line.startswith(f"| `{setting.variable}` |") for line in lines) == 1
