"""The plain `docker build` lines of GitHub's workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.workflows import workflow_builds
from smoke.tree import Tree
from tests.smoke.cases import write_files

STEP = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - {}\n"


def builds(folder: Path, step: str) -> list[tuple[str, str | None]]:
    files = {
        ".github/workflows/ci.yml": STEP.format(step),
        "Dockerfile": "FROM x\n",
        "api/Dockerfile": "FROM x AS prod\n",
    }
    tree = Tree(write_files(folder, files))
    return [(build.dockerfile, build.target) for _, build, _ in workflow_builds(tree, ["Dockerfile", "api/Dockerfile"])]


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("run: docker build -f api/Dockerfile .", [("api/Dockerfile", None)]),
        ("run: docker build -f api/Dockerfile --target prod -t x .", [("api/Dockerfile", "prod")]),
        ("run: docker build api", [("api/Dockerfile", None)]),
        ("run: docker build -f $FILE .", []),
        ("run: echo docker", []),
        ("uses: actions/checkout@v4", []),
    ],
)
def test_builds(tmp_path: Path, step: str, found: list[tuple[str, str | None]]) -> None:
    got = builds(tmp_path, step)
    assert [each[0] for each in got] == [each[0] for each in found]
    assert [each[1] or None for each in got] == [each[1] for each in found]


@pytest.mark.parametrize(
    "step", ["run: [1, 2]", "with: 3", "run: 'docker build \"'", "uses: docker/build-push-action@v6"]
)
def test_any_step_is_read(tmp_path: Path, step: str) -> None:
    assert isinstance(builds(tmp_path, step), list)
