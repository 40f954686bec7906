"""Modules that shell scripts of an image write: they are there once a container has started with such a script."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem
from smoke.static.regex import regex
from smoke.tree import Tree

_WRITES = regex(r"(?:^|[\s;&|(])(?:cp|mv|ln|install|tee|envsubst|touch)\s|>")
_MODULE = regex(r"([A-Za-z_]\w*)\.py\b")
_ASSIGNED = regex(r"^\s*(?:export\s+|local\s+)?([A-Za-z_]\w*)=\S*?([A-Za-z_]\w*)\.py\b")


def modules_written(tree: Tree, files: FileSystem) -> dict[str, str]:
    """The names of modules that scripts write last on a line, each with the script; also by way of a variable."""
    found: dict[str, str] = {}
    for path, entry in files.entries.items():
        if entry.kind != "file" or not entry.source or not path.endswith((".sh", ".bash", "entrypoint", "/start")):
            continue
        variables: dict[str, str] = {}
        for line in tree.text(entry.source).splitlines():
            if assigned := _ASSIGNED.match(line):
                variables[assigned[1]] = assigned[2]
            if not _WRITES.search(line):
                continue
            names = {match[1] for match in _MODULE.finditer(line)}
            names |= {
                module for variable, module in variables.items() if f"${variable}" in line or f"${{{variable}" in line
            }
            found |= dict.fromkeys(names - found.keys(), entry.source)
    return found
