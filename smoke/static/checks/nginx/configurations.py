"""Which configurations nginx reads in a service, and its images."""

from __future__ import annotations

from smoke.static.compose.service import ComposeService
from smoke.static.model.image import Image
from smoke.static.model.launch import MountKind
from smoke.static.regex import regex
from smoke.static.scope import Scope

IMAGE = regex(r"(?:[\w.-]+(?::\d+)?/)*(?:library/)?nginx(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?")
MAX_CONFIGURATION = 1 << 18


def configurations(scope: Scope, service: ComposeService, image: Image | None) -> dict[str, str]:
    """Files of the tree that nginx reads in a service, with the place where it has each."""
    found: dict[str, str] = {}
    if image is not None and IMAGE.fullmatch(image.base_reference):
        found |= {
            entry.source: path
            for path, entry in image.files.entries.items()
            if path.startswith("/etc/nginx/") and entry.kind == "file" and entry.source
        }
    elif image is None and IMAGE.fullmatch(service.image):
        for mount in service.launch.mounts:
            if mount.kind is MountKind.TREE and f"{mount.target}/".startswith("/etc/nginx/"):
                below = [each for each in scope.tree.files() if each.startswith(f"{mount.source}/")]
                found |= {each: mount.target + each.removeprefix(mount.source) for each in (mount.source, *below)}
    return {each: to for each, to in found.items() if each.endswith(".conf") and scope.tree.is_file(each)}
