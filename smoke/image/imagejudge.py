"""Runs the image checks on the images that the manifest names, once they are built where that is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import docker  # type: ignore[import-untyped]
import docker.errors  # type: ignore[import-untyped]

from smoke.finding import Finding, Verdict
from smoke.image import build, checks
from smoke.image.build import Builder, BuildError
from smoke.image.environment import environment
from smoke.image.image import BuiltImage
from smoke.judgment import Judgment
from smoke.live.containers import connect
from smoke.live.failure import LiveError
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.subject import Subject
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
) -> Judgment:
    """Judge every image of a tree. Raises `LiveError` when the engine does not answer, or lacks an image."""
    with closing(connect()) as client:
        return _look(client, subject, wanted, builder, strict=strict, say=say)


def _look(
    client: docker.DockerClient, subject: Subject, wanted: Wanted, builder: Builder, *, strict: bool, say: Say
) -> Judgment:
    tree = Tree(subject.root)
    found = [image for image in images(tree, subject.manifest) if image.service.image is not None]
    findings: list[Finding] = [*environment(client.version(), builder)]
    for image in found if wanted.build else ():
        say(f"building {image.service.name}")
        findings += build.build(builder, image, subject.root)
    broken = {finding.subject for finding in findings if finding.verdict is Verdict.FAIL}
    held = [image for image in found if image.service.name not in broken]
    findings += _look_at_all(client, subject, wanted, held, say)
    if wanted.again:
        say("building once more")
        whole = [image for image in found if not image.broken and image.context is not None]
        try:
            findings += build.build_again(builder, whole, tree)
        except BuildError as error:
            raise LiveError(f"the images that were built cannot be compared: {str(error).splitlines()[-1]}") from None
    names = tuple(image.service.name for image in found)
    return Judgment(title=subject.manifest.title, services=names, findings=tuple(findings), strict=strict)


def _look_at_all(
    client: docker.DockerClient, subject: Subject, wanted: Wanted, found: list[Image], say: Say
) -> list[Finding]:
    """Several at once, since each program in an image takes one core for seconds under emulation."""
    ended = Event()
    looked_at: list[BuiltImage] = []

    def judge(image: Image) -> list[Finding]:
        say(f"looking at {image.service.name}")
        return [*_judge(subject, wanted, image, looked_at, ended)]

    with ThreadPoolExecutor(min(len(found), os.cpu_count() or 1) or 1) as pool:
        try:
            return [finding for findings in pool.map(judge, found) for finding in findings]
        except BaseException:
            # What goes wrong with one, or Ctrl-C, ends the others where they are.
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for built in looked_at:
                built.stop(client)
            raise


def _judge(
    subject: Subject, wanted: Wanted, image: Image, looked_at: list[BuiltImage], ended: Event
) -> Iterator[Finding]:
    """One image, by a client of its own: Docker's is made for one thread. It is added to those that are looked at."""
    name = image.service.image
    assert name is not None, "only what has a name is looked at"
    client = connect()
    try:
        with BuiltImage(client, name, ended) as built:
            looked_at.append(built)
            yield from checks.look(built, image.service, subject.manifest, wanted.budget, wanted.journals, wanted.sbom)
    except docker.errors.ImageNotFound:
        raise LiveError(f"there is no image {name}: build it first (--build)") from None
    except docker.errors.APIError as error:
        raise LiveError(f"{name}: {error.explanation or error}") from None
    finally:
        client.close()
