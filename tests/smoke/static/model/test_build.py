"""From Dockerfiles to the images that they would make: which context, which stage, and what Compose says instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smoke.manifest import Base, Manifest, Service
from smoke.static.model import build
from smoke.static.model.build import image_of, images, platform_of_tag
from smoke.static.model.build_failure import Lack
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import Changes, write_files

FROM = "FROM python:3.12-slim\n"


def built(folder: Path, files: Changes, bases: tuple[Base, ...] = (), **service: Any) -> Image:
    """The image of `app/Dockerfile` in a tree."""
    asked: dict[str, Any] = {"name": "one", "dockerfile": "app/Dockerfile", **service}
    return image_of(Tree(write_files(folder, files)), Service(**asked), bases)


@pytest.mark.parametrize(
    ("line", "more", "context"),
    [
        ("COPY main.py /", {"app/main.py": ""}, "app"),
        ("COPY app/main.py /", {"app/main.py": ""}, ""),
        ("COPY main.py /", {"app/main.py": "", "main.py": ""}, "app"),
        ("COPY lost.py /", {}, None),
        ("RUN true", {}, "app"),
    ],
)
def test_the_context_is_the_first_likely_one_that_has_all(
    tmp_path: Path, line: str, more: Changes, context: str | None
) -> None:
    """The Dockerfile's own directory goes before the root; none where no one fits."""
    assert built(tmp_path, {"app/Dockerfile": f"{FROM}{line}\n", **more}).context == context


def test_between_contexts_that_lack_something_the_one_that_lacks_least_is_told(tmp_path: Path) -> None:
    files: Changes = {"app/Dockerfile": f"{FROM}COPY a.py b.py /\nCOPY app/c.py /\n", "app/c.py": "", "a.py": ""}
    image = built(tmp_path, files)
    assert [(each.source, each.lack) for each in image.missing] == [("b.py", Lack.CONTEXT)]
    assert [name for name, _ in image.contexts] == ["app", ""], "both are told with what they lack"


@pytest.mark.parametrize("context", [".", "app", "app/"])
def test_a_context_that_is_given_is_the_only_one_tried(tmp_path: Path, context: str) -> None:
    image = built(tmp_path, {"app/Dockerfile": f"{FROM}COPY main.py /\n", "app/main.py": ""}, context=context)
    assert (image.context == "app") == (context != ".") and len(image.contexts) == 1


@pytest.mark.parametrize(
    ("files", "service", "says"),
    [
        ({"x": ""}, {}, "there is no app/Dockerfile"),
        ({"app/Dockerfile": ""}, {}, "app/Dockerfile"),
        ({"app/Dockerfile": f"{FROM}WHAT x\n"}, {}, "app/Dockerfile:2: "),
        ({"app/Dockerfile": FROM}, {"target": "none"}, "there is no stage none"),
    ],
)
def test_what_cannot_be_followed_says_why(tmp_path: Path, files: Changes, service: dict[str, Any], says: str) -> None:
    image = built(tmp_path, files, **service)
    assert says in image.broken and image.unstarted.startswith("the Dockerfile cannot be followed")
    assert image.context is None and image.start.doubt


def test_the_stage_that_is_asked_for_is_built_and_no_other(tmp_path: Path) -> None:
    text = f'{FROM.replace("slim", "slim AS first")}CMD ["python"]\n{FROM}COPY lost /\n'
    image = built(tmp_path, {"app/Dockerfile": text}, target="first")
    assert image.missing == () and image.start.words == ("python",)
    assert [each.source for each in built(tmp_path, {"app/Dockerfile": text}).missing] == ["lost"]


