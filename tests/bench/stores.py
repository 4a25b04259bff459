"""What the contestants send: the objects of stores as the service renders them, Secret included."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from orchestrator.cli.render import fixed_uid, make_spec
from orchestrator.model.kinds import Json
from orchestrator.reconciler.credentials import generate
from orchestrator.renderer import Renderer, StoreProfile
from orchestrator.settings import load

_RENDERER: Final = Renderer()
_DELIMITERS: Final = re.compile(r"\{\{|\}\}")
# By Helm's rules a name is a word in a file; it holds nothing that YAML would have to quote.
_CHART: Final = 'apiVersion: v2\nname: store\nversion: 0.1.0\ndescription: "One store"\n'


def objects_of(store_id: str) -> list[Json]:
    """Return everything a store of the default engine and plan consists of, the Namespace first."""
    settings = load({}, {})
    spec, uid = make_spec({"id": store_id, "name": store_id}, settings), fixed_uid(store_id)
    rendered = _RENDERER.render(store_id, uid, spec, StoreProfile.of(settings))
    namespace, *rest = rendered.objects
    return [namespace, _RENDERER.credentials(store_id, uid, spec, generate()), *rest]


def write_chart(store_id: str, folder: Path) -> Path:
    """Write a chart that holds the same objects, but for the Namespace, and return its folder."""
    from orchestrator.renderer import to_yaml

    templates = folder / store_id / "templates"
    templates.mkdir(parents=True)
    (folder / store_id / "Chart.yaml").write_text(_CHART)
    for number, obj in enumerate(objects_of(store_id)[1:]):
        kind = obj["kind"].lower()
        text = literally(to_yaml([_helms(obj)]))
        (templates / f"{number:02}-{kind}.yaml").write_text(text)
    return folder / store_id


def literally(text: str) -> str:
    """Return a Go template that renders to exactly ``text``."""
    return _DELIMITERS.sub(lambda found: "{{ `" + found[0] + "` }}", text)


def _helms(obj: Json) -> Json:
    labels = {**obj["metadata"]["labels"], "app.kubernetes.io/managed-by": "Helm"}
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}
