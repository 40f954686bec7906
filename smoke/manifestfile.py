"""A manifest in its file, `smoke.toml`: read within bounds, and refused in one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from smoke.manifest import Manifest, resolved

FILE_NAME = "smoke.toml"
MAX_BYTES = 1 << 20
MAX_LINE = 10_000


class ManifestError(Exception):
    """A manifest cannot be used; its text is one sentence that names the file and the key."""


def read_manifest(path: Path, profile: str | None = None) -> Manifest:
    """The manifest in a file, resolved; `ManifestError` when it cannot be read or means nothing."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise ManifestError(f"{path}: larger than {MAX_BYTES} bytes")
    return resolved(parse_manifest(data, str(path)), profile)


def parse_manifest(data: bytes, name: str = FILE_NAME) -> Manifest:
    """The manifest that TOML text holds; `ManifestError` names `name` and the wrong key."""
    overlong = next((number for number, line in enumerate(data.split(b"\n"), 1) if len(line) > MAX_LINE), None)
    if overlong is not None:  # TOML's own reader takes a time that grows with the square of a key's parts
        raise ManifestError(f"{name}: line {overlong} is longer than {MAX_LINE} bytes")
    try:
        manifest = msgspec.convert(tomllib.loads(data.decode()), Manifest)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ManifestError(f"{name}: {error}") from None
    names = [service.name for service in manifest.services]
    for service in manifest.services:
        if names.count(service.name) > 1:
            raise ManifestError(f"{name}: two services are named {service.name}")
        for given in (service.dockerfile, service.context, service.script, *service.directories):
            if given is not None and (given.startswith("/") or ".." in given.split("/")):
                raise ManifestError(f"{name}: {given} of service {service.name} leaves the root")
    return manifest
