"""conda's files: environment.yml, lists for `--file`, explicit lists of URLs, and conda-lock's lock files."""

from __future__ import annotations

import re

from msgspec import Struct, field

from smoke.static.compose.document import YamlError, YamlNode, read_yaml
from smoke.static.regex import regex

_SPEC = regex(r"(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)")
_ON_PYPI = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "tensorflow-base": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "importlib_metadata": "importlib-metadata",
    "pytables": "tables",
    "py-xgboost": "xgboost",
    "python-confluent-kafka": "confluent-kafka",
    "redis-py": "redis",
    "grpcio": "grpcio",
    "python-kafka": "kafka-python",
    "kafka-python": "kafka-python",
    "pyopenssl": "pyopenssl",
    "uvicorn-standard": "uvicorn",
    "jupyter_client": "jupyter-client",
    "ruamel.yaml": "ruamel-yaml",
    "python-graphviz": "graphviz",
    "sqlalchemy": "sqlalchemy",
    "polars-lts-cpu": "polars",
    "websocket-client": "websocket-client",
    "pil": "pillow",
}
"""Packages of conda-forge whose distribution on PyPI has another name."""
_OWN = frozenset(["python", "pip", "conda", "mamba"])


class Environment(Struct):
    """What one file asks for."""

    name: str = ""
    prefix: str = ""
    python: str = ""
    """Version, as in `3.12`; empty when it is not told."""
    has_python: bool = False
    distributions: list[str] = field(default_factory=list)
    """Requirements, by the names that PyPI has for them."""
    files: list[str] = field(default_factory=list)
    """Requirement files that pip is given, as written."""
    whole: bool = False
    """Whether that is all there will be."""
    doubt: str = ""

    def add(self, spec: str) -> None:
        """Take in a package as conda is asked for it: `name`, `name=1.2`, `channel::name>=3`."""
        match = _SPEC.fullmatch(spec.strip().strip("'\""))
        if match is None or "$" in spec:
            self.doubt = self.doubt or f"what {spec!r} of conda is, is not known"
            return
        name, version = match[1].lower(), match[2]
        if name == "python":
            self.has_python = True
            pinned = re.match(r"\s*[=~]*\s*(3\.\d+)(?![\d])", version)
            self.python = pinned[1] if pinned and not version.startswith((">", "<", "!")) else self.python
        elif name not in _OWN:
            self.distributions.append(_ON_PYPI.get(name, name))


def read_environment(path: str, text: str) -> Environment:
    """What a file asks for; never raises."""
    found = Environment()
    if re.search(r"(?m)^@EXPLICIT\s*$", text):
        return _explicit(text)
    if not path.endswith((".yml", ".yaml")):
        for line in text.split("\n"):
            if spec := line.partition("#")[0].strip():
                found.add(spec)
        return found
    try:
        root = read_yaml(text, path)
    except YamlError as error:
        found.doubt = f"{path} cannot be read: {error}"
        return found
    if root.get("package") is not None and root.get("version") is not None:
        return _locked(root)
    titled, placed, listed = root.get("name"), root.get("prefix"), root.get("dependencies")
    found.name = titled.text if titled is not None else ""
    found.prefix = placed.text if placed is not None else ""
    if listed is None or listed.items is None:
        found.doubt = f"{path} lists no dependencies"
        return found
    for each in listed.items:
        if each.mapping is None:
            found.add(each.text)
        for given in (each.get("pip") or YamlNode(0)).items or ():
            _by_pip(found, given.text.strip())
    return found


def _by_pip(found: Environment, line: str) -> None:
    if match := re.match(r"(?:-r|--requirement)[\s=]*(\S+)", line):
        found.files.append(match[1])
    elif line.startswith("-"):
        found.doubt = found.doubt or f"what {line!r} brings is not followed"
    elif line:
        found.distributions.append(line)


def _explicit(text: str) -> Environment:
    """A list of URLs of archives: `.../linux-64/numpy-1.26.4-py312h123_0.conda`."""
    found = Environment(whole=True)
    for line in text.split("\n"):
        match = re.search(r"/([^/\s]+?)-([^-/\s]+)-[^-/\s]+\.(?:conda|tar\.bz2)\b", line)
        if match is not None:
            found.add(f"{match[1]}={match[2]}")
    return found


def _locked(root: YamlNode) -> Environment:
    found = Environment(whole=True)
    for each in (root.get("package") or YamlNode(0)).items or ():
        name, version, platform = each.get("name"), each.get("version"), each.get("platform")
        if name is None or (platform is not None and not platform.text.startswith("linux")):
            continue
        manager = each.get("manager")
        if manager is not None and manager.text == "pip":
            found.distributions.append(name.text)
        else:
            found.add(f"{name.text}={version.text if version is not None else ''}")
    found.distributions = list(dict.fromkeys(found.distributions))
    return found
