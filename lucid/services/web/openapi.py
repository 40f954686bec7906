"""What a service says of itself: the OpenAPI document of its routes, from which a client can be generated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from lucid import __version__
from lucid.api.errors import MEANINGS, ErrorEnvelope
from lucid.chain.challenges import ANSWERS, SegmentAnswer
from lucid.chain.codec import encode
from lucid.chain.transactions import RetireNode
from lucid.services.web.admission import READ
from lucid.services.web.route import BYTES, JSON, Parameter, Query, Route

UUID_PATTERN = "^" + "-?".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12)) + "$"
"""A UUID as RFC 9562, section 4, writes it; the hyphens may be left out."""
_KEY, _SESSION, _TIME_MS = "3b" * 32, "7c9e6679-7425-40de-944b-e07fc1f90ae7", 1_790_000_000_000
PARAMETERS = {
    "chunk": Parameter("The chunk's id: the root of the hashes of its segments", "5f" * 32, "^[0-9a-f]{64}$"),
    "identity": Parameter("The transaction's id", "9a" * 32, "^[0-9a-f]{64}$"),
    "session": Parameter("The session's id, a UUID of version 4", _SESSION, UUID_PATTERN),
    "place": Parameter("The block's height, or its hash", "42"),
    "node": Parameter("The node's id: its public key", _KEY),
    "owner": Parameter("The owner's public key, where several own sessions of one id", _KEY),
    "checkpoint": Parameter("The hash of a final block that the receipt has to reach", "c4" * 32),
    "until_ms": Parameter("Until when the owner's signature holds, in ms since the Unix epoch", 1_800_000_000_000),
    "signature": Parameter("The owner's, over a release of the session up to `until_ms`", "5a" * 64),
    "from": Parameter("The height to begin at, downwards; the newest without it", 42),
    "after": Parameter("Where the page before ended: its `after`, or a height", None),
    "limit": Parameter("How many at most", 25),
    "wait_ms": Parameter("How long to wait for a block, in ms", 20_000),
    "epoch": Parameter("The epoch; the current one without it", 3),
    "slot": Parameter("The slot in the epoch; the current one without it", 7),
    "since": Parameter("The first view to look at", 50),
    "until": Parameter("The view after the last", 57),
    "segment": Parameter("The number of the segment of 4 KiB, from 0 on", 0),
    "status": Parameter("Only chunks in this state", "corrupted"),
}
"""Parts of paths, and of queries, by their names."""
FIELDS = {
    "session": _SESSION,
    "owner": _KEY,
    "node": _KEY,
    "here": _KEY,
    "leader": _KEY,
    "leader_next": "d1" * 32,
    "proposer": _KEY,
    "transaction": "9a" * 32,
    "hash": "c4" * 32,
    "block": "c4" * 32,
    "parent": "c3" * 32,
    "state_root": "e0" * 32,
    "transactions_root": "e1" * 32,
    "merkle_root": "e2" * 32,
    "id": "5f" * 32,
    "data": "00ff",
    "encoded": "82a6",
    "answers": encode((SegmentAnswer(3, bytes(32), (), 1, 0, bytes(4_096), ()),) * ANSWERS).hex(),
    "payload": encode(RetireNode(bytes.fromhex(_KEY), 7, ())).hex(),
    "name": "pi1",
    "height": 42,
    "epoch": 3,
    "view": 57,
    "time_ms": _TIME_MS,
    "counted_ms": _TIME_MS,
    "accepted_ms": _TIME_MS,
    "heard_ms": _TIME_MS,
    "connected_ms": _TIME_MS,
    "since_ms": _TIME_MS,
    "state": "catching up",
    "sentence": "it is 12 blocks behind its peers",
    "remedy": "nothing: it fetches them; see that height grows",
    "code": "LUCID_ERR_1002",
    "message": "there is no such thing (block)",
    "request_id": "0f5c0a5e8d7f4d3f9d0b6f6a0d8f2c11",
}
"""Examples of fields, by their names."""


def describe(service: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a service's routes."""
    kinds = [kind for route in routes for kind in (route.takes, route.raw, route.gives) if kind not in _PLAIN]
    schemas, components = msgspec.json.schema_components(
        [*kinds, ErrorEnvelope], ref_template="#/components/schemas/{name}"
    )
    _leave_open(components)
    schema: dict[Any, Any] = dict(zip([*kinds, ErrorEnvelope], schemas, strict=True))
    for name, described in components.items():
        described["examples"] = [_example({"$ref": f"#/components/schemas/{name}"}, components, service)]
    for route in routes:
        taken = schema.get(route.takes or route.raw, {})
        if route.example is not None and "$ref" in taken:
            components[taken["$ref"].rpartition("/")[2]]["examples"] = [route.example]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Lucid {service}", "version": __version__},
        "servers": [{"url": "/"}, {"url": "/api/v1"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _leave_open(schema: Any) -> None:
    """Leave out `items: false`, with which msgspec closes a tuple of a fixed length: generators of clients do not read
    it, and the number of its items says the same."""
    if isinstance(schema, dict):
        if schema.get("items") is False:
            assert schema["maxItems"] == len(schema["prefixItems"])
            del schema["items"]
        for each in schema.values():
            _leave_open(each)
    elif isinstance(schema, list):
        for each in schema:
            _leave_open(each)


_PLAIN = (None, bytes, str, dict)
"""What needs no schema of its own."""


def _operation(route: Route, path: str, schema: dict[Any, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    given: dict[str, Any] = {"description": "Done"}
    if route.method != "HEAD":
        given["content"] = _content(route.gives, schema, route.media)
    operation: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *re.findall(r"\w+", path)]),
        "summary": route.summary,
        "parameters": [*map(_part, names), *(_asked(name, each) for name, each in route.query.items())],
        "responses": {str(route.status): given, **_errors(route, names, schema)},
    }
    if _in_ranges(route):
        operation["responses"]["206"] = {**given, "description": "The range that `Range` asks for"}
    taken = route.takes or route.raw
    if taken is not None:
        content = _content(taken, schema, route.media)
        if route.example is not None:
            content[JSON]["examples"] = {"example": {"value": route.example}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.access != READ:
        operation["security"] = [{"token": []}]
    return operation


def _in_ranges(route: Route) -> bool:
    """Whether a part of what it gives can be asked for: only chunks are large."""
    return route.method == "GET" and route.gives is bytes


def _part(name: str) -> dict[str, Any]:
    pattern = PARAMETERS[name].pattern if name in PARAMETERS else ""
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": "path", "required": True, "schema": schema, **_meant(name)}


def _asked(name: str, query: Query) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": query.required, "schema": query.schema, **_meant(name)}


def _meant(name: str) -> dict[str, Any]:
    """What a parameter of that name means, with an example."""
    known = PARAMETERS.get(name)
    if known is None:
        return {}
    return {"description": known.what} | ({} if known.example is None else {"example": known.example})


def _content(kind: type | None, schema: dict[Any, Any], media: str) -> dict[str, Any]:
    if kind is bytes:
        return {BYTES: {"schema": {"type": "string", "format": "binary"}}}
    if kind is str:
        return {media: {"schema": {"type": "string"}}}
    return {JSON: {"schema": {"type": "object"} if kind in _PLAIN else schema[kind]}}


def _errors(route: Route, names: list[str], schema: dict[Any, Any]) -> dict[str, Any]:
    """The errors that a route can answer with."""
    body = route.takes is not None or route.raw is not None
    codes = [429, 503]
    codes += [400] if body or names or route.query else []
    codes += [401] if route.access != READ else []
    codes += [403]
    codes += [404] if names else []
    codes += [408, 413, 415] if body else []
    codes += [416] if _in_ranges(route) else []
    codes += [409] if body and route.gives is not None else []
    wrong: dict[str, Any] = {}
    for code in sorted(codes):
        wrong[str(code)] = {"description": MEANINGS[code]}
        if route.method != "HEAD":
            found = schema[ErrorEnvelope]
            if code == 503 and route.path in ("/health", "/ready"):
                found = {"anyOf": [schema[route.gives], found]}
            wrong[str(code)]["content"] = {JSON: {"schema": found}}
    wrong["default"] = {"description": "An error", "content": {JSON: {"schema": schema[ErrorEnvelope]}}}
    return wrong


def _example(schema: Any, components: dict[str, Any], service: str) -> Any:
    """A value of a schema of msgspec's, the plainest there is."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == "Health":
            return {"status": "healthy", "service": service}
        schema = components[name]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components, service)
    kind = schema.get("type")
    if kind == "object":
        return {name: _field(name, each, components, service) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        items = schema.get("prefixItems") or [each for each in (schema.get("items"),) if each]
        return [_example(each, components, service) for each in items]
    plain = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "string": _text(schema)}
    return plain.get(str(kind), schema.get("enum", [None])[0])


def _field(name: str, schema: Any, components: dict[str, Any], service: str) -> Any:
    """An example of a field: a usual one for its name, if the schema is of that type."""
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    usual = service if name == "service" else FIELDS.get(name)
    fits = "enum" not in schema and re.search(schema.get("pattern", ""), str(usual))
    if usual is not None and fits and ("string" if isinstance(usual, str) else "integer") in kinds:
        return usual
    return _example(schema, components, service)


def _text(schema: dict[str, Any]) -> str:
    hexadecimal = re.fullmatch(r"\^\[0-9a-f\]\{(\d+)\}\$", schema.get("pattern", ""))
    return "ab" * (int(hexadecimal[1]) // 2) if hexadecimal else "text"
