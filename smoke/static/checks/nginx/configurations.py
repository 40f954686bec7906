"""Which configurations nginx reads in a service: those of its image, with what Compose lays over them."""

from __future__ import annotations

from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.model.launch import MountKind
from smoke.static.regex import regex
from smoke.static.scope import Scope

IMAGE = regex(r"(?:[\w.-]+(?::\d+)?/)*(?:library/)?nginx(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?")
MAX_CONFIGURATION = 1 << 18


def copied(image: Image) -> dict[str, str]:
    """Files of the tree that an image of nginx has where it reads, with the place of each."""
    if not IMAGE.fullmatch(image.base_reference):
        return {}
    held = image.files.entries.items()
    read = {each.source: path for path, each in held if each.kind == "file" and path.startswith("/etc/nginx/")}
    return {source: path for source, path in read.items() if source and not image.files.doubt(path)}


def configurations(scope: Scope, service: ComposeService, image: Image | None) -> dict[str, str]:
    """Files of the tree that nginx reads in a service, with the place where it has each."""
    found: dict[str, str] = {}
    if image is not None:
        found |= copied(image)
    elif IMAGE.fullmatch(service.image):
        for mount in service.launch.mounts:
            if mount.kind is MountKind.TREE and f"{mount.target}/".startswith("/etc/nginx/"):
                below = [each for each in scope.tree.files() if each.startswith(f"{mount.source}/")]
                found |= {each: mount.target + each.removeprefix(mount.source) for each in (mount.source, *below)}
    return {each: to for each, to in found.items() if each.endswith(".conf") and scope.tree.is_file(each)}
