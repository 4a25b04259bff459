"""Renders a store's manifests: desired state and profile in, Kubernetes objects out.

Pure: no clock, no randomness, no cluster; the same input gives the same bytes. Invariants:

* A value never meets the YAML parser: the filter ``quote`` writes a mark in its place, and the
  value is put into the parsed object. So a display name can never become structure, and a template
  is parsed once for all stores of one shape. Undefined variables are errors (StrictUndefined).
* The Secret is never part of a render: passwords are not in plans, revisions or digests.
* Selectors, and whatever else Kubernetes holds immutable, depend on the store's id alone, so every
  later change of spec or settings can be applied.
* What pods mount from ConfigMaps is part of a digest in their template, so a change rolls them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context as JinjaContext
from pydantic import BaseModel, ConfigDict

from orchestrator.model import names
from orchestrator.model.errors import TemplateError
from orchestrator.model.kinds import Json
from orchestrator.model.plans import PLANS, Quota, Share
from orchestrator.model.shipped import shipped
from orchestrator.model.spec import StoreSpec
from orchestrator.model.urls import store_host, store_url
from orchestrator.settings import Settings

# Apply order: what pods need stands before them.
ORDER: Final = (
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "ServiceAccount",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
    "StatefulSet",
    "Deployment",
    "CronJob",
    "Ingress",
)
SECRET_TEMPLATE: Final = "secret.yaml.j2"
SCRIPTED: Final = ("wordpress", "mysql")  # folders under charts/store/files, one ConfigMap each
PART_OF: Final = "urumi-stores"
# WordPress' scheduled work runs one process at a time; a PHP process peaks below its 256 MiB limit.
CRON_SHARE: Final = {
    "cpu_request": "50m",
    "cpu_limit": "500m",
    "memory_request": "128Mi",
    "memory_limit": "512Mi",
}
_APPLICATIONS: Final = {
    "store": "urumi-store",
    "database": "mysql",
    "wordpress": "wordpress",
    "wp-cron": "wordpress",
}

# JSON allows these in a string as they are; YAML folds, strips or refuses them (YAML 1.2, 5.1).
_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_MARK: Final = "\x01"  # in no template
_HELD: Final = "values_in_their_order"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster


@dataclass(frozen=True)
class StoreProfile:
    """What the installation says about all stores. ``base_port`` is the ingress' outside port."""

    base_domain: str
    ingress_class: str
    ingress_namespace: str
    tls_issuer: str | None
    storage_class: str | None
    image_wordpress: str
    image_mysql: str
    user_namespaces: bool
    base_port: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> StoreProfile:
        """Return what the templates need of the settings."""
        return cls(
            base_domain=settings.base_domain,
            ingress_class=settings.ingress_class,
            ingress_namespace=settings.ingress_namespace,
            tls_issuer=settings.tls_issuer,
            storage_class=settings.storage_class,
            image_wordpress=settings.image_wordpress,
            image_mysql=settings.image_mysql,
            user_namespaces=settings.user_namespaces,
            base_port=settings.base_port,
        )


@dataclass(frozen=True)
class Credentials:
    """A store's passwords; they exist in the Secret and nowhere else."""

    admin_username: str
    admin_password: str = field(repr=False)
    database_password: str = field(repr=False)
    database_root_password: str = field(repr=False)
    wordpress_salt: str = field(repr=False)


@dataclass(frozen=True)
class Rendered:
    """The objects in apply order, without the Secret; ``digest`` is that of them all."""

    objects: tuple[Json, ...]
    digest: str


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Workload(_Values):
    """One workload's image, labels and sizes. ``selector`` never changes, ``labels`` may."""

    image: str
    labels: dict[str, str]
    selector: dict[str, str]
    cpu_request: str
    cpu_limit: str
    memory_request: str
    memory_limit: str
    storage: str
    config: dict[str, str]
    config_digest: str


