"""The single list of settings: `load`, the flags of `urumi serve` and the README come from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.settings.parsers import (
    IMAGE,
    LABEL,
    SUBDOMAIN,
    TOKEN_RULE,
    address,
    base_domain,
    between,
    database,
    directory,
    file,
    integer,
    matching,
    number,
    one_of,
    parse_duration,
    parse_token,
    rate,
    truth,
)

PREFIX: Final = "URUMI_"
LOCAL_DOMAIN: Final = "localtest.me"
_NAME_RULE: Final = "a lower-case DNS name of letters, digits, '-' and '.'"
_IMAGE_RULE: Final = "an image with a tag, optionally pinned: name:tag or name:tag@sha256:…"
_name = matching(SUBDOMAIN)


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


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "URUMI_ENV",
        "local",
        "Profile: a developer's machine, or production",
        "local or prod",
        one_of("local", "prod"),
    ),
    Setting(
        "URUMI_HOST",
        "127.0.0.1",
        "Address to listen on",
        "an IP address or a host name",
        address,
    ),
    Setting(
        "URUMI_PORT",
        "4000",
        "Port to listen on",
        "a port between 1 and 65535",
        integer(1, 65535),
    ),
    Setting(
        "URUMI_DATA_DIR",
        "./.urumi",
        "Everything the service keeps: database, admin token, `sandbox/`",
        "a directory, made when it does not exist",
        directory,
    ),
    Setting(
        "URUMI_DATABASE_URL",
        None,
        "Where the records live",
        "sqlite:///path of a file, or postgresql://user:password@host/name",
        database,
        shown="sqlite:///<data dir>/urumi.db",
        secret=True,
    ),
    Setting(
        "URUMI_CLUSTER",
        "auto",
        "Which cluster to use (see *Which cluster*)",
        "auto, sandbox, kubeconfig or in-cluster",
        one_of("auto", "sandbox", "kubeconfig", "in-cluster"),
    ),
    Setting(
        "URUMI_KUBECONFIG",
        None,
        "Kubeconfig of the cluster to use; goes before everything else",
        "a kubeconfig file",
        file,
    ),
    Setting(
        "URUMI_BASE_DOMAIN",
        LOCAL_DOMAIN,
        "Stores get `store-<id>.<base domain>`; a port goes into URLs, not into host rules",
        "a lower-case domain, optionally with a port: stores.example.com or localtest.me:8080",
        base_domain,
    ),
    Setting(
        "URUMI_INGRESS_CLASS", "traefik", "IngressClass of the stores' routes", _NAME_RULE, _name
    ),
    Setting(
        "URUMI_INGRESS_NAMESPACE",
        "traefik",
        "Namespace of the ingress controller, the only one let in to WordPress",
        "a DNS label",
        matching(re.compile(LABEL), 63),
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
        matching(IMAGE, 400),
    ),
    Setting(
        "URUMI_IMAGE_MYSQL",
        "mysql:8.4",
        "MySQL image of new stores, pulled IfNotPresent",
        _IMAGE_RULE,
        matching(IMAGE, 400),
    ),
    Setting(
        "URUMI_USER_NAMESPACES",
        "false",
        "Run the stores' pods with `hostUsers: false`",
        "true or false",
        truth,
    ),
    Setting(
        "URUMI_SANDBOX_SPEED",
        "1",
        "Factor on the sandbox's simulated start-up times; 0 is at once",
        "a number between 0 and 1000",
        between(0, 1000, number),
    ),
    Setting(
        "URUMI_WORKERS",
        "8",
        "How many stores are reconciled at a time",
        "a whole number between 1 and 256",
        integer(1, 256),
    ),
    Setting(
        "URUMI_MAX_STORES_PER_USER",
        "50",
        "Stores per user, admins included, stores in deletion counted; 0 is no limit",
        "a whole number, 0 or more",
        integer(0, 999_999_999),
    ),
    Setting(
        "URUMI_RATE_LIMIT",
        "600/minute",
        "API requests per token and per address",
        "<count>/second, /minute, /hour or /day, or off",
        rate,
    ),
    Setting(
        "URUMI_PROVISION_TIMEOUT",
        "10m",
        "How long a revision may take to become Ready before it fails",
        "1s to 24h: 10m, 90s, 1h30m or seconds",
        between(1, 86400, parse_duration),
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
        one_of("pretty", "json"),
        shown="pretty; json when `URUMI_ENV=prod`",
    ),
    Setting(
        "URUMI_LOG_LEVEL",
        "info",
        "The least severe lines that are written",
        "debug, info, warning or error",
        one_of("debug", "info", "warning", "error"),
    ),
)


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
