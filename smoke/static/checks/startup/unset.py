"""Variables of a start command that only an ARG sets: they are gone when the container runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.finding import Severity
from smoke.static.model.image import Image
from smoke.static.regex import regex
from smoke.tree import Tree

_OF_PLATFORMS = frozenset(["PORT", "HOST"])
"""What platforms that run images give by themselves."""
_PLATFORM_FILE = regex(
    r"(?:.*/)?(?:Procfile|app\.(?:ya?ml|json)|heroku\.yml|fly[\w.-]*\.toml|render\.ya?ml|railway\.(?:json|toml)|cloudbuild.*"
    r"|(?:knative-?)?service\.ya?ml|koyeb.*|nixpacks\.toml|zeabur.*|captain-definition|apprunner\.ya?ml|CHECKS|chart\.yaml)"
    r"|\.do/.*|(?:.*/)?(?:k8s|kubernetes|helm|charts?|deploy|infra|terraform)/.*",
    re.IGNORECASE,
)
"""Files that tell of such a platform."""
_TELLS = regex(
    r".*\.(?:md|rst|txt|adoc|sh|ya?ml|toml|json|tf|env|ps1|bat|mk|nix)|(?:.*/)?(?:Makefile|justfile|\.env.*)"
)
_PLATFORM = r"cloud ?run|heroku|fly\.io|railway|render\.com|koyeb|app ?engine|knative|dokku|container apps?|app runner"


class Unset(Struct, frozen=True):
    """A variable that comes to nothing."""

    message: str
    severity: Severity


def unset_variables(image: Image, tree: Tree) -> Iterator[Unset]:
    """Variables of the command that are empty when it runs, though a build argument has their name."""
    start = image.start
    if image.final is None or posixpath.basename(start.words[0] if start.words else "") not in ("sh", "bash", "ash"):
        return
    if len(start.words) < 3 or start.words[1] != "-c":
        return
    text = start.words[2]
    launch = image.launch
    if launch is not None and launch.environment_doubt:
        return
    arguments = {
        word.partition("=")[0]: word.partition("=")[2]
        for each in image.final.instructions
        if each.keyword == "ARG"
        for word in each.words
        if re.match(r"[A-Za-z_]\w*(?:=|$)", word)
    }
    for name, default in arguments.items():
        used = re.search(rf"\$(?:{name}\b|\{{{name}\}})", text) is not None
        if not used or name in image.environment or re.search(rf"\b{name}=", text):
            continue
        # One with a default is meant to have it; who runs the image elsewhere may give the others.
        sure = launch is not None or ((default or name not in _OF_PLATFORMS) and not _given(tree, name, image))
        message = f"the command uses ${name}, which only an ARG sets: it is empty when the container runs"
        yield Unset(message, Severity.CRITICAL if sure else Severity.WARNING)


def _given(tree: Tree, name: str, image: Image) -> bool:
    """Whether the tree tells of someone who gives a variable to the container: a platform, or a command."""
    told = re.compile(rf"\b{name}\b|{_PLATFORM if name in _OF_PLATFORMS else '(?!)'}", re.IGNORECASE)
    for path in tree.files():
        if name in _OF_PLATFORMS and _PLATFORM_FILE.fullmatch(path):
            return True
        if _TELLS.fullmatch(path) and path != image.dockerfile and told.search(tree.text(path)):
            return True
    return False
