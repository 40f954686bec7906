"""What setuptools takes of a project's sources into its wheel: the packages it is told of, and their data."""

from __future__ import annotations

import ast
import configparser
import posixpath
import tomllib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from smoke.static.model.stage import Stage
from smoke.static.python.dotted import dotted
from smoke.static.python.nodes import below
from smoke.static.regex import regex

_PLAIN_BUILD = regex(r"(?:setuptools|wheel)(?![\w-])[^\[]*")
_OPEN = ("cmdclass", "ext_modules", "use_scm_version", "setup_requires", "distclass", "cffi_modules", "rust_extensions")
"""Arguments of `setup` that let other code decide what is in the wheel."""
_NAMES = ("pyproject.toml", "setup.cfg", "setup.py", "MANIFEST.in")


class _Unknown(Exception):
    """What is packed is not plain."""


class Packing(Struct, frozen=True):
    """The rules by which files of a project are taken, those that end in `.py` and the others."""

    listed: frozenset[str] | None
    """Packages by their dotted names; none: those that are found."""
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    regular: bool = False
    """Whether only directories with an `__init__.py` are found, and only below such."""
    data: dict[str, tuple[str, ...]] | None = None
    """Patterns of data by package (`*`: of each); none where that is not known: all is taken."""

    def takes(self, path: str, has: Callable[[str], bool]) -> bool:
        """Whether a file is taken; `has` says whether there is a file at a path beside it."""
        directory, name = posixpath.split(path)
        if not directory:
            return True
        if name.endswith(".py"):
            return self._package(directory, has)
        if name == "py.typed" or name.endswith(".pyi") or self.data is None:
            return True
        below = ""
        while directory and not self._package(directory, has):
            directory, part = posixpath.split(directory)
            below = posixpath.join(part, below)
        package = directory.replace("/", ".")
        patterns = [*self.data.get("*", ()), *self.data.get("", ()), *self.data.get(package, ())]
        return bool(directory) and any(_fits(posixpath.join(below, name), each) for each in patterns)

    def _package(self, directory: str, has: Callable[[str], bool]) -> bool:
        package = directory.replace("/", ".")
        if self.listed is not None:
            return package in self.listed
        if self.regular:
            parts = directory.split("/")
            if not all(has(f"{'/'.join(parts[:count])}/__init__.py") for count in range(1, len(parts) + 1)):
                return False
        return any(fnmatchcase(package, each) for each in self.include) and not any(
            fnmatchcase(package, each) for each in self.exclude
        )


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern of package data means a path; one that cannot be read here counts as yes."""
    return fnmatchcase(path, pattern) or "**" in pattern


def packing(stage: Stage, root: str) -> Packing | None:
    """The rules of the project in a directory; none where they cannot be told, or another backend has its own."""
    texts: dict[str, str] = {}
    for name in _NAMES:
        entry = stage.files.find(f"{root}/{name}")
        if entry is None:
            continue
        if not entry.source or stage.read is None:
            return None
        texts[name] = stage.read(entry.source).decode("utf-8", "replace")
    try:
        return _read(texts)
    except (_Unknown, tomllib.TOMLDecodeError, configparser.Error, SyntaxError, ValueError, TypeError, AttributeError):
        return None


def _read(texts: dict[str, str]) -> Packing:
    data = tomllib.loads(texts.get("pyproject.toml", ""))
    build = data.get("build-system", {})
    if build.get("build-backend", "setuptools.build_meta") != "setuptools.build_meta" or "backend-path" in build:
        raise _Unknown
    if not all(_PLAIN_BUILD.fullmatch(each.strip()) for each in build.get("requires", ())):
        raise _Unknown
    told = data.get("tool", {}).get("setuptools", {})
    if {"cmdclass", "ext-modules", "package-dir"} & told.keys() and told.get("package-dir") != {"": "src"}:
        raise _Unknown
    arguments = _arguments(texts.get("setup.py", ""))
    config = configparser.ConfigParser(interpolation=None, strict=False)
    config.read_string(texts.get("setup.cfg", ""))
    kept = "MANIFEST.in" in texts or config.has_section("options.package_data") or "package_data" in arguments
    data_of = None if kept else {key: tuple(value) for key, value in told.get("package-data", {}).items()}
    if "packages" in told:
        return _of_table(told["packages"], data_of)
    if "packages" in arguments:
        return _of_call(arguments["packages"], data_of)
    if config.has_option("options", "packages"):
        return _of_config(config, data_of)
    if "project" not in data:
        raise _Unknown
    return Packing(None, data=data_of)  # what is discovered takes directories without an __init__.py too


def _of_table(told: Any, data: dict[str, tuple[str, ...]] | None) -> Packing:
    if isinstance(told, list):
        return Packing(frozenset(map(str, told)), data=data)
    find = told["find"]
    include, exclude = tuple(find.get("include", ("*",))), tuple(find.get("exclude", ()))
    return Packing(listed=None, include=include, exclude=exclude, regular=find.get("namespaces") is False, data=data)


def _of_config(config: configparser.ConfigParser, data: dict[str, tuple[str, ...]] | None) -> Packing:
    told = config.get("options", "packages").split()
    if told in (["find:"], ["find_namespace:"]):
        section = "options.packages.find"
        include = tuple(config.get(section, "include", fallback="*").replace(",", " ").split())
        exclude = tuple(config.get(section, "exclude", fallback="").replace(",", " ").split())
        return Packing(listed=None, include=include, exclude=exclude, regular=told == ["find:"], data=data)
    return Packing(frozenset(each.strip(",") for each in told), data=data)


def _of_call(told: ast.expr, data: dict[str, tuple[str, ...]] | None) -> Packing:
    if isinstance(told, ast.Call):
        name = dotted(told.func).rpartition(".")[2]
        keywords = {each.arg: ast.literal_eval(each.value) for each in told.keywords}
        where = [ast.literal_eval(each) for each in told.args]
        if name not in ("find_packages", "find_namespace_packages") or where not in ([], ["."], ["src"]):
            raise _Unknown
        include, exclude = tuple(keywords.get("include", ("*",))), tuple(keywords.get("exclude", ()))
        return Packing(listed=None, include=include, exclude=exclude, regular=name == "find_packages", data=data)
    return Packing(frozenset(map(str, ast.literal_eval(told))), data=data)


def _arguments(text: str) -> dict[str | None, ast.expr]:
    """The arguments of the one call of `setup` in a setup.py."""
    calls = [
        each
        for each in below(ast.parse(text))
        if isinstance(each, ast.Call) and dotted(each.func) in ("setup", "setuptools.setup")
    ]
    if len(calls) > 1 or (text.strip() and not calls):
        raise _Unknown
    found = {each.arg: each.value for call in calls for each in call.keywords}
    if {None, *_OPEN} & found.keys():
        raise _Unknown
    if "package_dir" in found and ast.literal_eval(found["package_dir"]) != {"": "src"}:
        raise _Unknown
    return found
