"""What a Compose service says about its container, and what it leaves to the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images_of
from smoke.static.model.image import Image
from smoke.static.model.launch import Launch, Mount, MountKind
from smoke.static.plans import plans_of
from smoke.tree import Tree
from tests.smoke.cases import write_files

DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /srv
COPY main.py .
ENV MODE=image
USER 1000
ENTRYPOINT ["python"]
CMD ["main.py"]
"""


def image(folder: Path, service: str) -> Image:
    """The image of a tree whose one service says this besides its build."""
    compose = f"services:\n  web:\n    build: .\n{service}"
    tree = Tree(write_files(folder, {"Dockerfile": DOCKERFILE, "main.py": "", "compose.yaml": compose}))
    plans = plans_of(tree, Manifest())
    [made] = images_of(tree, Manifest(), plans)
    assert made.launch is not None and made.launch.name == "web"
    return made


def test_what_it_does_not_say_is_left_to_the_image(tmp_path: Path) -> None:
    made = image(tmp_path, "")
    assert made.launch == Launch("web", "compose.yaml", made.launch.line if made.launch else 0)
    assert (made.start.words, made.user, made.workdir) == (("python", "main.py"), "1000", "/srv")
    assert made.environment["MODE"] == "image"


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("    command: other.py\n", ("python", "other.py")),
        ("    command: []\n", ("python",)),
        ("    entrypoint: [python3, -m]\n", ("python3", "-m")),
        ("    entrypoint: [python3, -m]\n    command: [a]\n", ("python3", "-m", "a")),
        ("    entrypoint: null\n    command: null\n", ("python", "main.py")),
    ],
)
def test_nothing_is_something_else_than_not_said(tmp_path: Path, service: str, words: tuple[str, ...]) -> None:
    """An entry point of its own takes the image's CMD away with it, as Docker does."""
    assert image(tmp_path, service).start.words == words


def test_what_it_says_goes_before_the_image(tmp_path: Path) -> None:
    made = image(
        tmp_path, "    user: '5'\n    working_dir: /tmp\n    environment: {MODE: compose}\n    read_only: true\n"
    )
    assert (made.user, made.workdir, made.environment["MODE"]) == ("5", "/tmp", "compose")
    assert made.launch is not None and made.launch.read_only


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("    volumes: ['./main.py:/srv/x.py']\n", Mount(MountKind.TREE, "/srv/x.py", "main.py")),
        ("    volumes: ['/etc/hosts:/srv/hosts']\n", Mount(MountKind.UNKNOWN, "/srv/hosts")),
        ("    volumes: [data:/data]\n", Mount(MountKind.VOLUME, "/data")),
        ("    tmpfs: [/run/x]\n", Mount(MountKind.EMPTY, "/run/x")),
    ],
)
def test_kinds_of_mounts(tmp_path: Path, written: str, wanted: Mount) -> None:
    launch = image(tmp_path, written + ("" if "data" not in written else "volumes: {data: {}}\n")).launch
    assert launch is not None
    [found] = launch.mounts
    assert (found.kind, found.target, found.source) == (wanted.kind, wanted.target, wanted.source)
