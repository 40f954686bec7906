"""One service's HTTP: routes that check what comes in, one error envelope, health, metrics and a description of itself.

A route is declared once, with the structs that it takes and gives; validation and `/openapi.json` follow from that.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from lucid import __version__
from lucid.api.errors import BUSY
from lucid.api.versions import API_HEADER, API_VERSION
from lucid.chain.errors import Code, LucidError, Refusal
from lucid.chain.versions import RULES_KNOWN
from lucid.services.peer.speaking import NEWEST_MESSAGES, OLDEST_MESSAGES
from lucid.services.web.admission import READ, AdmissionRules, Caller
from lucid.services.web.bodies import decode_json
from lucid.services.web.edge import Edge, LastingSocket
from lucid.services.web.health import STORE_FAILING, Condition, Health
from lucid.services.web.openapi import describe
from lucid.services.web.pages import load_page
from lucid.services.web.problems import RETRY_AFTER_S, Problem, envelope
from lucid.services.web.requested import charge, exchange, read_body, request_id
from lucid.services.web.route import BYTES, HTML, JSON, TEXT, Query, Route
from lucid.services.web.tokens import Tokens
from lucid.services.web.websocket import WebSocket
from lucid.storage.errors import StoreError

VERSIONED = "/api/v1"
MAX_BODY_BYTES = 1 << 20
WATCH_S = 1.0
"""How often the state is looked at for the log."""
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What an answer that is not a page may do in a browser: nothing. A page brings its own."""
_HEADERS = {
    API_HEADER: API_VERSION,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
}

_log = logging.getLogger("lucid.health")


STARTING, DEGRADED = "starting", "degraded"
STARTING_S = 15.0
"""How long a service that lacks something is only starting."""


class Versions(msgspec.Struct, frozen=True):
    """This release; the versions of the HTTP API and of messages between nodes that it speaks; the newest rules of the
    chain that it knows."""

    release: str
    api: int
    oldest_messages: int
    newest_messages: int
    rules: int


Handler = Callable[..., Awaitable[Any]]
Check = Callable[[], Condition | str | None]
"""Why the service is degraded, or None. A sentence alone is the condition `degraded`, or at first `starting`."""


