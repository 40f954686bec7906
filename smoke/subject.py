"""What is judged: a tree, and the manifest that it is held to."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from smoke.manifest import Manifest, resolved
from smoke.manifestfile import FILE_NAME, ManifestError, read_manifest


class Subject(Struct, frozen=True):
    """A tree and the manifest that it is held to."""

    root: Path
    manifest: Manifest
    manifest_name: str
    """As evidence names it; empty when there is none."""


def find_subject(root: Path, manifest: Path | None, profile: str | None = None) -> Subject:
    """The tree at `root` with the manifest given, or its own, or an empty one, and the demands of its profile or of
    the one given. Raises `ManifestError`."""
    if not root.is_dir():
        raise ManifestError(f"{root} is not a directory")
    if manifest is None and (root / FILE_NAME).is_file():
        manifest = root / FILE_NAME
    if manifest is None:
        return Subject(root, resolved(Manifest(), profile), "")
    return Subject(root, read_manifest(manifest, profile), manifest.name)
