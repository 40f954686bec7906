"""Builds by the docker command: what it is told and given; with a real engine, what comes of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import docker.errors  # type: ignore[import-untyped]
import pytest

from smoke.finding import Finding, Verdict
from smoke.image.build import AGAIN, Builder, BuildError, build, build_again, copy_context
from smoke.image.imagejudge import Wanted, look_at_images
from smoke.live.containers import connect
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.subject import find_subject
from smoke.tree import Tree
from tests.smoke.trees import write_tree

MANIFEST = """
[[service]]
name = "one"
dockerfile = "one/Dockerfile"
image = "lucid-test.invalid/one:latest"
build_arguments = {COLOR = "blue"}
platform = "linux/arm64"
"""
FILES: dict[str, str | None] = {
    "smoke.toml": MANIFEST,
    "one/Dockerfile": "FROM scratch\nARG COLOR\nLABEL color=$COLOR\nCOPY kept /kept\nCOPY link /link\n",
    "one/kept/a": "a",
    "one/kept/left.out": "b",
    "one/.dockerignore": "**/*.out\n",
    "two": "not of the context",
}
BASE = "lucid.invalid/python:3.11-slim"


def tree(folder: Path, **changed: str) -> tuple[Tree, Image]:
    root = write_tree(folder, {**FILES, **{name.replace("__", "/"): text for name, text in changed.items()}})
    (root / "one/link").symlink_to("kept/a")
    (root / "one/kept/a").chmod(0o755)
    read = Tree(root)
    return read, images(read, find_subject(root, None).manifest)[0]


class Command:
    """Stands for the docker command: keeps what it was told."""

    def __init__(self, *refused: str) -> None:
        self.told: list[tuple[str, ...]] = []
        self.refused = refused

    def __call__(self, *words: str) -> str:
        self.told.append(words)
        if words[0] in self.refused:
            raise BuildError(f"step 1\nno {words[0]} today\n")
        return "20.10.24"


def test_a_build_is_told_what_the_manifest_says(tmp_path: Path) -> None:
    read, image = tree(tmp_path)
    command = Command()
    assert [each.verdict for each in build(Builder(command, {"SIZE": "3"}, "none"), image, read.root)] == ["pass"]
    *_, told = command.told
    assert told[:3] == ("buildx", "build", "--load") and told[-1] == str(read.root / "one")
    text = " ".join(told)
    for words in (
        *("--platform linux/arm64", "--tag lucid-test.invalid/one:latest", "--network none"),
        *("--build-arg COLOR=blue", "--build-arg SIZE=3", f"--file {read.root}/one/Dockerfile"),
    ):
        assert words in text
    assert "--no-cache" not in told
    anywhere = Command()
    plain = write_tree(tmp_path / "plain", {**FILES, "smoke.toml": MANIFEST.replace('platform = "linux/arm64"', "")})
    (plain / "one/link").symlink_to("kept/a")
    verdicts = build(Builder(anywhere), images(Tree(plain), find_subject(plain, None).manifest)[0], plain)
    assert [each.verdict for each in verdicts] == ["pass"]
    assert "--platform" not in anywhere.told[-1], "nobody asked for one"
    alone = Command("buildx")
    assert [each.verdict for each in build(Builder(alone), image, read.root)] == ["pass"]
    assert alone.told[-1][0] == "build" and "--load" not in alone.told[-1]


def test_what_does_not_build_is_said_with_its_last_lines(tmp_path: Path) -> None:
    read, image = tree(tmp_path)
    (finding,) = build(Builder(Command("build", "buildx")), image, read.root)
    assert finding.verdict is Verdict.FAIL and "no build today" in finding.message
    assert [each.excerpt for each in finding.evidence] == ["step 1", "no build today"]
    assert [each.verdict for each in build_again(Builder(Command("build", "buildx")), [image], read)] == ["fail"]


def test_what_can_not_be_built_is_not_tried(tmp_path: Path) -> None:
    read, image = tree(tmp_path, one__Dockerfile="FROM scratch\nCOPY nothing /\n")
    command = Command()
    (finding,) = build(Builder(command), image, read.root)
    assert finding.verdict is Verdict.FAIL and "context" in finding.message
    assert command.told == []


def test_the_copy_is_what_a_build_is_given(tmp_path: Path) -> None:
    read, image = tree(tmp_path / "tree")
    copy_context(read, image, tmp_path / "copy")
    found = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*")}
    assert found == {"one", "one/Dockerfile", "one/.dockerignore", "one/kept", "one/kept/a", "one/link"}
    assert (tmp_path / "copy/one/link").readlink() == Path("kept/a")
    assert os.access(tmp_path / "copy/one/kept/a", os.X_OK)
    again = images(Tree(tmp_path / "copy"), find_subject(read.root, None).manifest)[0]
    assert again.context == "one"


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """A real engine, which keeps nothing of the test."""
    if "DOCKER_HOST" not in os.environ:
        pytest.skip("DOCKER_HOST names no engine; nox -s images runs this with one")
    client = connect()
    yield client
    for image in client.images.list("lucid-test.invalid/one"):
        client.images.remove(image.id, force=True)
    assert client.images.list(AGAIN) == [], "what is built again is taken away"
    client.close()


def judged(root: Path) -> list[Finding]:
    wanted = Wanted(build=True, again=True)
    found = look_at_images(find_subject(root, None), wanted, Builder(network="none")).findings
    return [each for each in found if each.check.startswith("build.") and each.check != "build.environment"]


def test_an_engine_builds_and_builds_the_same_again(engine: docker.DockerClient, tmp_path: Path) -> None:
    tree(tmp_path)
    assert [(each.check, each.verdict) for each in judged(tmp_path)] == [
        ("build.image", "pass"),
        ("build.same", "pass"),
    ]
    assert engine.images.get("lucid-test.invalid/one:latest").labels == {"color": "blue"}


def test_chance_in_a_build_is_named(engine: docker.DockerClient, tmp_path: Path) -> None:
    try:
        engine.images.get(BASE)
    except docker.errors.ImageNotFound:
        pytest.skip(f"{BASE} is not there: python -m images.build --standin")
    chance = (
        f"FROM {BASE} AS build\nRUN head -c 8 /dev/urandom >/drawn\nFROM scratch\nCOPY --from=build /drawn /drawn\n"
    )
    tree(tmp_path, one__Dockerfile=chance, **{"smoke.toml": MANIFEST.replace("arm64", "amd64")})
    *_, last = judged(tmp_path)
    assert (last.check, last.verdict) == ("build.same", "fail") and "drawn" in last.message


def test_an_engine_that_can_not_build_it_says_why(engine: docker.DockerClient, tmp_path: Path) -> None:
    tree(tmp_path, one__Dockerfile="FROM lucid-test.invalid/none:1\n")
    first, *_ = judged(tmp_path)
    assert first.verdict is Verdict.FAIL and "lucid-test.invalid/none:1" in first.message + str(first.evidence)
