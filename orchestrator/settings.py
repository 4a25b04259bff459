"""Environment and flags → one frozen object, checked once, before anything starts.

Why: a wrong value must stop the start with one line that names the variable, the value and what is
allowed, instead of failing hours later somewhere else. `SETTINGS` is the single list: `load`, the
flags of `urumi serve` and the README's table are made from it. Nothing else reads the environment
for configuration. Invariants: an empty variable counts as unset; secrets never appear in an error
or a repr; a misspelt ``URUMI_…`` variable is an error and not silence.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from orchestrator.model.errors import SettingsError

PREFIX: Final = "URUMI_"
LOCAL_DOMAIN: Final = "localtest.me"

# Not settings of the service: the command line's, the tests' and the lab's; and what Kubernetes
# puts into pods beside a Service whose name starts with "urumi".
_NOT_OURS: Final = re.compile(
    r"URUMI_(URL|TOKEN|(TEST|LAB|BENCH|SMOKE|E2E)_\w+|\w*_?SERVICE_(HOST|PORT)(_\w+)?"
    r"|\w+_PORT|(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?/)?"
    rf"{_COMPONENT}(?:/{_COMPONENT})*:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}(?:@sha256:[0-9a-f]{{64}})?"
)
_DURATION: Final = re.compile(
    r"(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,6}(?:\.\d{1,3})?)s)?"
)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?")


@dataclass(frozen=True)
class Settings:
    """The whole configuration. Durations are seconds; see `SETTINGS` for what each value means."""

    env: Literal["local", "prod"]
    host: str
    port: int
    data_dir: Path
    database_url: str = field(repr=False)
    cluster: Literal["auto", "sandbox", "kubeconfig", "in-cluster"]
    kubeconfig: Path | None
    base_domain: str
    base_port: int | None
    ingress_class: str
    ingress_namespace: str
    tls_issuer: str | None
    storage_class: str | None
    image_wordpress: str
    image_mysql: str
    user_namespaces: bool
    sandbox_speed: float
    workers: int
    max_stores_per_user: int
    rate_limit: str | None
    provision_timeout: float
    admin_token: str | None = field(repr=False)
    log_format: Literal["pretty", "json"]
    log_level: Literal["debug", "info", "warning", "error"]

    @property
    def local(self) -> bool:
        """Whether this is the profile for a developer's machine."""
        return self.env == "local"

    @property
    def sandbox_dir(self) -> Path:
        """Where the sandbox keeps all of its state and its kubeconfig."""
        return self.data_dir / "sandbox"

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None when the records are on PostgreSQL."""
        parts = urlsplit(self.database_url)
        return Path(unquote(parts.path[1:])).absolute() if parts.scheme == "sqlite" else None

    @property
    def admin_token_file(self) -> Path:
        """Where the generated admin token is kept, mode 0600."""
        return self.data_dir / "admin-token"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what is allowed but unwise in production, one sentence each."""
        if self.local:
            return ()
        found = []
        if self.base_domain == LOCAL_DOMAIN:
            found.append(f"URUMI_BASE_DOMAIN is {LOCAL_DOMAIN}, which is 127.0.0.1 for everybody")
        if self.tls_issuer is None:
            found.append("URUMI_TLS_ISSUER is not set: shops are served without TLS")
        for name, image in (("WORDPRESS", self.image_wordpress), ("MYSQL", self.image_mysql)):
            if "@sha256:" not in image:
                found.append(f"URUMI_IMAGE_{name}={image} has no digest: its content can change")
        return tuple(found)


@dataclass(frozen=True)
class Setting:
    """One variable. ``default`` is parsed when unset; None means ``shown`` says what happens."""

    variable: str
    default: str | None
    meaning: str
    allowed: str
    parse: Callable[[str], Any]
    shown: str = ""
    secret: bool = False

    @property
    def flag(self) -> str:
        """The flag of ``urumi serve``: ``URUMI_DATA_DIR`` → ``--data-dir``."""
        return "--" + self.field.replace("_", "-")

    @property
    def field(self) -> str:
        """The attribute of `Settings`."""
        return self.variable.removeprefix(PREFIX).lower()

    @property
    def default_text(self) -> str:
        """The default as the documentation writes it."""
        return self.shown or self.default or "none"


def parse_duration(text: str) -> float:
    """Return the seconds of ``10m``, ``90s``, ``1h30m`` or a bare number. Errors: ValueError."""
    if _NUMBER.fullmatch(text):
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(text)
    return int(match["h"] or 0) * 3600.0 + int(match["m"] or 0) * 60.0 + float(match["s"] or 0)


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return parse


def _matching(pattern: re.Pattern[str], longest: int = 253) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return parse


