"""Rules on names, labels and the like: each returns what is wrong with a string.

The words are those of ``k8s.io/apimachinery/pkg/util/validation``.
"""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{_LABEL}')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{_QUALIFIED}')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '({_QUALIFIED})?')"
)
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def label(value: str) -> list[str]:
    """A DNS label: names of namespaces, containers, volumes."""
    found = [] if len(value) <= 63 else ["must be no more than 63 characters"]
    if not re.fullmatch(_LABEL, value):
        found.append("must not contain dots" if _dotted(value) else _LABEL_TEXT)
    return found


def _dotted(value: str) -> bool:
    return "." in value and re.fullmatch(_SUBDOMAIN, value) is not None


def subdomain(value: str) -> list[str]:
    """A DNS subdomain: names of most objects."""
    found = [] if len(value) <= 253 else ["must be no more than 253 characters"]
    if not re.fullmatch(_SUBDOMAIN, value):
        found.append(_SUBDOMAIN_TEXT)
    return found


def path_segment(value: str) -> list[str]:
    """A part of a URL path: names of RBAC objects."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{mark}'" for mark in ("/", "%") if mark in value]


def qualified(value: str) -> list[str]:
    """A label key: a name with an optional prefix."""
    prefix, slash, name = value.rpartition("/")
    if slash and "/" in prefix:
        return [
            f"a valid label key {_QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    found: list[str] = []
    if slash:
        if not prefix:
            found.append("prefix part must be non-empty")
        else:
            found += [f"prefix part {why}" for why in subdomain(prefix)]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_QUALIFIED, name):
        found.append(f"name part {_QUALIFIED_TEXT}")
    return found


def label_value(value: str) -> list[str]:
    """The value of a label."""
    found = [] if len(value.encode()) <= 63 else ["must be no more than 63 bytes"]
    if value and not re.fullmatch(_QUALIFIED, value):
        found.append(_VALUE_TEXT)
    return found


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    if len(value) > 253:
        return ["must be no more than 253 characters"]
    if not re.fullmatch("[-._a-zA-Z0-9]+", value):
        return [_KEY_TEXT]
    if value in (".", "..") or value.startswith(".."):
        return [f"must not be '{value}'" if value in (".", "..") else "must not start with '..'"]
    return []


def port_name(value: str) -> list[str]:
    """The name of a port."""
    if len(value) > 15:
        return ["must be no more than 15 characters"]
    found = []
    if not re.fullmatch("[-a-z0-9]+", value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def wildcard(value: str) -> list[str]:
    """A host of the form ``*.example.com``."""
    if not re.fullmatch(rf"\*\.{_SUBDOMAIN}", value) or len(value) > 253:
        return [
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
            "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
            "end with an alphanumeric character (e.g. '*.example.com', regex used for validation "
            rf"is '\*\.{_SUBDOMAIN}')"
        ]
    return []


def environment(value: str) -> list[str]:
    """The name of an environment variable."""
    if not value or any(not 0x20 <= ord(c) <= 0x7E or c == "=" for c in value):
        return [
            "a valid environment variable name must consist only of printable ASCII characters "
            "other than '='"
        ]
    return []


def percent(value: str) -> list[str]:
    """A percentage."""
    if not re.fullmatch("[0-9]+%", value):
        return [
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
            "'1%',  or '93%', regex used for validation is '[0-9]+%')"
        ]
    return []
