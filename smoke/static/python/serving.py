"""Calls by which a program serves at the container's own loopback address, where nobody else reaches it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.model.servers.served import LOOPBACK
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below
from smoke.static.regex import regex

HINT = regex(rb"127\.0\.0\.1|localhost|::1|uvicorn\.run|\.run\(|\brun\(|run_server\(|\.launch\(")
"""Without any of these in a file, nothing in it can listen at loopback."""


class Local(Struct, frozen=True):
    """One such call."""

    line: int
    called: str
    port: int | None = None
    variables: tuple[str, ...] = ()
    """Variables of the environment that would let it listen elsewhere."""


class _Signature(Struct, frozen=True):
    """How a function is told where to listen."""

    keyword: str = "host"
    place: int | None = None
    """Position of the host, or of a pair of host and port."""
    port_place: int | None = None
    default: bool = False
    """Whether it listens at loopback unless it is told otherwise."""
    variables: tuple[str, ...] = ()


_FUNCTIONS = {
    "uvicorn.run": _Signature(default=True),
    "waitress.serve": _Signature(),
    "bottle.run": _Signature(default=True),
    "aiohttp.web.run_app": _Signature(),
    "werkzeug.serving.run_simple": _Signature("hostname", 0, 1),
    "http.server.HTTPServer": _Signature("server_address", 0),
    "http.server.ThreadingHTTPServer": _Signature("server_address", 0),
    "socketserver.TCPServer": _Signature("server_address", 0),
    "socketserver.ThreadingTCPServer": _Signature("server_address", 0),
    "wsgiref.simple_server.make_server": _Signature("host", 0, 1),
    "gevent.pywsgi.WSGIServer": _Signature("listener", 0),
    "eventlet.listen": _Signature("addr", 0),
    "asyncio.start_server": _Signature("host", 1, 2),
}
_METHODS = {
    ("Flask", "run"): _Signature("host", 0, 1, default=True),
    ("Quart", "run"): _Signature("host", 0, 1, default=True),
    ("Sanic", "run"): _Signature("host", 0, 1, default=True),
    ("Bottle", "run"): _Signature(default=True),
    ("Dash", "run"): _Signature("host", 0, 1, default=True, variables=("HOST",)),
    ("Dash", "run_server"): _Signature("host", 0, 1, default=True, variables=("HOST",)),
    **{
        (kind, "launch"): _Signature("server_name", default=True, variables=("GRADIO_SERVER_NAME",))
        for kind in ("Interface", "Blocks", "ChatInterface", "TabbedInterface")
    },
}
_FRAMEWORKS = frozenset(["flask", "quart", "sanic", "bottle", "dash", "gradio"])
_GRPC = frozenset(["add_insecure_port", "add_secure_port"])
_READS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})


def local_calls(parsed: ast.Module, imported: dict[str, str]) -> Iterator[Local]:
    """The calls of a module that listen at loopback; `imported` has what its names stand for."""
    nodes = list(below(parsed))
    made, values = _made(nodes, imported), _values(parsed)
    for node in nodes:
        if isinstance(node, ast.Call) and (found := _signature(node, imported, made)) is not None:
            signature, called = found
            if (local := _judged(node, signature, called, values)) is not None:
                yield local


def _made(nodes: list[ast.AST], imported: dict[str, str]) -> dict[str, str]:
    """Names that stand for an object of one of the frameworks, with its class."""
    found: dict[str, str] = {}
    for node in nodes:
        pairs: list[tuple[ast.expr, ast.expr | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.With):
            pairs = [(each.context_expr, each.optional_vars) for each in node.items]
            pairs = [(target, value) for value, target in pairs if target is not None]
        for target, value in pairs:
            if isinstance(target, ast.Name) and isinstance(value, ast.Call):
                name = _full(dotted(value.func), imported)
                if name.partition(".")[0] in _FRAMEWORKS:
                    found[target.id] = name.rpartition(".")[2]
    return found


def _values(parsed: ast.Module) -> dict[str, ast.expr]:
    """Names at the top that are given one value only."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in parsed.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            twice |= {name} & found.keys()
            found[name] = node.value
    return {name: value for name, value in found.items() if name not in twice}


def _full(name: str, imported: dict[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return f"{imported.get(first, first)}{dot}{rest}"


def _signature(node: ast.Call, imported: dict[str, str], made: dict[str, str]) -> tuple[_Signature, str] | None:
    spelled = dotted(node.func)
    signature = _FUNCTIONS.get(_full(spelled, imported))
    if signature is not None:
        return signature, spelled
    owner, _, last = spelled.rpartition(".")
    if owner in made and (signature := _METHODS.get((made[owner], last))) is not None:
        return signature, spelled
    if last in _GRPC and any(each.partition(".")[0] == "grpc" for each in imported.values()):
        return _Signature("address", 0), spelled
    return None


def _judged(node: ast.Call, signature: _Signature, called: str, values: dict[str, ast.expr]) -> Local | None:
    """The call, if it listens at loopback."""
    keywords = {each.arg: each.value for each in node.keywords}
    if None in keywords or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    told = keywords.get(signature.keyword)
    if told is None and signature.place is not None and signature.place < len(node.args):
        told = node.args[signature.place]
    if told is None and "listen" in keywords:
        told = keywords["listen"]
    port = keywords.get("port", keywords.get("server_port"))
    if port is None and signature.port_place is not None and signature.port_place < len(node.args):
        port = node.args[signature.port_place]
    if told is None:
        if not signature.default:
            return None
        return Local(node.lineno, called, _number(port, values), signature.variables)
    if isinstance(told, ast.Tuple) and len(told.elts) == 2:
        told, port = told.elts
    host, variables = _text(told, values)
    if host not in LOOPBACK and ":" in host:
        host, _, after = host.rpartition(":")
        port = ast.Constant(int(after)) if after.isascii() and after.isdigit() and len(after) < 6 else None
    return Local(node.lineno, called, _number(port, values), variables) if host in LOOPBACK else None


def _text(node: ast.expr, values: dict[str, ast.expr], depth: int = 4) -> tuple[str, tuple[str, ...]]:
    """A constant text, and the variables of the environment that would take its place."""
    if isinstance(node, ast.Constant):
        return (node.value if isinstance(node.value, str) else ""), ()
    if isinstance(node, ast.Name) and node.id in values and depth:
        return _text(values[node.id], values, depth - 1)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        variable = _read(node.values[0])
        text, more = _text(node.values[1], values, depth - 1) if depth and variable else ("", ())
        return text, (*((variable,) if variable else ()), *more)
    if isinstance(node, ast.Call) and len(node.args) == 2 and (variable := _read(node)):
        return _text(node.args[1], values, depth - 1)[0] if depth else "", (variable,)
    return "", ()


def _read(node: ast.expr) -> str:
    """The variable that an expression reads from the environment."""
    if isinstance(node, ast.Call) and dotted(node.func) in _READS and node.args:
        first = node.args[0]
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return ""


def _number(node: ast.expr | None, values: dict[str, ast.expr]) -> int | None:
    if isinstance(node, ast.Name):
        node = values.get(node.id)
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None
