"""Runs the image checks on the images that the manifest names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smoke.built import checks
from smoke.built.image import BuiltImage
from smoke.finding import Finding
from smoke.judgement import Judgement
from smoke.live.containers import connect
from smoke.live.node import LiveError
from smoke.manifest import Manifest

Say = Callable[[str], None]


def look_at_images(
    manifest: Manifest,
    *,
    budget: int = checks.BUDGET_BYTES,
    journals: Path | None = None,
    sbom: Path | None = None,
    strict: bool = False,
    say: Say = lambda text: None,
) -> Judgement:
    """Judge every image. Raises `LiveError` when no engine answers or an image is not there."""
    import docker.errors  # type: ignore[import-untyped]  # noqa: PLC0415 - of an extra

    client = connect()
    findings: list[Finding] = [*checks.environment(client.version())]
    services = [service for service in manifest.services if service.image is not None]
    for service in services:
        say(service.name)
        assert service.image is not None
        try:
            with BuiltImage(client, service.image) as image:
                findings += checks.look(image, service, manifest, budget, journals, sbom)
        except docker.errors.ImageNotFound:
            raise LiveError(f"there is no image {service.image}: build it first (nox -s images)") from None
        except docker.errors.APIError as error:
            raise LiveError(f"{service.image}: {error.explanation or error}") from None
    names = tuple(service.name for service in services)
    return Judgement(title=manifest.title, services=names, findings=tuple(findings), strict=strict)
