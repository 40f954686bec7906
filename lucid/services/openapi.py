"""What a service says of itself: the OpenAPI document of its routes, and a page that shows it to people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from lucid.services.admission import READ
from lucid.services.problems import ErrorEnvelope


class Query(NamedTuple):
    """A parameter of the query, as it is described."""

    schema: dict[str, Any]
    required: bool = False


class Route(NamedTuple):
    """One endpoint, as it is described."""

    method: str
    path: str
    summary: str
    access: str
    takes: type | None
    raw: type | None
    gives: type | None
    status: int
    query: Mapping[str, Query]


def describe(service: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a service's routes."""
    kinds = [
        kind
        for route in routes
        for kind in (route.takes, route.raw, route.gives)
        if kind is not None and kind is not bytes
    ]
    schemas, components = msgspec.json.schema_components(
        [*kinds, ErrorEnvelope], ref_template="#/components/schemas/{name}"
    )
    schema = dict(zip([*kinds, ErrorEnvelope], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, schema)
    scheme = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Lucid {service}", "version": "1"},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": scheme},
    }


def _operation(route: Route, path: str, schema: dict[type, Any]) -> dict[str, Any]:
    def content(kind: type) -> dict[str, Any]:
        return {"application/json": {"schema": schema[kind]}}

    given: dict[str, Any] = {"description": "Done"}
    if route.gives is not None:
        given["content"] = content(route.gives)
    names = re.findall(r"{(\w+)}", path)
    parts = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    asked = [
        {"name": name, "in": "query", "required": each.required, "schema": each.schema}
        for name, each in route.query.items()
    ]
    operation: dict[str, Any] = {
        "summary": route.summary,
        "responses": {
            str(route.status): given,
            "default": {"description": "An error", "content": content(ErrorEnvelope)},
        },
        "parameters": [*parts, *asked],
    }
    taken = route.takes or route.raw
    if taken is bytes:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif taken is not None:
        operation["requestBody"] = {"required": True, "content": content(taken)}
    if route.access != READ:
        operation["security"] = [{"token": []}]
    return operation


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lucid SERVICE</title><style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}
code{font-family:ui-monospace,monospace}b{display:inline-block;width:4.5rem}li{margin:.3rem 0}</style>
<h1>Lucid SERVICE</h1><p>For programs: <a href="openapi.json">openapi.json</a>.</p><ul id="r"></ul>
<script>fetch("openapi.json").then(a=>a.json()).then(d=>{for(const[p,o]of Object.entries(d.paths))for(const[m,e]of
Object.entries(o)){const l=document.createElement("li"),b=document.createElement("b"),c=document.createElement("code");
b.textContent=m.toUpperCase();c.textContent=p;l.append(b,c," "+e.summary+(e.security?" (token)":""));r.append(l)}})
</script></html>"""
