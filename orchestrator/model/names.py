"""Names, labels and the rules for what people may call things.

Every constant that the cluster, users and scripts rely on stands here once.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

PRODUCT: Final = "Urumi Stores"
FIELD_MANAGER: Final = "urumi-orchestrator"
DOMAIN: Final = "stores.urumi.dev"
ID_LABEL: Final = f"{DOMAIN}/id"
UID_ANNOTATION: Final = f"{DOMAIN}/uid"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
SELECTOR: Final = f"{MANAGED_BY_LABEL}={FIELD_MANAGER},{ID_LABEL}"
NAMESPACE_PREFIX: Final = "store-"
CREDENTIALS_SECRET: Final = "store-credentials"
DATABASE_CLAIM: Final = "data-mysql-0"

ID_RULE: Final = (
    "a DNS label of 1 to 40 characters: lower-case letters, digits and '-', "
    "starting and ending with a letter or digit"
)
NAME_RULE: Final = "1 to 80 characters of any language, not only white space, no control characters"
DOMAIN_RULE: Final = (
    "a lower-case fully qualified domain name that is not an IP address, a wildcard, "
    "localhost, or under .local, .internal or .svc"
)
TAG_RULE: Final = "an image tag: letters, digits, '_', '.', '-', at most 128 characters"

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PRIVATE_SUFFIXES: Final = ("localhost", "local", "internal", "svc", "cluster.local")


def namespace_of(store_id: str) -> str:
    """Return the namespace of a store: ``store-<id>``."""
    return NAMESPACE_PREFIX + store_id


def id_problem(value: str) -> str | None:
    """Return the rule that ``value`` breaks as a store id, or None."""
    if not _ID.fullmatch(value):
        return ID_RULE
    if value == "default" or value.startswith("kube-"):
        return "reserved: 'default' and ids that start with 'kube-' cannot be used"
    return None


def name_problem(value: str, longest: int = 80) -> str | None:
    """Return the rule that ``value`` breaks as a display name, or None."""
    if not 1 <= len(value) <= longest or not value.strip():
        return NAME_RULE.replace("80", str(longest))
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
        return NAME_RULE.replace("80", str(longest))
    return None


def tag_problem(value: str) -> str | None:
    """Return the rule that ``value`` breaks as an image tag, or None (OCI distribution spec)."""
    return None if _TAG.fullmatch(value) else TAG_RULE


def domain_problem(value: str) -> str | None:
    """Return the rule that ``value`` breaks as a store's own domain, or None."""
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(part) for part in labels):
        return DOMAIN_RULE
    if labels[-1].isdigit() or _is_address(value):
        return DOMAIN_RULE
    if any(under(value, suffix) for suffix in _PRIVATE_SUFFIXES):
        return DOMAIN_RULE
    return None


def under(name: str, parent: str) -> bool:
    """Tell whether ``name`` is ``parent`` or a subdomain of it."""
    return name == parent or name.endswith("." + parent)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True
