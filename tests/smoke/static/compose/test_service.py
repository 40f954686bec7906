"""A service of Compose: what it is built from, its command, its variables, its mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.compose.project import projects
from smoke.static.compose.service import ComposeService
from smoke.static.model.launch import MountKind
from smoke.tree import Tree
from tests.smoke.cases import write_files


def service(folder: Path, keys: str, **more: str) -> ComposeService:
    files = {"compose.yaml": f"services:\n  app:\n    {keys}\n", "Dockerfile": "FROM x\n", "conf/a": "", **more}
    [project] = projects(Tree(write_files(folder, files)))
    return project.services["app"]


@pytest.mark.parametrize(
    ("keys", "context", "dockerfile", "doubt"),
    [
        ("build: .", "", "Dockerfile", ""),
        ("build: conf", "conf", "conf/Dockerfile", ""),
        ("build: {context: ., dockerfile: conf/D}", "", "conf/D", ""),
        ("build: {context: $WHERE}", "${WHERE}", "${WHERE}/Dockerfile", "by a variable"),
        ("build: https://example.org/a.git", None, None, "not of this tree"),
        ("build: ../other", None, None, "above this tree"),
    ],
)
def test_what_it_is_built_from(
    tmp_path: Path, keys: str, context: str | None, dockerfile: str | None, doubt: str
) -> None:
    build = service(tmp_path, keys).build
    assert build is not None and doubt in build.doubt and bool(doubt) == bool(build.doubt)
    assert context is None or (build.context, build.dockerfile) == (context, dockerfile)


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ("command: [python, -m, app]", ("python", "-m", "app")),
        ("command: python -c 'a b'", ("python", "-c", "a b")),
        ("command: python $$HOME", ("python", "$HOME")),
        ("command: python ${MODE:-x}", ("python", "x")),
        ("command: null", None),
        ("image: x", None),
        ("command: []", ()),
    ],
)
def test_its_command(tmp_path: Path, keys: str, command: tuple[str, ...] | None) -> None:
    """Compose cuts a text into words and is no shell."""
    assert service(tmp_path, f"{keys}\n    build: .").launch.command == command


def test_its_variables(tmp_path: Path) -> None:
    keys = "build: .\n    env_file: a.env\n    environment: [A=1, B, 'C=${D:-d}']"
    launch = service(tmp_path, keys, **{"a.env": "A=0\nE=e\n", ".env": "B=b\n"}).launch
    assert launch.environment == {"A": "1", "B": "b", "C": "d", "E": "e"} and not launch.environment_doubt
    lost = service(tmp_path / "lost", "build: .\n    env_file: lost.env").launch
    assert "lost.env" in lost.environment_doubt


@pytest.mark.parametrize(
    ("keys", "kind", "target"),
    [
        ("volumes: ['./conf:/conf']", MountKind.TREE, "/conf"),
        ("volumes: ['./none:/conf']", MountKind.UNKNOWN, "/conf"),
        ("volumes: ['/etc:/conf:ro']", MountKind.UNKNOWN, "/conf"),
        ("volumes: ['data:/data']", MountKind.VOLUME, "/data"),
        ("volumes: ['/data']", MountKind.VOLUME, "/data"),
        ("volumes: [{type: bind, source: ./conf, target: /conf}]", MountKind.TREE, "/conf"),
        ("volumes: [{type: tmpfs, target: /x}]", MountKind.EMPTY, "/x"),
        ("tmpfs: /x:size=1m", MountKind.EMPTY, "/x"),
        ("secrets: [key]", MountKind.UNKNOWN, "/run/secrets/key"),
    ],
)
def test_its_mounts(tmp_path: Path, keys: str, kind: MountKind, target: str) -> None:
    [mount] = service(tmp_path, f"build: .\n    {keys}").launch.mounts
    assert (mount.kind, mount.target) == (kind, target)