class Context(_Values):
    """All that templates may use. ``labels`` are those of namespace-wide objects."""

    store_id: str
    uid: str
    name: str
    namespace: str
    engine: Literal["woocommerce", "wordpress"]
    plan: str
    host: str
    labels: dict[str, str]
    uid_annotation: str
    name_annotation: str
    digest_annotation: str
    ingress_class: str
    ingress_namespace: str
    tls_issuer: str | None
    storage_class: str | None
    user_namespaces: bool
    wordpress: Workload
    mysql: Workload
    cron: Workload
    cron_schedule: str
    workers: int
    buffer_pool: str
    quota: dict[str, str]


class Renderer:
    """Templates of a folder, compiled once. Safe to share; results may be changed by the caller."""

    def __init__(self, template_dir: Path | None = None, file_dir: Path | None = None) -> None:
        """Read the templates of ``template_dir`` and what pods mount of ``file_dir``.

        By default those shipped: the files are the chart's, which can read only its own.
        """
        folder = template_dir or shipped("manifests", "store")
        files = file_dir or shipped("charts", "store", "files")
        self._environment = Environment(
            loader=FileSystemLoader(folder, encoding="utf-8"),
            undefined=StrictUndefined,
            autoescape=False,  # every value passes `quote`, and a test says so
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters["quote"] = _hold
        self._files = {name: _read_files(files / name) for name in SCRIPTED}
        self._woocommerce = _pinned(files / "lock.json", "woocommerce")
        self._templates = sorted(self._environment.list_templates(extensions=["j2"]))
        # A pass of the reconciler renders again; what has not changed need not be parsed again.
        self._objects = lru_cache(maxsize=512)(self._render)

    def render(self, store_id: str, uid: str, spec: StoreSpec, profile: StoreProfile) -> Rendered:
        """Return a store's objects, without the Secret. Errors: TemplateError."""
        text = self._objects(store_id, uid, spec, profile)
        return Rendered(tuple(json.loads(text)), _sha256(text))

    def credentials(
        self, store_id: str, uid: str, spec: StoreSpec, credentials: Credentials
    ) -> Json:
        """Return the Secret, to be created once. Errors: TemplateError."""
        data = {
            key.replace("_", "-"): base64.b64encode(value.encode()).decode()
            for key, value in asdict(credentials).items()
        }
        values = {
            "secret_name": names.CREDENTIALS_SECRET,
            "namespace": names.namespace_of(store_id),
            "labels": _labels(store_id, "store", spec.versions.wordpress),
            "uid_annotation": names.UID_ANNOTATION,
            "uid": uid,
            "data": data,
        }
        return self._objects_of(SECRET_TEMPLATE, values)[0]

    def _render(self, store_id: str, uid: str, spec: StoreSpec, profile: StoreProfile) -> str:
        values = self._context(store_id, uid, spec, profile).model_dump()
        objects = [
            obj
            for template in self._templates
            if template != SECRET_TEMPLATE
            for obj in self._objects_of(template, values)
        ]
        objects.sort(key=lambda o: (ORDER.index(o["kind"]), o["metadata"]["name"]))
        return json.dumps(objects, ensure_ascii=False, separators=(",", ":"))

    def _objects_of(self, template: str, values: Mapping[str, Any]) -> list[Json]:
        held: list[Any] = []
        try:
            text = self._environment.get_template(template).render(values, **{_HELD: held})
            return [_fill(shape, held) for shape in _shapes(text)]
        except (JinjaError, yaml.YAMLError, TypeError, ValueError) as exc:
            # Not the cause's text: a parser quotes its input, which may hold a password.
            raise TemplateError(f"template {template}: {type(exc).__name__}") from (
                None if template == SECRET_TEMPLATE else exc
            )

    def _context(self, store_id: str, uid: str, spec: StoreSpec, profile: StoreProfile) -> Context:
        plan = PLANS[spec.plan]
        image = _image(profile.image_wordpress, spec.versions.wordpress)
        tag = spec.versions.wordpress
        settings = _settings(store_id, spec, profile, self._woocommerce)
        config = {**self._files["wordpress"], "settings.json": settings}
        web = _workload(store_id, "wordpress", tag, image, plan.wordpress, config)
        cron_share = replace(plan.wordpress, **CRON_SHARE)
        return Context(
            store_id=store_id,
            uid=uid,
            name=spec.name,
            namespace=names.namespace_of(store_id),
            engine=spec.engine,
            plan=spec.plan,
            host=store_host(store_id, spec, profile.base_domain),
            labels=_labels(store_id, "store", tag),
            uid_annotation=names.UID_ANNOTATION,
            name_annotation=f"{names.DOMAIN}/name",
            digest_annotation=f"{names.DOMAIN}/config-digest",
            ingress_class=profile.ingress_class,
            ingress_namespace=profile.ingress_namespace,
            tls_issuer=profile.tls_issuer,
            storage_class=profile.storage_class,
            user_namespaces=profile.user_namespaces,
            wordpress=web,
            mysql=_workload(
                store_id,
                "database",
                spec.versions.mysql,
                _image(profile.image_mysql, spec.versions.mysql),
                plan.mysql,
                self._files["mysql"],
            ),
            cron=_workload(store_id, "wp-cron", tag, image, cron_share, config),
            cron_schedule=_schedule(store_id),
            workers=plan.workers,
            buffer_pool=plan.buffer_pool,
            quota=_quota(plan.quota, tls=profile.tls_issuer is not None),
        )


def quote(value: Any) -> str:
    """Return ``value`` as JSON that every YAML parser reads as exactly that value.

    The one way from a value into a template. Raises TypeError on what JSON does not know (and on
    None, which server-side apply would take for "not ours").
    """
    if value is None:
        raise TypeError("None has no place in a manifest")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return _UNSAFE.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


@pass_context
def _hold(context: JinjaContext, value: Any) -> str:
    """Keep a value for `_fill`, as JSON would give it back, and write a mark in its place.

    Errors: TypeError, ValueError for what JSON does not know.
    """
    held = context[_HELD]
    held.append(json.loads(quote(value)))
    return quote(f"{_MARK}{len(held) - 1}")


@lru_cache(maxsize=256)
def _shapes(text: str) -> list[Any]:
    """Parse a template with marks in the place of values: stores that differ in those share it."""
    return [shape for shape in yaml.load_all(text, _Loader) if shape is not None]


def _fill(shape: Any, held: Sequence[Any]) -> Any:
    """Return a copy of a parsed template with the values in the place of their marks."""
    if isinstance(shape, dict):
        return {_fill(key, held): _fill(value, held) for key, value in shape.items()}
    if isinstance(shape, list):
        return [_fill(item, held) for item in shape]
    if isinstance(shape, str) and shape.startswith(_MARK):
        return held[int(shape.removeprefix(_MARK))]
    return shape


def to_yaml(objects: Sequence[Json]) -> str:
    """Return ``objects`` as YAML documents on which parsers of YAML 1.1 and 1.2 agree."""
    return yaml.dump_all(
        objects,
        Dumper=_Dumper,
        explicit_start=True,
        sort_keys=False,
        allow_unicode=False,
        width=2**20,
    )


def context_schema() -> Json:
    """Return the JSON Schema of what templates may use."""
    return Context.model_json_schema()


class _Dumper(yaml.SafeDumper):
    """Quotes every string: plain ``1e3`` is text to one parser and a number to another."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_str(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _represent_mapping(dumper: yaml.SafeDumper, value: Json) -> yaml.MappingNode:
    pairs = [(_plain_key(dumper, key), dumper.represent_data(item)) for key, item in value.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not value)


def _plain_key(dumper: yaml.SafeDumper, key: str) -> yaml.ScalarNode:
    return yaml.SafeDumper.represent_str(dumper, key)


_Dumper.add_representer(str, _represent_str)
_Dumper.add_representer(dict, _represent_mapping)


def _read_files(folder: Path) -> dict[str, str]:
    try:
        return {
            path.name: path.read_text(encoding="utf-8")
            for path in sorted(folder.iterdir())
            if path.is_file() and not path.name.startswith(".")
        }
    except OSError as exc:
        raise TemplateError(f"the files for pods are missing: {exc.strerror}: {folder}") from exc


def _pinned(lock: Path, what: str) -> dict[str, str | None]:
    """Return an entry of the lock file; what was never pinned is None in it."""
    try:
        entry: dict[str, str | None] = json.loads(lock.read_text(encoding="utf-8"))[what]
    except (OSError, ValueError, KeyError) as exc:
        raise TemplateError(f"{lock.name}: {what} cannot be read") from exc
    return entry


def _settings(
    store_id: str, spec: StoreSpec, profile: StoreProfile, woocommerce: dict[str, str | None]
) -> str:
    """Return settings.json, which WordPress and its set-up read.

    ``woocommerce`` is what `prepare` downloads where the image has none: version, url, sha256.
    A file, because Kubernetes expands ``$(NAME)`` in environment values and a title may hold that.
    """
    url = store_url(
        store_id,
        spec,
        base_domain=profile.base_domain,
        port=profile.base_port,
        tls=profile.tls_issuer is not None,
    )
    options = spec.options
    told: Json = {
        "url": url,
        "engine": spec.engine,
        "title": options.title,
        "adminEmail": options.admin_email,
        "currency": options.currency,
        "country": options.country,
        "demoProducts": options.demo_products,
    }
    if spec.engine == "woocommerce":
        told["woocommerce"] = woocommerce
    return _go_json(told)


def _go_json(value: Any) -> str:
    """Return JSON in the very bytes of Helm's ``toRawJson``: the chart mounts the same files."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _workload(  # one argument for each thing that tells workloads apart
    store_id: str, component: str, tag: str, image: str, share: Share, config: dict[str, str]
) -> Workload:
    return Workload(
        image=image,
        labels=_labels(store_id, component, tag),
        selector={
            "app.kubernetes.io/instance": store_id,
            names.COMPONENT_LABEL: component,
        },
        cpu_request=share.cpu_request,
        cpu_limit=share.cpu_limit,
        memory_request=share.memory_request,
        memory_limit=share.memory_limit,
        storage=share.storage,
        config=config,
        config_digest=_sha256(_go_json(config)),
    )


