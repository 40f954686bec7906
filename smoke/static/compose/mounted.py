"""Files that Compose mounts into services and the tree does not have: Docker makes empty directories in their place."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.static.compose.document import YamlNode
from smoke.static.generated import made_beforehand
from smoke.static.regex import regex
from smoke.tree import Tree

_FILE = regex(r"[\w-][\w.-]*\.(?:ini|ya?ml|toml|conf|cfg|cnf|json|sql|sh|py|xml|properties|lua)")
"""Names that a directory does not have."""
_MADE = regex(r"\.(?:example|sample|template|dist|tmpl|tpl|j2)\b|\bacme\.json$|local|secret|override", re.IGNORECASE)
_TELLS = regex(r"readme|install|contributing|makefile|justfile|taskfile|.*\.(?:sh|md|rst|mk|ps1)$|\.env", re.IGNORECASE)
"""Files that may say how everyone makes a file of their own."""


def missing_mounts(tree: Tree, services: dict[str, YamlNode], directory: str) -> Iterator[tuple[YamlNode, str]]:
    """Items of volumes whose source is surely a file of the tree, and is not there."""
    for name, service in services.items():
        volumes = service.get("volumes")
        for item in volumes.children() if volumes is not None else ():
            source = _source(item)
            path = posixpath.normpath(posixpath.join(directory, source))
            lacking = source.startswith(("./", "../")) and not path.startswith("..") and "$" not in source
            if not lacking or not _FILE.fullmatch(posixpath.basename(path)) or _MADE.search(path):
                continue
            if tree.is_file(path) or tree.is_directory(path) or path in tree.links or _made(tree, path):
                continue
            yield item, f"{name} mounts {source}, which is not there: Docker makes a directory of that name"


def _source(item: YamlNode) -> str:
    if item.mapping is None:
        return item.text.partition(":")[0] if ":" in item.text else ""
    kind, source = item.get("type"), item.get("source")
    return source.text if kind is not None and kind.text == "bind" and source is not None else ""


def _made(tree: Tree, path: str) -> bool:
    """Whether someone is to make a file first: git ignores it, an example stands beside it, or a text tells of it."""
    directory, name = posixpath.split(path)
    stem = name.partition(".")[0]
    beside = [each for each in tree.directories.get(directory, ()) if stem in each and _MADE.search(each)]
    if beside or made_beforehand(tree, path):
        return True
    telling = (each for each in tree.files() if _TELLS.match(posixpath.basename(each)) and tree.sizes[each] < 1 << 18)
    return any(name in tree.text(each) for each in telling)
