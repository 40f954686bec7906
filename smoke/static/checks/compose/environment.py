"""`compose.environment`: files of variables that services name are there."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator

from smoke.finding import Finding, Severity
from smoke.static.checks.compose.rules import ENVIRONMENT
from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.service import env_files
from smoke.static.scope import Scope

_EXAMPLES = ("{}.example", "{}.sample", "{}.template", "{}.dist", "example{}", "sample{}", "{}-example", "{}_example")


def judge_environment(scope: Scope, service: RunningService) -> Iterator[Finding]:
    """Files of variables; one that is made from an example, or that git ignores, is no fault of the tree."""
    tree, directory = scope.tree, service.project.directory
    failed = False
    given = list(env_files(service.node))
    for item, needed in given:
        path = posixpath.normpath(posixpath.join(directory, item.text))
        if not needed or "$" in item.text or path.startswith("..") or tree.is_file(path) or path in tree.links:
            continue
        where, name = posixpath.split(path)
        beside = set(tree.directories.get(where, ()))
        example = next((each for form in _EXAMPLES if (each := form.format(name)) in beside), "")
        ignored = any(
            _ignores(tree.text(posixpath.join(place, ".gitignore")), name) for place in {"", where, directory}
        )
        message = f"there is no {item.text}"
        failed = True
        shown = posixpath.basename(item.file or service.service.file)
        ignored = ignored or re.search(r"\b(?:example|sample|template|dist)\b", shown) is not None
        if example or ignored or name == "stack.env":  # Portainer writes one by that name
            note = f": it is made from {example}" if example else ": everyone makes their own"
            yield ENVIRONMENT.fail(message + note, service.name, at_node(service, item), severity=Severity.INFO)
        else:
            yield ENVIRONMENT.fail(message, service.name, at_node(service, item))
    if given and not failed:
        yield ENVIRONMENT.passed(f"{len(given)} files of variables are there", service.name)


def _ignores(text: str, name: str) -> bool:
    lines = [line.strip() for line in text.splitlines()[:2_000]]
    patterns = [line.rpartition("/")[2] for line in lines if line and not line.startswith(("#", "!"))]
    return any(pattern and fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
