"""One service's HTTP: routes that check what comes in, one error envelope, health, metrics and a description of itself.

A route is declared once, with the structs that it takes and gives; validation and `/openapi.json` follow from that.
"""

from __future__ import annotations

import hmac
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from lucid.chain.errors import Code, LucidError, Refusal
from lucid.services.limits import RateLimits, SharedLimits

VERSIONED = "/api/v1"
MAX_BODY_BYTES = 1 << 20
BODY_S = 20.0
"""How long a body may take to arrive."""
READ, WRITE, NODE = "read", "write", "node"
"""Who may use a route: anyone; holders of an API token, or of the node's, or anyone on loopback; the node's own
services."""


class Problem(LucidError):
    """A request that is answered with an error: HTTP `status`, the code, and details for programs."""

    def __init__(self, status: int, code: Code, detail: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(code, detail)
        self.status = status
        self.details = details or {}


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong: a stable code, a sentence, details for programs, and whom to ask about which request."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str
    service: str


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """The one shape of every error."""

    error: ErrorBody


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a service can do its work, and if not, why."""

    status: str
    service: str
    reasons: tuple[str, ...] = ()


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


Handler = Callable[..., Awaitable[Any]]
Check = Callable[[], str | None]
"""A reason why the service is degraded, or None."""


class Web:
    """The app of one service, on which it registers its routes, checks and metrics."""

    def __init__(self, service: str, loopback: bool, token: str, api_tokens: Iterable[str], per_second: int) -> None:
        self.service = service
        self.app = QuartTrio(f"lucid.{service}")
        self.app.config["MAX_CONTENT_LENGTH"] = None  # bodies are counted here, chunked ones too
        self.registry = CollectorRegistry()
        self.checks: list[Check] = []
        self.ready = False
        self._routes: list[Route] = []
        self._loopback = loopback
        self._token = token
        self._tokens = (*api_tokens, *([token] if token else []))
        self._limits = RateLimits(per_second)
        self.shared_limits: SharedLimits | None = None
        """Asked in place of this instance's own, where several count together."""
        self._seconds = Histogram(
            "lucid_request_seconds", "Time to answer.", ["method", "route", "status"], registry=self.registry
        )
        self._refused = Counter("lucid_requests_refused_total", "Refused requests.", ["code"], registry=self.registry)
        self.app.register_error_handler(Exception, self._failed)
        self._describe_itself()

    def gauge(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Show a figure under /metrics, read when it is asked for."""
        Gauge(f"lucid_{name}", what, registry=self.registry).set_function(value)

    def route(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        takes: type | None = None,
        raw: type | None = None,
        gives: type | None = None,
        status: int = 200,
        access: str = READ,
        query: Mapping[str, Query] = MappingProxyType({}),
    ) -> Callable[[Handler], Handler]:
        """Register a handler for `path` and under `/api/v1`. It gets the decoded body, if `takes` names its type, and
        the parts of the path by name; it returns a struct, a `Response`, or raises `LucidError`. `raw` names the type
        of a body that the handler reads itself (bytes: any), `query` the parameters that it looks at."""

        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, path, summary, access, takes, raw, gives, status, query))

            async def answer(**parts: Any) -> Response:
                return await self._answer(handler, path, access, takes, status, parts)

            for rule in (path, VERSIONED + path):
                self.app.add_url_rule(rule, endpoint=f"{method} {rule}", view_func=answer, methods=[method])
            return handler

        return register

    async def _answer(
        self, handler: Handler, path: str, access: str, takes: type | None, status: int, parts: dict[str, Any]
    ) -> Response:
        began = time.monotonic()
        try:
            await self._admit(access)
            if takes is not None:
                parts["body"] = decode_json(await read_body(MAX_BODY_BYTES), takes)
            given = await handler(**parts)
            response = given if isinstance(given, Response) else json_response(given, status)
        except (LucidError, HTTPException) as error:
            response = self._refuse(error)
        response.headers["X-Request-Id"] = request_id()
        route = (request.method, path, str(response.status_code))
        self._seconds.labels(*route).observe(time.monotonic() - began)
        return response

    async def _admit(self, access: str) -> None:
        given = bearer_token()
        caller = given or str(request.remote_addr)
        shared = self.shared_limits
        if not (self._limits.take(caller) if shared is None else await shared.take(caller)):
            raise Problem(429, Code.TOO_MANY)
        if access == NODE and not self.is_node(given):
            raise Problem(401, Code.TOKEN, "the node's own token")
        if access == WRITE and not self._loopback and not any(_same(given, token) for token in self._tokens):
            raise Problem(401, Code.TOKEN)

    def is_node(self, token: str) -> bool:
        """Whether a token is that of the node's own services."""
        return _same(token, self._token)

    def _refuse(self, error: LucidError | HTTPException) -> Response:
        if isinstance(error, HTTPException):
            codes = {404: Code.NOT_FOUND, 405: Code.METHOD, 413: Code.TOO_LARGE}
            error = Problem(error.code or 500, codes.get(error.code or 500, Code.REQUEST), str(error.description or ""))
        status = error.status if isinstance(error, Problem) else 400 if isinstance(error, Refusal) else 503
        details = error.details if isinstance(error, Problem) else {}
        self._refused.labels(error.code.code).inc()
        message = error.code.sentence + (f" ({error.detail})" if error.detail else "")
        body = ErrorBody(error.code.code, message, details, request_id(), self.service)
        response = json_response(ErrorEnvelope(body), status)
        response.headers["X-Request-Id"] = request_id()
        return response

    async def _failed(self, error: Exception) -> Response:
        """Whatever no handler expected; paths that don't exist come here too."""
        if isinstance(error, HTTPException):
            return self._refuse(error)
        self.app.logger.exception("a request failed", exc_info=error)
        return self._refuse(Problem(500, Code.INTERNAL, type(error).__name__))

    def _describe_itself(self) -> None:
        """Routes that every service has."""

        @self.route("GET", "/health", "Whether the service can do its work", gives=Health)
        async def health() -> Response:
            reasons = tuple(reason for check in self.checks if (reason := check()) is not None)
            if reasons:
                return json_response(Health("degraded", self.service, reasons), 503)
            return json_response(Health("healthy", self.service))

        @self.route("GET", "/ready", "Whether the service has started", gives=Health)
        async def ready() -> Response:
            if not self.ready:
                return json_response(Health("starting", self.service), 503)
            return json_response(Health("ready", self.service))

        @self.route("GET", "/metrics", "Figures for Prometheus")
        async def metrics() -> Response:
            return Response(generate_latest(self.registry), content_type="text/plain; version=0.0.4; charset=utf-8")

        @self.route("GET", "/openapi.json", "This description")
        async def openapi() -> Response:
            return json_response(self.description())

        @self.route("GET", "/docs", "This description, for people")
        async def docs() -> Response:
            return Response(_PAGE.replace("SERVICE", self.service), content_type="text/html; charset=utf-8")

    def description(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of the routes."""
        kinds = [
            kind
            for route in self._routes
            for kind in (route.takes, route.raw, route.gives)
            if kind is not None and kind is not bytes
        ]
        schemas, components = msgspec.json.schema_components(
            [*kinds, ErrorEnvelope], ref_template="#/components/schemas/{name}"
        )
        schema = dict(zip([*kinds, ErrorEnvelope], schemas, strict=True))
        paths: dict[str, dict[str, Any]] = {}
        for route in self._routes:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
            paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, schema)
        scheme = {"token": {"type": "http", "scheme": "bearer"}}
        return {
            "openapi": "3.1.0",
            "info": {"title": f"Lucid {self.service}", "version": "1"},
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


def json_response(value: Any, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(msgspec.json.encode(value), status, content_type="application/json")


def decode_json(data: bytes, kind: type) -> Any:
    """A body as its struct; raises `Problem` (400) naming the field that is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Problem(400, Code.REQUEST, str(error)) from None


async def read_body(limit: int) -> bytes:
    """The body of the current request; raises `Problem` for one that is too large (413) or too slow (408)."""
    data = bytearray()
    try:
        with trio.fail_after(BODY_S):
            async for part in request.body:
                data += part
                if len(data) > limit:
                    raise Problem(413, Code.TOO_LARGE, f"{limit} bytes at most")
    except trio.TooSlowError:
        raise Problem(408, Code.TOO_SLOW) from None
    return bytes(data)


def number_query(low: int, high: int) -> Query:
    """A number of the query within bounds; `query_number` reads it."""
    return Query({"type": "integer", "minimum": low, "maximum": high})


def query_number(name: str, default: int, low: int, high: int) -> int:
    """A number of the query; raises `Problem` (400) when it is none or out of its bounds."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:
        raise Problem(400, Code.REQUEST, f"{name} must be a number within {low}..{high}")
    return int(text)


REACHING = {"checkpoint": Query({"type": "string", "pattern": "^[0-9a-f]{64}$"})}
"""A block's hash that a receipt has to reach; `query_checkpoint` reads it."""


OWNED = {"owner": Query({"type": "string", "pattern": "^[0-9a-f]{64}$"})}
"""The owner of a session, where its id alone might be several's; `query_owner` reads it."""


def query_owner() -> bytes:
    """The owner's key that the query names, empty if it names none; raises `Problem` (400)."""
    text = request.args.get("owner")
    return b"" if text is None else hex_bytes(text, 32, "owner")


def query_checkpoint() -> bytes | None:
    """The checkpoint that the query names, if it names one; raises `Problem` (400)."""
    text = request.args.get("checkpoint")
    return None if text is None else hex_bytes(text, 32, "checkpoint")


def hex_bytes(text: str, length: int, name: str) -> bytes:
    """Bytes written in hexadecimal; raises `Problem` (400)."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != length or len(text) != 2 * length:
        raise Problem(400, Code.REQUEST, f"{name} must be {2 * length} hexadecimal digits")
    return data


def bearer_token() -> str:
    """The token of the current request, or nothing."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def request_id() -> str:
    """The current request's id: the client's own, if it is a plain one."""
    held: str | None = getattr(request, "lucid_id", None)
    if held is None:
        given = request.headers.get("X-Request-Id", "")
        held = given if re.fullmatch(r"[\w.-]{1,64}", given) else uuid.uuid4().hex
        request.lucid_id = held  # type: ignore[attr-defined]
    return held


def _same(one: str, other: str) -> bool:
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lucid SERVICE</title><style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}
code{font-family:ui-monospace,monospace}b{display:inline-block;width:4.5rem}li{margin:.3rem 0}</style>
<h1>Lucid SERVICE</h1><p>For programs: <a href="openapi.json">openapi.json</a>.</p><ul id="r"></ul>
<script>fetch("openapi.json").then(a=>a.json()).then(d=>{for(const[p,o]of Object.entries(d.paths))for(const[m,e]of
Object.entries(o)){const l=document.createElement("li"),b=document.createElement("b"),c=document.createElement("code");
b.textContent=m.toUpperCase();c.textContent=p;l.append(b,c," "+e.summary+(e.security?" (token)":""));r.append(l)}})
</script></html>"""
