"""Calls that open files or directories."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.python.effects import FileUse, Use
from smoke.static.python.making import says
from smoke.static.python.nodes import below
from smoke.static.python.paths import Paths

_HANDLERS = frozenset({"FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"})
_READS = frozenset(
    [
        *["os.listdir", "os.scandir", "os.chdir", "joblib.load", "numpy.load", "numpy.loadtxt", "pandas.read_csv"],
        *["pandas.read_excel", "pandas.read_json", "pandas.read_parquet", "pandas.read_pickle", "torch.load"],
        *["logging.config.fileConfig", "os.stat", "os.path.getsize", "os.path.getmtime", "runpy.run_path"],
        *["xml.etree.ElementTree.parse", "PIL.Image.open", "onnxruntime.InferenceSession", "zipfile.ZipFile"],
        *["polars.read_csv", "polars.read_parquet", "numpy.fromfile", "numpy.genfromtxt", "onnx.load", "toml.load"],
        *["tensorflow.keras.models.load_model", "keras.models.load_model", "fasttext.load_model", "tarfile.open"],
    ]
)
"""Functions that read what their first argument names, and fail where it is not there."""
_OF_PATHS = {
    "read_text": Use.READ,
    "read_bytes": Use.READ,
    "open": Use.READ,
    "iterdir": Use.READ,
    "write_text": Use.WRITE,
    "write_bytes": Use.WRITE,
    "touch": Use.WRITE,
    "mkdir": Use.MAKE,
}
"""Methods of pathlib's paths."""


class Opened(Struct, frozen=True):
    """A path as a call names it, and what is done with it."""

    path: ast.expr
    use: Use


def opened_by(node: ast.Call, name: str, last: str, keywords: dict[str, ast.expr], paths: Paths) -> Iterator[Opened]:
    """What a call opens; `name` is what it calls, as it was imported."""
    first = node.args[0] if node.args else None
    if name in ("open", "io.open", "builtins.open"):
        yield from _open(node, first, keywords)
    elif last == "load_cert_chain":
        given = [*node.args[:2], *(keywords[each] for each in ("certfile", "keyfile") if each in keywords)]
        yield from (Opened(each, Use.READ) for each in given)
    elif last == "StaticFiles" and name.startswith(("fastapi.", "starlette.")):
        check = keywords.get("check_dir")
        directory = keywords.get("directory") or first
        if directory is not None and not (isinstance(check, ast.Constant) and not check.value):
            yield Opened(directory, Use.SERVE)
    elif name == "sqlite3.connect" and "uri" not in keywords and first is not None:
        database = paths.place(first)
        if database is not None and (database.variable or database.text not in ("", ":memory:")):
            yield Opened(first, Use.WRITE)
    elif name == "logging.basicConfig" and "filename" in keywords:
        yield Opened(keywords["filename"], Use.WRITE)
    elif last in _HANDLERS and name.startswith("logging."):
        path = first or keywords.get("filename")
        if path is not None and "delay" not in keywords:
            yield Opened(path, Use.WRITE)
    elif name in _READS:
        path = first or keywords.get("fname")
        moded = name in ("zipfile.ZipFile", "tarfile.open") and (len(node.args) > 1 or "mode" in keywords)
        yield from [Opened(path, Use.READ)] if path is not None and not moded else []
    elif name in ("os.mkdir", "os.makedirs"):
        yield from [Opened(first, Use.MAKE)] if first is not None else []
    else:
        yield from _otherwise(node, name, last, paths)


def _open(node: ast.Call, first: ast.expr | None, keywords: dict[str, ast.expr]) -> Iterator[Opened]:
    mode = keywords.get("mode") or (node.args[1] if len(node.args) > 1 else None)
    text = mode.value if isinstance(mode, ast.Constant) else "r" if mode is None else None
    path = first or keywords.get("file")
    if isinstance(text, str) and "opener" not in keywords and path is not None:
        yield Opened(path, Use.WRITE if set(text) & set("wax+") else Use.READ)


def _otherwise(node: ast.Call, name: str, last: str, paths: Paths) -> Iterator[Opened]:
    """Methods of paths, package data, and the configuration of a Flask app."""
    if name.endswith(".config.from_pyfile") and node.args and says(node, "silent", 1) is False:
        yield from _of_flask(node, name.partition(".")[0], paths)
        return
    if last not in _OF_PATHS or not isinstance(node.func, ast.Attribute) or not paths.is_path(node.func.value):
        return
    if last != "open" or not (node.args or node.keywords or paths.place(node.func.value) is None):
        yield Opened(node.func.value, _OF_PATHS[last])


def _of_flask(node: ast.Call, app: str, paths: Paths) -> Iterator[Opened]:
    """The file of `from_pyfile`, which an app looks for beside its own module unless it was told otherwise."""
    path = node.args[0]
    place = paths.place(path)
    if place is not None and (place.of_file or place.text.startswith("/")):
        yield Opened(path, Use.READ)
        return
    made = paths.expression(ast.Name(app, ast.Load()))
    plain = isinstance(made, ast.Call) and not {"instance_relative_config", "root_path", None} & {
        each.arg for each in made.keywords
    }
    named = isinstance(made, ast.Call) and len(made.args) == 1 and isinstance(made.args[0], ast.Name)
    if plain and named and isinstance(made, ast.Call) and getattr(made.args[0], "id", "") == "__name__":
        beside = ast.Attribute(ast.Call(ast.Name("Path"), [ast.Name("__file__")], []), "parent")
        yield Opened(ast.BinOp(beside, ast.Div(), path), Use.READ)


def log_files(node: ast.expr, paths: Paths) -> Iterator[FileUse]:
    """The files of the handlers of a literal for `dictConfig`."""
    for each in below(paths.expression(node)):
        if not isinstance(each, ast.Dict):
            continue
        told = {
            key.value: value for key, value in zip(each.keys, each.values, strict=True) if isinstance(key, ast.Constant)
        }
        made, name = told.get("class"), told.get("filename")
        plain = isinstance(made, ast.Constant) and str(made.value).startswith("logging.") and "delay" not in told
        if (
            plain
            and isinstance(made, ast.Constant)
            and str(made.value).rpartition(".")[2] in _HANDLERS
            and name is not None
        ):
            place = paths.place(name)
            if place is not None and place.text:
                yield FileUse(name.lineno, place, Use.WRITE)
