"""Configuration: the environment and flags → one frozen object, checked once at start."""

from __future__ import annotations

from orchestrator.settings.parsers import TOKEN_RULE, parse_duration, parse_token
from orchestrator.settings.settings import Settings, load
from orchestrator.settings.table import SETTINGS, Setting, table

__all__ = [
    "SETTINGS",
    "TOKEN_RULE",
    "Setting",
    "Settings",
    "load",
    "parse_duration",
    "parse_token",
    "table",
]
