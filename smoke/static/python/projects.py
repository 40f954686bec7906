"""A project of the tree as its own files describe it: name, dependencies, programs, and the modules it brings."""

from __future__ import annotations

import configparser
import posixpath
import re
import tomllib
from typing import Any

from msgspec import Struct, field

from smoke.static.python.distributions import normalized
from smoke.tree import Tree

_NO_MODULES = frozenset(["tests", "test", "docs", "doc", "examples", "scripts", "build", "dist", "tools", "src"])


class Project(Struct):
    """What a `pyproject.toml` (or setup.cfg) says."""

    path: str
    name: str = ""
    needs: list[str] = field(default_factory=list)
    """Requirements, as written."""
    extras: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Dependency groups, by name, those of poetry too."""
    optional_groups: set[str] = field(default_factory=set)
    """Poetry's groups that are installed only when asked for."""
    scripts: dict[str, str] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    """Top-level modules that an installation of it brings, as its directories show."""
    package: bool = True
    """Whether a tool would install the project itself too."""
    doubt: str = ""
    """Why not everything about it is known."""
    default_groups: list[str] = field(default_factory=lambda: ["dev"])


def read_project(tree: Tree, directory: str) -> Project | None:
    """The project in a directory of the tree; none when nothing there can be read as one."""
    path = posixpath.join(directory, "pyproject.toml")
    try:
        if tree.is_file(path):
            data = tomllib.loads(tree.text(path))
            if "project" in data or "poetry" in data.get("tool", {}) or "dependency-groups" in data:
                return _described(tree, directory, path, data)
        return _setup(tree, directory)
    except (tomllib.TOMLDecodeError, configparser.Error, AttributeError, TypeError, ValueError, RecursionError):
        return None


def _described_to_poetry(found: Project, poetry: dict[str, Any]) -> None:
    """What stands in Poetry's own tables."""
    if "dependencies" in poetry and not found.needs:
        found.needs = [
            _poetry(name, value)
            for name, value in poetry["dependencies"].items()
            if name.lower() != "python" and not _optional(value)
        ]
        found.extras |= {
            normalized(key): [str(each) for each in value] for key, value in poetry.get("extras", {}).items()
        }
    for name, group in poetry.get("group", {}).items():
        found.groups[normalized(name)] = [_poetry(each, value) for each, value in group.get("dependencies", {}).items()]
        if group.get("optional"):
            found.optional_groups.add(normalized(name))
    if "dev-dependencies" in poetry:
        found.groups["dev"] = [_poetry(each, value) for each, value in poetry["dev-dependencies"].items()]


def _described(tree: Tree, directory: str, path: str, data: dict[str, Any]) -> Project:
    about, tool = data.get("project", {}), data.get("tool", {})
    poetry = tool.get("poetry", {})
    found = Project(path, str(about.get("name") or poetry.get("name") or ""))
    found.needs = [str(each) for each in about.get("dependencies", [])]
    found.extras = {
        normalized(key): [str(each) for each in value] for key, value in about.get("optional-dependencies", {}).items()
    }
    found.groups = {
        normalized(key): _group(data["dependency-groups"], key) for key in data.get("dependency-groups", {})
    }
    development = tool.get("uv", {}).get("dev-dependencies", [])
    if development:
        found.groups["dev"] = [*found.groups.get("dev", []), *(str(each) for each in development)]
    default = tool.get("uv", {}).get("default-groups")
    if isinstance(default, list):
        found.default_groups = [normalized(str(each)) for each in default]
    elif default == "all":
        found.default_groups = list(found.groups)
    if "dependencies" in about.get("dynamic", []) and "dependencies" not in poetry:
        found.doubt = f"{path} leaves its dependencies to the build"
    _described_to_poetry(found, poetry)
    scripts = {**about.get("scripts", {}), **about.get("gui-scripts", {}), **poetry.get("scripts", {})}
    found.scripts = {
        name: str(value.get("reference", value.get("callable", "")) if isinstance(value, dict) else value)
        .partition("[")[0]
        .strip()
        for name, value in scripts.items()
    }
    wanted = tool.get("uv", {}).get("package", poetry.get("package-mode"))
    found.package = bool(wanted) if wanted is not None else ("build-system" in data or "poetry" in tool)
    found.modules = _modules(tree, directory, found.name)
    if "scripts" in about.get("dynamic", []):
        found.doubt = found.doubt or f"{path} leaves its scripts to the build"
    return found


def _group(groups: dict[str, Any], name: str, depth: int = 8) -> list[str]:
    found: list[str] = []
    for each in groups.get(name, []):
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict) and "include-group" in each and depth:
            wanted = normalized(str(each["include-group"]))
            inner = next((key for key in groups if normalized(key) == wanted), "")
            found += _group(groups, inner, depth - 1)
    return found


def _optional(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("optional"))


def _poetry(name: str, value: Any) -> str:
    """A requirement of poetry's table, as far as names, extras and markers go."""
    if isinstance(value, list):
        value = value[0] if value else {}
    if not isinstance(value, dict):
        return name
    extras = f"[{','.join(value['extras'])}]" if value.get("extras") else ""
    marker = f"; {value['markers']}" if value.get("markers") else ""
    return f"{name}{extras}{marker}"


def _setup(tree: Tree, directory: str) -> Project | None:
    config, script = posixpath.join(directory, "setup.cfg"), posixpath.join(directory, "setup.py")
    if not tree.is_file(config) and not tree.is_file(script):
        return None
    found = Project(config if tree.is_file(config) else script)
    if tree.is_file(config):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(tree.text(config))
        if parser.has_section("metadata"):
            found.name = parser.get("metadata", "name", fallback="")
        if parser.has_section("options"):
            lines = parser.get("options", "install_requires", fallback="").strip().splitlines()
            found.needs = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        if parser.has_section("options.entry_points"):
            for line in parser.get("options.entry_points", "console_scripts", fallback="").splitlines():
                name, equals, target = line.partition("=")
                if equals:
                    found.scripts[name.strip()] = target.partition("[")[0].strip()
    if tree.is_file(script):
        text = tree.text(script)
        named = re.search(r"\bname\s*=\s*[\"']([\w.-]+)[\"']", text)
        found.name = found.name or (named[1] if named else "")
        found.scripts |= dict(re.findall(r"[\"']\s*([\w.-]+)\s*=\s*([\w.]+:[\w.]+)\s*[\"']", text))
        listed = re.search(r"install_requires\s*=\s*\[((?:[^\]\"']|\"[^\"\n]*\"|'[^'\n]*')*)\]", text)
        if listed is not None and not re.search(
            r"[^\s\"',\w.<>=!~;\[\]()-]", re.sub(r"[\"'][^\"'\n]*[\"']|#[^\n]*", "", listed[1])
        ):
            found.needs += re.findall(r"[\"']([^\"'\n]+)[\"']", listed[1])
        elif "install_requires" in text or not found.needs:
            found.doubt = f"what {script} installs is decided as it runs" if "install_requires" in text else ""
    found.modules = _modules(tree, directory, found.name)
    return found


def _modules(tree: Tree, directory: str, name: str) -> list[str]:
    for base in (posixpath.join(directory, "src"), directory):
        names = tree.directories.get(base, ())
        found = [
            each.removesuffix(".py")
            for each in names
            if each not in _NO_MODULES
            and (
                tree.is_file(posixpath.join(base, each, "__init__.py"))
                or (each.endswith(".py") and each not in ("setup.py", "conftest.py", "noxfile.py"))
                or (tree.is_directory(posixpath.join(base, each)) and normalized(each) == normalized(name))
            )
        ]
        if found:
            return found
    return []
