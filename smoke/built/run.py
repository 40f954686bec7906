"""Runs the image checks on the images that the manifest names, once they are built where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]

from smoke.built import build, checks
from smoke.built.build import Builder, BuildError
from smoke.built.environment import environment
from smoke.built.image import BuiltImage
from smoke.finding import Finding, Verdict
from smoke.image.build import images
from smoke.image.model import Image
from smoke.judgement import Judgement
from smoke.live.containers import connect
from smoke.live.node import LiveError
from smoke.run import Subject
from smoke.tree import Tree

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What is asked of a run beside a look at the images."""

    build: bool = False
    """Build each image first."""
    again: bool = False
    """Build each once more at the end, which must give the same."""
    budget: int = checks.BUDGET_BYTES
    journals: Path | None = None
    sbom: Path | None = None


def look_at_images(
    subject: Subject,
    wanted: Wanted,
    builder: Builder,
    *,
    strict: bool = False,
    say: Say = lambda text: None,
) -> Judgement:
    """Judge every image of a tree. Raises `LiveError` when the engine does not answer, or lacks an image."""
    client = connect()
    tree = Tree(subject.root)
    found = [image for image in images(tree, subject.manifest) if image.service.image is not None]
    findings: list[Finding] = [*environment(client.version(), builder)]
    for image in found:
        say(image.service.name)
        findings += _judge(client, subject, wanted, builder, image)
    if wanted.again:
        say("building once more")
        whole = [image for image in found if not image.broken and image.context is not None]
        try:
            findings += build.build_again(builder, whole, tree)
        except BuildError as error:
            raise LiveError(f"the images that were built can't be compared: {str(error).splitlines()[-1]}") from None
    names = tuple(image.service.name for image in found)
    return Judgement(title=subject.manifest.title, services=names, findings=tuple(findings), strict=strict)


def _judge(
    client: docker.DockerClient, subject: Subject, wanted: Wanted, builder: Builder, image: Image
) -> Iterator[Finding]:
    """One image, built where that is asked for; of what does not build nothing else can be told."""
    if wanted.build:
        made = [*build.build(builder, image, subject.root)]
        yield from made
        if any(finding.verdict is Verdict.FAIL for finding in made):
            return
    name = image.service.image
    assert name is not None, "only what has a name is looked at"
    try:
        with BuiltImage(client, name) as built:
            yield from checks.look(built, image.service, subject.manifest, wanted.budget, wanted.journals, wanted.sbom)
    except docker.errors.ImageNotFound:
        raise LiveError(f"there is no image {name}: build it first (--build)") from None
    except docker.errors.APIError as error:
        raise LiveError(f"{name}: {error.explanation or error}") from None