def _integer(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return parse


def _between(least: float, most: float, read: Callable[[str], float]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = read(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return parse


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _truth(text: str) -> bool:
    word = text.lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise ValueError(text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        if re.fullmatch(r"[0-9.]+", text):
            raise
    return _matching(_SUBDOMAIN)(text.lower())


def _directory(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not text.isprintable() or (path.exists() and not path.is_dir()):
        raise ValueError(text)
    return path


def _file(text: str) -> Path:
    return Path(text).expanduser()


def _database(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "sqlite" and not parts.netloc and len(parts.path) > 1:
        path = Path(unquote(parts.path[1:]))
        if str(path) == ":memory:" or (path.exists() and not path.is_file()):
            raise ValueError(text)
        return text
    if parts.scheme == "postgresql" and (parts.hostname or "host=" in parts.query):
        if parts.path.strip("/") and (parts.port is None or parts.port > 0):
            return text
    raise ValueError(text)


def _base_domain(text: str) -> tuple[str, int | None]:
    name, colon, port = text.partition(":")
    if ("." not in name and name != "localhost") or name.rpartition(".")[2].isdigit():
        raise ValueError(text)
    return _matching(_SUBDOMAIN, 200)(name), _integer(1, 65535)(port) if colon else None


def _rate(text: str) -> str | None:
    if text == "off":
        return None
    return _matching(re.compile(r"[1-9]\d{0,6}/(second|minute|hour|day)"))(text)


TOKEN_RULE: Final = "8 to 256 visible ASCII characters"
parse_token = _matching(re.compile(r"[!-~]{8,256}"), 256)
_NAME_RULE: Final = "a lower-case DNS name of letters, digits, '-' and '.'"
_IMAGE_RULE: Final = "an image with a tag, optionally pinned: name:tag or name:tag@sha256:…"
_name = _matching(_SUBDOMAIN)

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "URUMI_ENV",
        "local",
        "Profile: a developer's machine, or production",
        "local or prod",
        _one_of("local", "prod"),
    ),
    Setting(
        "URUMI_HOST",
        "127.0.0.1",
        "Address to listen on",
        "an IP address or a host name",
        _address,
    ),
    Setting(
        "URUMI_PORT",
        "4000",
        "Port to listen on",
        "a port between 1 and 65535",
        _integer(1, 65535),
    ),
    Setting(
        "URUMI_DATA_DIR",
        "./.urumi",
        "Everything the service keeps: database, admin token, `sandbox/`",
        "a directory, made when it does not exist",
        _directory,
    ),
    Setting(
        "URUMI_DATABASE_URL",
        None,
        "Where the records live",
        "sqlite:///path of a file, or postgresql://user:password@host/name",
        _database,
        shown="sqlite:///<data dir>/urumi.db",
        secret=True,
    ),
    Setting(
        "URUMI_CLUSTER",
        "auto",
        "Which cluster to use (see *Which cluster*)",
        "auto, sandbox, kubeconfig or in-cluster",
        _one_of("auto", "sandbox", "kubeconfig", "in-cluster"),
    ),
    Setting(
        "URUMI_KUBECONFIG",
        None,
        "Kubeconfig of the cluster to use; goes before everything else",
        "a kubeconfig file",
        _file,
    ),
    Setting(
        "URUMI_BASE_DOMAIN",
        LOCAL_DOMAIN,
        "Stores get `store-<id>.<base domain>`; a port goes into URLs, not into host rules",
        "a lower-case domain, optionally with a port: stores.example.com or localtest.me:8080",
        _base_domain,
    ),
    Setting(
        "URUMI_INGRESS_CLASS", "traefik", "IngressClass of the stores' routes", _NAME_RULE, _name
    ),
    Setting(
        "URUMI_INGRESS_NAMESPACE",
        "traefik",
        "Namespace of the ingress controller, the only one let in to WordPress",
        "a DNS label",
        _matching(re.compile(_LABEL), 63),
    ),
    Setting(
        "URUMI_TLS_ISSUER",
        None,
        "cert-manager ClusterIssuer; when set, stores are served by https",
        _NAME_RULE,
        _name,
    ),
    Setting(
        "URUMI_STORAGE_CLASS",
        None,
        "StorageClass of the stores' volumes",
        _NAME_RULE,
        _name,
        shown="the cluster's default",
    ),
    Setting(
        "URUMI_IMAGE_WORDPRESS",
        "wordpress:6.9-php8.4-apache",
        "WordPress image of new stores, pulled IfNotPresent",
        _IMAGE_RULE,
        _matching(_IMAGE, 400),
    ),
    Setting(
        "URUMI_IMAGE_MYSQL",
        "mysql:8.4",
        "MySQL image of new stores, pulled IfNotPresent",
        _IMAGE_RULE,
        _matching(_IMAGE, 400),
    ),
    Setting(
        "URUMI_USER_NAMESPACES",
        "false",
        "Run the stores' pods with `hostUsers: false`",
        "true or false",
        _truth,
    ),
    Setting(
        "URUMI_SANDBOX_SPEED",
        "1",
        "Factor on the sandbox's simulated start-up times; 0 is at once",
        "a number between 0 and 1000",
        _between(0, 1000, _number),
    ),
    Setting(
        "URUMI_WORKERS",
        "8",
        "How many stores are reconciled at a time",
        "a whole number between 1 and 256",
        _integer(1, 256),
    ),
    Setting(
        "URUMI_MAX_STORES_PER_USER",
        "50",
        "Stores per user, admins included, stores in deletion counted; 0 is no limit",
        "a whole number, 0 or more",
        _integer(0, 999_999_999),
    ),
    Setting(
        "URUMI_RATE_LIMIT",
        "600/minute",
        "API requests per token and per address",
        "<count>/second, /minute, /hour or /day, or off",
        _rate,
    ),
    Setting(
        "URUMI_PROVISION_TIMEOUT",
        "10m",
        "How long a revision may take to become Ready before it fails",
        "1s to 24h: 10m, 90s, 1h30m or seconds",
        _between(1, 86400, parse_duration),
    ),
    Setting(
        "URUMI_ADMIN_TOKEN",
        None,
        "The first admin's token",
        TOKEN_RULE,
        parse_token,
        shown="generated once into `<data dir>/admin-token`, mode 0600",
        secret=True,
    ),
    Setting(
        "URUMI_LOG_FORMAT",
        None,
        "How log lines are written (to stderr)",
        "pretty or json",
        _one_of("pretty", "json"),
        shown="pretty; json when `URUMI_ENV=prod`",
    ),
    Setting(
        "URUMI_LOG_LEVEL",
        "info",
        "The least severe lines that are written",
        "debug, info, warning or error",
        _one_of("debug", "info", "warning", "error"),
    ),
)
_BY_VARIABLE: Final = {setting.variable: setting for setting in SETTINGS}


def load(environ: Mapping[str, str], overrides: Mapping[str, str | None] | None = None) -> Settings:
    """Return the checked configuration; ``overrides`` (by variable, from flags) win.

    Errors: SettingsError, whose text is one line with variable, value and what is allowed.
    """
    flags = {name: value for name, value in (overrides or {}).items() if value is not None}
    _refuse_unknown(environ)
    values = {s.field: _value(s, environ, flags) for s in SETTINGS}
    values["base_domain"], values["base_port"] = values["base_domain"]
    values["database_url"] = values["database_url"] or _default_database(values["data_dir"])
    values["log_format"] = values["log_format"] or (
        "pretty" if values["env"] == "local" else "json"
    )
    return Settings(**values)


def _value(setting: Setting, environ: Mapping[str, str], flags: Mapping[str, str]) -> Any:
    name = setting.variable
    if name in flags:
        return _parsed(setting, flags[name], f"{setting.flag} ({name})")
    raw = environ.get(name, "").strip() or setting.default
    return None if raw is None else _parsed(setting, raw, name)


def _parsed(setting: Setting, raw: str, where: str) -> Any:
    try:
        return setting.parse(raw)
    except (ValueError, RuntimeError, OSError) as exc:  # "~nobody", a name too long for a path
        shown = _without_secret(setting, raw)
        # Not chained: the cause's text holds the value, which may be secret.
        raise SettingsError(f"{where}={shown}: must be {setting.allowed}") from (
            None if setting.secret else exc
        )


def _without_secret(setting: Setting, raw: str) -> str:
    if not setting.secret:
        # Somebody's credentials in the wrong place are not shown either.
        return repr(re.sub(r"[^\s/@]*:[^\s/@]*@(?!sha256:)", "[hidden]@", raw)[:120])
    if "://" not in raw:
        return "(value not shown)"
    return repr(re.sub(r"//.*@", "//[hidden]@", raw.partition("?")[0], flags=re.DOTALL)[:120])


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _BY_VARIABLE or _NOT_OURS.fullmatch(name):
            continue
        known = [variable.removeprefix(PREFIX) for variable in _BY_VARIABLE]
        close = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1)
        hint = "`urumi serve --help` lists those there are"
        if close:
            hint = f"did you mean {PREFIX}{close[0]}?"
        raise SettingsError(f"{name}: there is no such setting; {hint}")


def _default_database(data_dir: Path) -> str:
    path = str(data_dir / "urumi.db")
    for special, quoted in (("%", "%25"), ("?", "%3F"), ("#", "%23")):
        path = path.replace(special, quoted)
    return f"sqlite:///{path}"


def table() -> str:
    """Return the README's configuration table in Markdown."""
    rows = ["| variable | default | meaning | allowed |", "| --- | --- | --- | --- |"]
    for s in SETTINGS:
        default = s.default_text if " " in s.default_text else f"`{s.default_text}`"
        default = "none" if default == "`none`" else default
        cells = (f"`{s.variable}`", default, s.meaning, s.allowed)
        rows.append("| " + " | ".join(map(_escaped, cells)) + " |")
    return "\n".join(rows) + "\n"


def _escaped(cell: str) -> str:
    """Escape ``<`` outside of code spans, where Markdown would take it for HTML."""
    parts = cell.split("`")
    return "`".join(p if i % 2 else p.replace("<", "\\<") for i, p in enumerate(parts))