def test_arguments_of_the_build_and_bases_of_the_manifest_count(tmp_path: Path) -> None:
    own = Base(image="own/*", python="3.11", command=("python3",), user="7")
    text = "ARG NAME=other\nFROM own/$NAME\nARG NAME\nENV GIVEN=$NAME\n"
    image = built(tmp_path, {"app/Dockerfile": text}, (own,), build_arguments={"NAME": "mine"})
    assert (image.base_reference, image.python, image.uid) == ("own/mine", "3.11", 7)
    assert image.environment["GIVEN"] == "mine"


COMPOSE = "services:\n  one:\n    build: .\n    {key}\n"


@pytest.mark.parametrize(
    ("key", "words", "file"),
    [
        ("init: true", ("tini", "--", "python", "a.py"), ""),
        ("command: [python, b.py]", ("tini", "--", "python", "b.py"), "compose.yaml"),
        ("entrypoint: [env]", ("env",), "compose.yaml"),
        ("entrypoint: []", ("python", "a.py"), "compose.yaml"),
    ],
)
def test_what_compose_sets_goes_before_the_dockerfile(
    tmp_path: Path, key: str, words: tuple[str, ...], file: str
) -> None:
    """An entry point that is set there takes the image's command away with it."""
    dockerfile = f'{FROM}ENTRYPOINT ["tini", "--"]\nCMD ["python", "a.py"]\n'
    if key == "entrypoint: []":
        key = "{entrypoint: [], command: [python, a.py]}"[1:-1].replace(", command", "\n    command")
    tree = Tree(write_files(tmp_path, {"Dockerfile": dockerfile, "compose.yaml": COMPOSE.format(key=key)}))
    [image] = images(tree, Manifest())
    assert (image.start.words, image.start.file) == (words, file)


def test_what_nobody_says_is_no_trouble(tmp_path: Path) -> None:
    """A base that others build on has no command of its own; Python's would wait for a terminal."""
    image = built(tmp_path, {"app/Dockerfile": f"{FROM}COPY Dockerfile /\n"})
    assert image.start.trouble == "" and "whoever runs it says what to start" in image.start.doubt


def test_a_tree_with_instructions_without_end_is_followed_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_INSTRUCTIONS", 3)
    tree = Tree(write_files(tmp_path, {f"{name}/Dockerfile": f"{FROM}RUN a\n" for name in "abcd"}))
    assert len(images(tree, Manifest())) == 2, "the run says of the others that they are not judged"


@pytest.mark.parametrize(
    ("reference", "platform"),
    [
        ("own/base:1-arm64", "linux/arm64"),
        ("own/base:aarch64", "linux/aarch64"),
        ("own/base:1.2_amd64-slim", "linux/amd64"),
        ("own/base:1", ""),
        ("own-arm64/base", ""),
        ("own/base:charm64", ""),
        ("arm64v8/python", ""),
        ("own/base:1@sha256:00-arm64", ""),
        ("registry:5000/own-amd64/base", ""),
        ("", ""),
    ],
)
def test_a_platform_that_a_tag_names(reference: str, platform: str) -> None:
    assert platform_of_tag(reference) == platform


def test_what_is_asked_for_goes_before_what_the_dockerfile_pins(tmp_path: Path) -> None:
    text = "FROM --platform=linux/amd64 python:3.12-slim\n"
    assert built(tmp_path, {"app/Dockerfile": text}, platform="linux/arm64").built_for == "linux/arm64"
    image = built(tmp_path, {"app/Dockerfile": text})
    assert image.built_for == image.platform == "linux/amd64"


def test_an_installation_is_seen_where_the_final_python_looks(tmp_path: Path) -> None:
    text = f"{FROM}RUN pip install h11 && pip install --target /deps wsproto\n"
    start = 'CMD ["python", "-m", "h11"]\n'
    first, second = built(tmp_path, {"app/Dockerfile": text + start}).installs
    assert (first.visible, second.visible) == (True, False)
    told = built(tmp_path / "b", {"app/Dockerfile": f"{text}ENV PYTHONPATH=/deps\n{start}"}).installs
    assert [each.visible for each in told] == [True, True]