def _labels(store_id: str, component: str, tag: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": _APPLICATIONS[component],
        "app.kubernetes.io/instance": store_id,
        names.COMPONENT_LABEL: component,
        "app.kubernetes.io/part-of": PART_OF,
        names.MANAGED_BY_LABEL: names.FIELD_MANAGER,
        "app.kubernetes.io/version": _label_value(tag),
        names.ID_LABEL: store_id,
    }


def _label_value(tag: str) -> str:
    """Return a tag (up to 128 characters) as a label value (63, alphanumeric at both ends)."""
    return tag[:63].strip("_.-") or "unknown"


def _image(default: str, tag: str) -> str:
    """Return the default image as it is, digest and all, unless another tag is asked for."""
    name, _, _digest = default.partition("@")
    repository, colon, default_tag = name.rpartition(":")
    if not colon or "/" in default_tag:  # "registry:5000/name" has a port and no tag
        repository, default_tag = name, ""
    return default if tag == default_tag else f"{repository}:{tag}"


def _quota(quota: Quota, *, tls: bool) -> dict[str, str]:
    return {
        "requests.cpu": quota.cpu_requests,
        "requests.memory": quota.memory_requests,
        "limits.cpu": quota.cpu_limits,
        "limits.memory": quota.memory_limits,
        "requests.storage": quota.storage,
        "pods": quota.pods,
        "persistentvolumeclaims": quota.claims,
        "services.loadbalancers": "0",
        # cert-manager's HTTP-01 solver makes a NodePort Service unless the issuer says otherwise.
        "services.nodeports": "2" if tls else "0",
    }


def _schedule(store_id: str) -> str:
    """Return every five minutes, at a minute of the store's own: not all stores at once.

    By a checksum that Helm's templates know too.
    """
    return f"{zlib.adler32(store_id.encode()) % 5}-59/5 * * * *"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
