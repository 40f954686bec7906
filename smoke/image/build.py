"""Builds the images of a tree by the docker command, and again from a younger copy of their sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.image.normal import first_difference, normalize
from smoke.static.dockerfile.ignore import ignore_of
from smoke.static.model.context import Context
from smoke.static.model.image import Image
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
    "What runs cannot be told from what it was made of.",
    "Find the time, the chance or the order that is not fixed in what makes the first path that differs.",
)
CHECKS = (BUILDS, SAME)
AGAIN = "lucid-smoke-again"
_LAST_LINES = 4


class BuildError(Exception):
    """A docker command failed; the text is what it said last."""


def docker(*words: str, environment: Mapping[str, str] = os.environ) -> str:
    """Run the docker command of an environment's PATH; its output. Raises `BuildError`."""
    told = {**environment, "DOCKER_BUILDKIT": "1"}
    try:
        done = subprocess.run(
            ["docker", *words], env=told, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise BuildError("there is no docker command on the PATH") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"docker {words[0]} ended with status {done.returncode}"
        raise BuildError(said[-4_000:])
    return done.stdout


@dataclass(frozen=True)
class Builder:
    """How images are built: the docker command, and what every build is told."""

    docker: Callable[..., str] = docker
    arguments: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    """`none` shows that a build needs nothing from outside."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What a build begins with. Where buildx is there, the engine is to get the image, whatever builds it."""
        try:
            self.docker("buildx", "version")
        except BuildError:
            return ("build",)
        return ("buildx", "build", "--load")

    def build(self, image: Image, root: Path, tag: str, cached: bool = True) -> None:
        """Build an image of the tree at `root`. Raises `BuildError`."""
        service = image.service
        arguments = {**service.build_arguments, **self.arguments}
        self.docker(
            *(*self.words, "--quiet", "--tag", tag),
            *(("--platform", service.platform) if service.platform else ()),
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
        yield BUILDS.fail(f"it cannot be built: {image.broken or lacks}", name)
        return
    began = time.monotonic()
    try:
        builder.build(image, root, image.service.image)
    except BuildError as error:
        yield _failed(image, error)
        return
    yield BUILDS.passed(
        f"built for {image.service.platform or 'this machine'} in {time.monotonic() - began:.0f} s", name
    )


def build_again(builder: Builder, images: Sequence[Image], tree: Tree) -> Iterator[Finding]:
    """Build images that the engine holds once more, of files that are younger and of nothing that was kept."""
    with TemporaryDirectory(prefix="lucid-again-") as folder, ThreadPoolExecutor(max(1, len(images))) as pool:
        again = Path(folder) / "tree"
        for image in images:
            copy_context(tree, image, again)
        # At once: what they have in common is then made once for all of them, though nothing is taken from the cache.
        builds = [pool.submit(builder.build, image, again, _tag(image), False) for image in images]
        done = []
        for image, made in zip(images, builds, strict=True):
            try:
                made.result()
                done.append(image)
            except BuildError as error:
                yield _failed(image, error)
        yield from _compared(builder, done, Path(folder))


def _compared(builder: Builder, images: Sequence[Image], folder: Path) -> Iterator[Finding]:
    """Whether each image is the same as the one built again, which is taken away."""
    pairs = [(image, str(image.service.image), _tag(image)) for image in images]
    layers, saved = folder / "layers", folder / "saved.tar"
    layers.mkdir()
    try:
        if pairs:
            builder.docker("save", "--output", str(saved), *(name for _, *both in pairs for name in both))
    finally:
        for _, _, again in pairs:
            builder.docker("rmi", again)
    found = {each.name: each for each in normalize(saved, layers)} if pairs else {}
    for image, one, again in pairs:
        difference = first_difference(found[one], found[again])
        if difference is None:
            yield SAME.passed("built anew of a younger copy: the same image, but for times", image.service.name)
        else:
            yield SAME.fail(f"two builds of the same sources differ in {difference}", image.service.name)


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
            copied.unlink(missing_ok=True)
            copied.symlink_to(tree.links[path])
        else:
            shutil.copyfile(tree.root / path, copied)
            shutil.copymode(tree.root / path, copied)


def _tag(image: Image) -> str:
    return f"{AGAIN}:{image.service.name.lower()}"


def _failed(image: Image, error: BuildError) -> Finding:
    lines = [line for line in str(error).splitlines() if line.strip()][-_LAST_LINES:] or ["no reason was given"]
    shown = [Evidence(image.dockerfile, 0, excerpt(line)) for line in lines]
    return BUILDS.fail(f"it does not build: {excerpt(lines[-1])}", image.service.name, shown)
