"""The words in which health speaks to a shop owner.

Every sentence says what is wrong in plain words and then, in brackets, what Kubernetes calls it
and where: ``The database image cannot be downloaded: mysql:missing (ImagePullBackOff on
Pod/store-a/mysql-0)``.
"""

from __future__ import annotations

from typing import Final

from orchestrator.model.health import Health, HealthStatus
from orchestrator.model.kinds import Json
from orchestrator.model.names import COMPONENT_LABEL
from orchestrator.watcher.fields import LONGEST, clean, identity, labels, text

DATABASE: Final = "database"
WORDPRESS: Final = "wordpress"
CRON: Final = "wp-cron"
_TITLES: Final = {
    DATABASE: "The database",
    WORDPRESS: "WordPress",
    CRON: "The background job",
}
_IMAGES: Final = {
    DATABASE: "The database image",
    WORDPRESS: "The WordPress image",
    CRON: "The background job's image",
}


def component(obj: Json) -> str:
    """Return the object's component label, or an empty string."""
    return text(labels(obj).get(COMPONENT_LABEL))


def title(obj: Json) -> str:
    """Return what a shop owner calls the component that the object belongs to."""
    return _TITLES.get(component(obj)) or clean(component(obj), 60) or "The workload"


def named(obj: Json) -> str:
    """Return the component's title as it stands inside a sentence."""
    said = title(obj)
    return f"the {said[4:]}" if said.startswith("The ") else said


def image_title(obj: Json) -> str:
    """Return what a shop owner calls the component's image."""
    return _IMAGES.get(component(obj), "The image")


def health(status: HealthStatus, reason: str, sentence: str, obj: Json | None = None) -> Health:
    """Return a Health whose message ends in the reason and the object it was seen on.

    The brackets survive even when the sentence is too long.
    """
    word = clean(reason, 100).replace(" ", "") or "Unknown"
    tail = f" ({word} on {identity(obj)})" if obj is not None else ""
    return Health(status, word, clean(sentence, LONGEST - len(tail)) + tail)


def healthy(reason: str, sentence: str) -> Health:
    """Return a good Health."""
    return health(HealthStatus.HEALTHY, reason, sentence)


def progressing(reason: str, sentence: str, obj: Json | None = None) -> Health:
    """Return a Health that may still become good by itself."""
    return health(HealthStatus.PROGRESSING, reason, sentence, obj)


def degraded(reason: str, sentence: str, obj: Json | None = None) -> Health:
    """Return a Health that hardly becomes good by itself."""
    return health(HealthStatus.DEGRADED, reason, sentence, obj)


def missing(sentence: str) -> Health:
    """Return the Health of an object that is not there."""
    return Health(HealthStatus.MISSING, "Missing", clean(sentence))


def with_detail(sentence: str, detail: str) -> str:
    """Append what Kubernetes says, if it says anything."""
    return f"{sentence}: {detail}" if detail else sentence


def creation_refused(workload: Json, reason: str, words: str) -> Health:
    """Explain why a controller may not create pods: quota, Pod Security, limits, webhooks."""
    if "exceeded quota: store," in words:
        sentence = f"{title(workload)} does not fit into the plan's resource quota"
    elif "exceeded quota" in words:
        sentence = f"A resource quota keeps {named(workload)} from starting"
    else:
        sentence = f"The cluster refuses to start {named(workload)}"
    return degraded(reason, with_detail(sentence, clean(words, 350)), workload)
