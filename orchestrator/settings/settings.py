"""Environment and flags → one frozen object, checked once, before anything starts.

Why: a wrong value must stop the start with one line that names the variable, the value and what is
allowed, instead of failing hours later somewhere else. `SETTINGS` is the single list: `load`, the
flags of `urumi serve` and the README's table are made from it. Nothing else reads the environment
for configuration. Invariants: an empty variable counts as unset; secrets never appear in an error
or a repr; a misspelt ``URUMI_…`` variable is an error and not silence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from orchestrator.model.errors import SettingsError
from orchestrator.settings.parsers import sqlite_file
from orchestrator.settings.table import LOCAL_DOMAIN, PREFIX, SETTINGS, Setting

# Not settings of the service: the command line's, the tests' and the lab's; and what Kubernetes
# puts into pods beside a Service whose name starts with "urumi".
_NOT_OURS: Final = re.compile(
    r"URUMI_(URL|TOKEN|(TEST|LAB|BENCH|SMOKE|E2E)_\w+|\w*_?SERVICE_(HOST|PORT)(_\w+)?"
    r"|\w+_PORT|(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)
_BY_VARIABLE: Final = {setting.variable: setting for setting in SETTINGS}


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
        sqlite = self.database_url.startswith("sqlite:")
        return sqlite_file(self.database_url).absolute() if sqlite else None

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