class Web:
    """The app of one service, on which it registers its routes, checks and metrics."""

    def __init__(self, service: str, loopback: bool, tokens: Tokens, per_second: int) -> None:
        self.service = service
        self.app = QuartTrio(f"lucid.{service}")
        self.app.config["MAX_CONTENT_LENGTH"] = None  # bodies are counted here, chunked ones too
        self.app.url_map.merge_slashes = False  # a path that is not a route is none, and no redirect
        self.registry = CollectorRegistry()
        self.edge = Edge(service, self.registry)
        self.admission = AdmissionRules(loopback, tokens, per_second)
        self.checks: list[Check] = []
        self.warnings: list[Callable[[], Condition | None]] = []
        self.ready = False
        self._began_s = time.monotonic()
        self._routes: list[Route] = []
        self._seconds = Histogram(
            "lucid_request_seconds", "Time to answer.", ["method", "route", "status"], registry=self.registry
        )
        self._refused = Counter("lucid_requests_refused_total", "Refused requests.", ["code"], registry=self.registry)
        self.app.register_error_handler(Exception, self._failed)
        self._describe_itself()

    def gauge(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Show a figure under /metrics, read when it is asked for."""
        Gauge(f"lucid_{name}", what, registry=self.registry).set_function(value)

    def lasting(self, path: str, admits: Callable[[str], bool]) -> Callable[..., None]:
        """Register what serves the WebSockets at `path`, of those whose token `admits` takes."""

        def register(serve: Callable[[WebSocket], Awaitable[None]]) -> None:
            self.edge.lasting[path] = LastingSocket(admits, serve)

        return register

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
        media: str = TEXT,
        example: Any = None,
    ) -> Callable[[Handler], Handler]:
        """Register a handler for `path` and under `/api/v1`. It gets the decoded body, if `takes` names its type, and
        the parts of the path by name; it returns a struct, a `Response`, or raises `LucidError`. `raw` names the type
        of a body that the handler reads itself (bytes: any), `query` the parameters that it looks at, `media` the type
        of what it gives if that is text (`str`), `example` is a body that it takes."""

        def register(handler: Handler) -> Handler:
            route = Route(
                method=method,
                path=path,
                summary=summary,
                access=access,
                takes=takes,
                raw=raw,
                gives=gives,
                status=status,
                query=query,
                media=media,
                example=example,
            )
            self._routes.append(route)

            async def answer(**parts: Any) -> Response:
                return await self._answer(handler, route, parts)

            for rule in (path, VERSIONED + path):
                self.app.add_url_rule(rule, endpoint=f"{method} {rule}", view_func=answer, methods=[method])
            return handler

        return register

    async def _answer(self, handler: Handler, route: Route, parts: dict[str, Any]) -> Response:
        began = time.monotonic()
        try:
            await self._admit(route)
            if route.takes is not None:
                parts["body"] = decode_json(await read_body(MAX_BODY_BYTES), route.takes)
            given = await handler(**parts)
            response = given if isinstance(given, Response) else json_response(given, route.status)
        except (LucidError, HTTPException) as error:
            response = self._refuse(error)
        labels = (request.method, route.path, str(response.status_code))
        self._seconds.labels(*labels).observe(time.monotonic() - began)
        return _guarded(response)

    async def _admit(self, route: Route) -> None:
        spoken = request.headers.get(API_HEADER, API_VERSION)
        if spoken.partition(".")[0] != API_VERSION:
            said = f"this release speaks version {API_VERSION} alone; the request is of version {spoken[:20]}"
            raise Problem(Code.API_VERSION, said)
        caller = self.caller()
        await self.admission.count(caller, route.path)
        self.admission.permit(caller, route.access, request.method, route.path, request.headers)
        if caller.holder:
            charge().become(caller.name)
        wanted = JSON if route.takes is not None or route.raw not in (None, bytes) else BYTES
        if route.takes is not None or route.raw is not None:
            _check_type(request.headers, wanted)

    def caller(self) -> Caller:
        """Who sends the current request."""
        return self.admission.caller(request.headers, exchange().client)

    def _refuse(self, error: LucidError | HTTPException) -> Response:
        headers: dict[str, str] = {}
        if isinstance(error, HTTPException):
            codes = {404: Code.NOT_FOUND, 405: Code.METHOD, 413: Code.TOO_LARGE}
            if isinstance(error, MethodNotAllowed):
                headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            said = _missing(request.path) if error.code == 404 else str(error.description or "")
            error = Problem(codes.get(error.code or 500, Code.REQUEST), said, status=error.code or 500)
        if not isinstance(error, Problem):
            # What a store says names files and hosts; that is for the log.
            detail = error.sentence if isinstance(error, StoreError) else error.detail
            error = Problem(error.code, detail, status=400 if isinstance(error, Refusal) else BUSY)
        headers |= error.headers
        if error.status in (429, 503):
            headers["Retry-After"] = str(RETRY_AFTER_S)
        self._refused.labels(error.code.code).inc()
        body = envelope(error, request_id(), self.service)
        return Response(body, error.status, headers, content_type=JSON)

    async def _failed(self, error: Exception) -> Response:
        """Whatever no handler expected; paths that do not exist come here too."""
        if isinstance(error, HTTPException):
            try:
                await self.admission.count(self.caller(), request.path)
            except Problem as problem:
                return _guarded(self._refuse(problem))
            return _guarded(self._refuse(error))
        self.app.logger.exception("a request failed", exc_info=error)
        return _guarded(self._refuse(Problem(Code.INTERNAL, type(error).__name__)))

    def _describe_itself(self) -> None:
        """Routes that every service has."""

        @self.route("GET", "/health", "Whether the service can do its work", gives=Health)
        async def health() -> Response:
            found, warnings = self.conditions(), self._warned()
            if found:
                reasons = tuple(each.sentence for each in found)
                return json_response(Health("degraded", self.service, reasons, found, warnings), 503)
            return json_response(Health("healthy", self.service, warnings=warnings))

        @self.route("GET", "/ready", "Whether the service has started", gives=Health)
        async def ready() -> Response:
            if not self.ready:
                return json_response(Health("starting", self.service), 503)
            return json_response(Health("ready", self.service))

        @self.route("GET", "/metrics", "Figures for Prometheus", gives=str)
        async def metrics() -> Response:
            return Response(generate_latest(self.registry), content_type="text/plain; version=0.0.4; charset=utf-8")

        @self.route("GET", "/version", "The release, and the versions that it speaks", gives=Versions)
        async def version() -> Versions:
            return Versions(__version__, int(API_VERSION), OLDEST_MESSAGES, NEWEST_MESSAGES, RULES_KNOWN)

        @self.route("GET", "/openapi.json", "This description", gives=dict)
        async def openapi() -> Response:
            return json_response(self.description())

        page = load_page("description", self.service)

        @self.route("GET", "/docs", "This description, for people", gives=str, media=HTML)
        async def docs() -> Response:
            return page.response()

    def conditions(self) -> tuple[Condition, ...]:
        """What keeps the service from its work now."""
        found = [each for check in self.checks if (each := check()) is not None]
        state = STARTING if time.monotonic() - self._began_s < STARTING_S else DEGRADED
        return tuple(Condition(state, each) if isinstance(each, str) else each for each in found)

    def _warned(self) -> tuple[Condition, ...]:
        return tuple(each for check in self.warnings if (each := check()) is not None)

    async def watch(self) -> None:
        """Log each change of state, once, forever."""
        before: dict[str, Condition] = {}
        while True:
            now = {
                each.sentence if each.state in (STARTING, DEGRADED) else each.state: each
                for each in (*self.conditions(), *self._warned())
                if each.state != STORE_FAILING
            }
            for name in before.keys() - now.keys():
                _log.info("%s: no longer: %s", self.service, before[name].sentence)
            for name in now.keys() - before.keys():
                each = now[name]
                remedy = f". To do: {each.remedy}" if each.remedy else ""
                _log.warning("%s: %s%s", self.service, each.sentence, remedy)
            before = now
            await trio.sleep(WATCH_S)

    def description(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of the routes."""
        return describe(self.service, self._routes)


def json_response(value: Any, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(msgspec.json.encode(value), status, content_type=JSON)


def _missing(path: str) -> str:
    """What is said of a path that is none."""
    other = re.match(r"/api/(?!v1(/|$))[^/]*", path)
    return f"this release speaks version 1 alone: {VERSIONED}" if other else "no such path; /docs has those there are"


def _check_type(headers: Headers, wanted: str) -> None:
    """Raises `Problem` (415) for a body that says it is something else.

    curl and urllib call any body a form unless they are told; a browser, which names the page's site, is not excused.
    """
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    tool = not any(name in headers for name in ("Origin", "Referer", "Sec-Fetch-Site"))
    if kind not in ("", wanted) and not (tool and kind == "application/x-www-form-urlencoded"):
        raise Problem(Code.MEDIA_TYPE, f"it must be {wanted}")


def _guarded(response: Response) -> Response:
    """An answer with its request's id, and what keeps a browser from taking it for more than it is."""
    response.headers["X-Request-Id"] = request_id()
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
