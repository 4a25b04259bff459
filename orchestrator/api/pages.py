"""The few pages that the API serves itself: plain HTML, no script, no asset from anywhere.

Invariant: every text that is not written here is escaped, and the Content-Security-Policy allows
nothing but the one style sheet below (by its digest).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from orchestrator.api.problems import KINDS
from orchestrator.model.kinds import Json
from orchestrator.model.names import PRODUCT
from orchestrator.model.store import Store

_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.8rem;overflow:auto}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0}
td:first-child{white-space:nowrap}h3{overflow-wrap:anywhere}
section{margin:1.5rem 0}.note{border-left:4px solid #c80;background:var(--soft);padding:.6rem 1rem}
summary{cursor:pointer}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CSP: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def home(*, sandbox: bool) -> HTMLResponse:
    """Return the page at / until there is a dashboard."""
    note = (
        '<p class="note">This service runs on its embedded sandbox: a <strong>simulation</strong> '
        "of a cluster. Stores come to health there, but nobody can shop in them.</p>"
        if sandbox
        else ""
    )
    return _page(
        PRODUCT,
        f"""<h1>{PRODUCT}</h1>{note}
<p>A shop of their own on Kubernetes for whoever asks.</p>
<ul><li><a href="/api/v1/docs">The API, explained</a></li>
<li><a href="/api/v1/openapi.json">The API as an OpenAPI document</a></li>
<li><a href="/readyz">Is everything well?</a></li></ul>""",
    )


def missing() -> HTMLResponse:
    """Return the page at an address that there is not, where there is no dashboard."""
    body = '<h1>There is no such page</h1><p><a href="/">Where it begins</a></p>'
    return _page("No such page", body, 404)


def simulated_store(store: Store | None, host: str) -> HTMLResponse:
    """Return the page under a store's host while the cluster is the sandbox."""
    if store is None:
        return _page(
            "No such store",
            f"<h1>No such store</h1><p>No store is served at <code>{escape(host)}</code>.</p>"
            '<p class="note">The addresses here belong to a <strong>simulation</strong>.</p>',
            404,
        )
    return _page(
        store.spec.name,
        f"""<h1>{escape(store.spec.name)}</h1>
<p class="note">This is a <strong>simulation</strong>: the store <code>{escape(store.id)}</code>
lives in the embedded sandbox, where no WordPress runs. On a real cluster its shop is here.</p>
<table><tr><th>Phase</th><td>{escape(store.status.phase.value)}</td></tr>
<tr><th>Says</th><td>{escape(store.status.message)}</td></tr>
<tr><th>Engine</th><td>{escape(store.spec.engine)}</td></tr>
<tr><th>Plan</th><td>{escape(store.spec.plan)}</td></tr></table>""",
    )


def docs(document: Json, address: str) -> HTMLResponse:
    """Return the OpenAPI document as a readable page, with examples for the address."""
    info = document["info"]
    body = [
        f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>",
        f"<p>{_prose(info['description'])}</p>",
        '<p>As a document: <a href="/api/v1/openapi.json">openapi.json</a></p>',
        "<p>Send the token with each call:</p>"
        f'<pre>curl -H "Authorization: Bearer $URUMI_TOKEN" {escape(address)}/api/v1/me</pre>',
    ]
    for tag in document["tags"]:
        body.append(f"<h2>{escape(tag['description'])}</h2>")
        body += _operations(document, tag["name"])
    body.append("<h2>Problems</h2><table>")
    body += [
        f'<tr id="{k.name}"><td>{k.status}</td><th>{escape(k.title)}</th>'
        f"<td>{escape(k.meaning)}</td></tr>"
        for k in KINDS.values()
    ]
    body.append("</table><h2>Types</h2>")
    body += [
        f'<details id="type-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre></details>"
        for name, schema in document["components"]["schemas"].items()
    ]
    return _page(f"{info['title']} API", "\n".join(body))


def _operations(document: Json, tag: str) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield _operation(path, method, operation)


def _operation(path: str, method: str, operation: Json) -> str:
    rows = [
        (
            f"<code>{escape(p['name'])}</code> <small>{escape(p['in'])}</small>",
            _prose(p.get("description", "")),
            _type(p["schema"]),
        )
        for p in operation["parameters"]
    ]
    content = operation.get("requestBody", {}).get("content", {})
    rows += [("body", escape(kind), _type(found["schema"])) for kind, found in content.items()]
    for status, answer in operation["responses"].items():
        reference = answer.get("$ref", "").rpartition("/")[2]
        kinds = answer.get("content", {}).values()
        shown = " ".join(_type(found["schema"]) for found in kinds)
        rows.append((f"→ {status}", _prose(answer.get("description", reference)), shown))
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return (
        f'<section id="{escape(operation["operationId"])}">'
        f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
        f"<p>{_prose(operation['summary'])}</p><table>{cells}</table></section>"
    )


def _prose(text: str) -> str:
    """Escape text, and set what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))


def _type(schema: Json) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        return f'<a href="#type-{escape(name)}"><code>{escape(name)}</code></a>'
    shown = {k: v for k, v in schema.items() if k not in ("description", "examples", "title")}
    return f"<code>{escape(json.dumps(shown, ensure_ascii=False))}</code>"


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers)
