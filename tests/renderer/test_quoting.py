"""What people send comes out as that text and as nothing else."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes

from orchestrator.model import names
from orchestrator.model.errors import TemplateError
from orchestrator.model.kinds import Json
from orchestrator.renderer import Credentials, Renderer, quote, to_yaml
from tests.renderer.samples import LOCAL, PROD, RENDERER, TEMPLATES, UID, find, make_spec, render

NASTY = '"; {{ 7*7 }} </script> - x: y #'
LOADERS: list[Any] = [
    yaml.SafeLoader,
    *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else []),
]
name = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=80).filter(
    lambda text: names.name_problem(text) is None
)


@settings(max_examples=150, deadline=None)
@example(NASTY, NASTY)
@example("\u2028a\u2029\u0085", "\ufeff\ufffe\uffff")
@example("😀 مرحبا \u202e שלום", "\\ \\n \\u0041 'a' \"b\"")
@example("!!python/object:os.system", "&a *a <<: [x] {y} %YAML ---")
@example("$(STORE_WORKERS) $$ $(HOME)", "1e3")
@example("null", "0o17")
@given(name, name)
def test_names_and_titles_come_out_as_they_are(store_name: str, title: str) -> None:
    if names.name_problem(store_name) or names.name_problem(title):
        return  # U+0085 is a control character, refused before
    rendered = render(make_spec(name=store_name, title=title))
    namespace = find(rendered, "Namespace", "store-acme")
    assert namespace["metadata"]["annotations"]["stores.urumi.dev/name"] == store_name
    told = find(rendered, "ConfigMap", "wordpress")["data"]["settings.json"]
    assert json.loads(told)["title"] == title
    plain = render(make_spec(name="x", title="x"))
    assert shape(list(rendered.objects)) == shape(list(plain.objects))
    settings_only = {"settings.json": told, "title": title}
    for loader in LOADERS:
        assert list(yaml.load_all(to_yaml([namespace, settings_only]), loader)) == [
            namespace,
            settings_only,
        ]


def test_the_yaml_of_a_store_is_its_objects() -> None:
    objects = list(render(make_spec(name=NASTY, title=NASTY), PROD).objects)
    for loader in LOADERS:
        assert list(yaml.load_all(to_yaml(objects), loader)) == objects


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__


@given(st.text(), st.integers(), st.booleans())
def test_the_filter_writes_json_that_yaml_reads_alike(text: str, number: int, truth: bool) -> None:
    for value in (text, number, truth, {"k": text}, [text, number]):
        quoted = quote(value)
        assert json.loads(quoted) == value
        assert "\n" not in quoted
        if not re.search("[\ud800-\udfff]", text):
            for loader in LOADERS:
                assert yaml.load(f"key: {quoted}\n", loader) == {"key": value}


@pytest.mark.parametrize("value", [None, float("nan"), object()])
def test_the_filter_refuses_what_has_no_place_in_a_manifest(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        quote(value)


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.j2")), ids=lambda p: p.name)
def test_every_value_in_a_template_passes_the_filter(template: Path) -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined)
    environment.filters["quote"] = quote
    text = template.read_text(encoding="utf-8")
    outputs = [
        part
        for output in environment.parse(text).find_all(nodes.Output)
        for part in output.nodes
        if not isinstance(part, nodes.TemplateData)
    ]
    assert outputs, "a template without a value is a mistake"
    assert all(isinstance(part, nodes.Filter) and part.name == "quote" for part in outputs)
    assert not list(environment.parse(text).find_all((nodes.Include, nodes.CallBlock)))
    # A value inside a block scalar would be text beside text: quotes would not protect it.
    assert not re.search(r":\s*[|>][-+0-9]*\s*(#.*)?$", text, re.MULTILINE)
    for expression in re.findall(r"\{\{.*?\}\}", text):
        assert expression.endswith("| quote }}"), expression


def test_an_undefined_variable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "namespace.yaml.j2").write_text("kind: {{ nonsense | quote }}\n")
    with pytest.raises(TemplateError, match="namespace"):
        Renderer(tmp_path).render("acme", UID, make_spec(), LOCAL)


secret_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(secret_text, secret_text, secret_text, secret_text, secret_text)
def test_the_secret_holds_what_it_was_given(
    user: str, password: str, database: str, root: str, salt: str
) -> None:
    given_ = Credentials(user, password, database, root, salt)
    secret: Json = RENDERER.credentials("acme", UID, make_spec(), given_)
    read = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert read == {
        "admin-username": user,
        "admin-password": password,
        "database-password": database,
        "database-root-password": root,
        "wordpress-salt": salt,
    }
    assert (secret["kind"], secret["metadata"]["name"]) == ("Secret", names.CREDENTIALS_SECRET)
    assert secret["metadata"]["namespace"] == "store-acme"


def test_passwords_stay_out_of_reprs() -> None:
    text = repr(Credentials("admin", "hunter2", "hunter3", "hunter4", "hunter5"))
    assert "hunter" not in text


@pytest.mark.parametrize("store_id", ["1e3", "0o17", "12e5", "0x1f", "no", "y", "null", "1", "1-1"])
def test_ids_that_look_like_numbers_stay_text(store_id: str) -> None:
    rendered = render(store_id=store_id, profile=PROD)
    for obj in yaml.safe_load_all(to_yaml(rendered.objects)):
        assert obj["metadata"]["labels"]["stores.urumi.dev/id"] == store_id
    # Go's parser reads plain 1e3 as a number where PyYAML reads text: none is left plain.
    assert f"stores.urumi.dev/id: {store_id}\n" not in to_yaml(rendered.objects)
