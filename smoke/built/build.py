"""Builds the images of a tree by the docker command, and again from a younger copy of their sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from smoke.built.normal import first_difference, normalise
from smoke.check import Check
from smoke.dockerfile.ignore import ignore_of
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.image.context import Context
from smoke.image.model import Image
from smoke.tree import Tree

BUILDS = Check(
    "build.image",
    Severity.CRITICAL,
    "the image builds for its platform",
    "There is no container to start.",
    "Look at what the build said last.",
)
SAME = Check(
    "build.same",
    Severity.CRITICAL,
    "the same sources give the same image, but for times",
    "What runs can't be told from what it was made of.",
    "Find the time, the chance or the order that is not fixed in what makes the first path that differs.",
)
CHECKS = (BUILDS, SAME)
AGAIN = "lucid-smoke-again"
_LAST_LINES = 4


class BuildError(Exception):
    """A docker command failed; the text is what it said last."""


def docker(*words: str) -> str:
    """Run the docker command of the PATH; its output. Raises `BuildError`."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    try:
        done = subprocess.run(
            ["docker", *words], env=environment, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise BuildError("there is no docker command on the PATH") from None
    if done.returncode:
        raise BuildError((done.stderr.strip() or done.stdout.strip())[-4_000:])
    return done.stdout


@dataclass(frozen=True)
class Builder:
    """How images are built: the docker command, and what every build is told."""

    docker: Callable[..., str] = docker
    arguments: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    """`none` shows that a build needs nothing from outside."""

    def build(self, image: Image, root: Path, tag: str, cached: bool = True) -> None:
        """Build an image of the tree at `root`. Raises what the docker command raises."""
        service = image.service
        arguments = {**service.build_arguments, **self.arguments}
        self.docker(
            *("build", "--quiet", "--platform", service.platform, "--tag", tag),
            *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
            *(("--target", service.target) if service.target else ()),
            *(("--network", self.network) if self.network else ()),
            *(() if cached else ("--no-cache",)),
            *("--file", str(root / image.dockerfile), str(root / (image.context or ""))),
        )


def build(builder: Builder, image: Image, root: Path) -> Iterator[Finding]:
    """Build an image under the name that the manifest gives it."""
    name = image.service.name
    assert image.service.image is not None, "only what has a name is built"
    if image.broken or image.context is None:
        lacks = "; ".join(each.reason for each in image.missing) or "its build context is not known"
        yield BUILDS.fail(f"it can't be built: {image.broken or lacks}", name)
        return
    began = time.monotonic()
    try:
        builder.build(image, root, image.service.image)
    except BuildError as error:
        yield _failed(image, error)
        return
    yield BUILDS.passed(f"built for {image.service.platform} in {time.monotonic() - began:.0f} s", name)


def build_again(builder: Builder, image: Image, tree: Tree) -> Iterator[Finding]:
    """Build an image that the engine holds once more, of files that are younger and of nothing that was kept."""
    name, tag = image.service.name, f"{AGAIN}:{image.service.name.lower()}"
    assert image.service.image is not None, "only what has a name is built"
    with TemporaryDirectory(prefix="lucid-again-") as folder:
        again = Path(folder) / "tree"
        try:
            copy_context(tree, image, again)
            builder.build(image, again, tag, cached=False)
            try:
                difference = _difference(builder, image.service.image, tag, Path(folder))
            finally:
                builder.docker("rmi", tag)
        except BuildError as error:
            yield _failed(image, error)
            return
    if difference is None:
        yield SAME.passed("built anew from a younger copy: the same image, but for times", name)
    else:
        yield SAME.fail(f"two builds of the same sources differ in {difference}", name)


def copy_context(tree: Tree, image: Image, target: Path) -> None:
    """Copy what a build is given of a tree, now: its Dockerfile, and the context as .dockerignore leaves it."""
    directory = image.context or ""
    ignore = ignore_of(tree, directory, image.dockerfile)
    context = Context(tree, directory, ignore)
    within = f"{directory}/" if directory else ""
    for path in tree.directories:
        if path.startswith(within) and context.keeps(path):
            (target / path).mkdir(parents=True, exist_ok=True)
    given = [image.dockerfile, *([ignore.path] if ignore.path else []), *context.files(directory)]
    links = [path for path in tree.links if path.startswith(within) and context.keeps(path)]
    for path in dict.fromkeys([*given, *links]):
        copied = target / path
        copied.parent.mkdir(parents=True, exist_ok=True)
        if path in tree.links:
            copied.symlink_to(tree.links[path])
        else:
            shutil.copyfile(tree.root / path, copied)
            shutil.copymode(tree.root / path, copied)


def _difference(builder: Builder, one: str, other: str, folder: Path) -> str | None:
    saved, layers = folder / "saved.tar", folder / "layers"
    layers.mkdir()
    builder.docker("save", "--output", str(saved), one, other)
    images = {each.name: each for each in normalise(saved, layers)}
    return first_difference(images[one], images[other])


def _failed(image: Image, error: BuildError) -> Finding:
    lines = [line for line in str(error).splitlines() if line.strip()][-_LAST_LINES:] or ["no reason was given"]
    shown = [Evidence(image.dockerfile, 0, excerpt(line)) for line in lines]
    return BUILDS.fail(f"it does not build: {excerpt(lines[-1])}", image.service.name, shown)
