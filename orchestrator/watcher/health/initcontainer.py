"""What the init containers ``prepare`` and ``setup`` of the shop are doing, and how they failed.

Their exit codes are a small contract with the set-up scripts: 78 wrong settings or password, 75
database unreachable or lock busy (tried again by itself), 70 all else. ``setup`` leaves a JSON
object as its termination message.
"""

from __future__ import annotations

import json
from typing import Any, Final

from orchestrator.model.health import Health
from orchestrator.model.kinds import Json
from orchestrator.watcher.fields import clean, dig, mapping, number, text
from orchestrator.watcher.health import container
from orchestrator.watcher.health.words import degraded, progressing, with_detail

PREPARE: Final = "prepare"
SETUP: Final = "setup"
WRONG_SETTINGS: Final = 78
TRY_AGAIN: Final = 75
_RUNNING: Final = {PREPARE: "Preparing files", SETUP: "Setting up the shop"}
_FAILED: Final = {
    PREPARE: "The shop's files could not be prepared",
    SETUP: "Setting up the shop failed",
}
_SETUP_CODES: Final = {
    WRONG_SETTINGS: "The shop's settings or its database password are not right",
    TRY_AGAIN: (
        "The shop's database cannot be reached yet, or another set-up is at work; "
        "it is tried again by itself"
    ),
    70: "Setting up the shop failed",
}
_SECRET_WORDS: Final = ("password", "passwd", "secret", "token", "salt")


def assess(pod: Json, state: Json) -> Health | None:
    """Return what one init container says of the pod, or None when it ended well."""
    end = mapping(dig(state, "state", "terminated"))
    if end and number(end.get("exitCode"), -1) == 0:
        return None
    made = container.image_trouble(pod, state) or container.config_trouble(pod, state)
    if made is not None:
        return made
    name = clean(state.get("name"), 63)
    if dig(state, "state", "running") is not None:
        return progressing("Initializing", _running(name), pod)
    ended = container.terminated(state)
    if number(ended.get("exitCode")) != 0 or container.out_of_memory(ended):
        return failed(pod, state)
    waits = text(container.waiting(state).get("reason")) or "PodInitializing"
    return progressing(waits, f"Waiting to start: {_running(name)}", pod)


def _running(name: str) -> str:
    return _RUNNING.get(name) or f"Preparing to start: step {name or 'unnamed'}"


def failed(pod: Json, state: Json) -> Health:
    """Explain an init container that ended with a failure."""
    name = text(state.get("name"))
    end = container.terminated(state)
    code = number(end.get("exitCode"), -1)
    reason = text(container.waiting(state).get("reason")) or text(end.get("reason")) or "Error"
    sentence = _FAILED.get(name) or f"The step {clean(name, 63) or 'unnamed'} failed"
    if container.out_of_memory(end):
        why = container.memory_sentence(pod, state, "the step")
        return degraded("OOMKilled", with_detail(sentence, why), pod)
    if name == SETUP:
        sentence = _SETUP_CODES.get(code, sentence)
    sentence = with_detail(f"{sentence} (exit code {code})", summary(end.get("message")))
    if name == SETUP and code == TRY_AGAIN:
        return progressing(reason, sentence, pod)
    return degraded(reason, sentence, pod)


def summary(message: Any) -> str:
    """Return a termination message as one readable line; JSON is read, secrets are left out."""
    said = _read(message)
    if said is None:
        return clean(text(message).strip(), 350)
    for key in ("message", "error", "summary", "detail"):
        if text(said.get(key)).strip():
            return clean(said[key], 350)
    parts = [f"{key}: {_plain(value)}" for key, value in said.items() if _shown(key, value)]
    return clean(", ".join(parts), 350)


def outcome(message: Any) -> str:
    """Return what a set-up that ended well left: versions, the order as evidence, what changed."""
    said = _read(message)
    if said is None or not text(said.get("wordpress")):
        return summary(message)
    versions = [
        f"{name} {clean(said[key], 60)}"
        for key, name in (("wordpress", "WordPress"), ("woocommerce", "WooCommerce"))
        if text(said.get(key))
    ]
    parts = [", ".join(versions)]
    order = mapping(said.get("order"))
    if number(order.get("id"), -1) >= 0 and number(order.get("milliseconds"), -1) >= 0:
        took = f"{number(order['milliseconds'])} ms"
        parts.append(f"order {number(order['id'])} was placed and removed in {took}")
    if text(said.get("changed")):
        parts.append(f"changed: {clean(said['changed'], 200)}")
    if said.get("simulated") is True:
        parts.append("simulated, nothing real was installed")
    return clean("; ".join(parts), 350)


def _read(message: Any) -> dict[str, Any] | None:
    raw = text(message).strip()
    try:
        said = json.loads(raw) if raw[:1] == "{" else None
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _shown(key: str, value: Any) -> bool:
    if any(word in key.lower() for word in _SECRET_WORDS):
        return False
    if isinstance(value, list):
        return bool(value) and all(isinstance(v, str) for v in value)
    return isinstance(value, (bool, int, float)) or bool(text(value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value[:5])
    return str(value)[:200]
