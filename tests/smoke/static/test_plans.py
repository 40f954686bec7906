"""Who says what is built: Compose before bake before workflows before the mere presence of a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest, resolved
from smoke.static.bake import bake_targets
from smoke.static.plans import plans_of
from smoke.static.workflows import workflow_builds
from smoke.tree import Tree
from tests.smoke.cases import Files, write_files

BAKE = """\
variable "TAG" { default = "1" }
// a comment
target "_base" { args = { A = "x", B = TAG } }
target "web" {
  inherits = ["_base"]
  context = "app"
  target = "run"
  args = { B = "y" }
  platforms = ["linux/arm64"]
  tags = ["web:${TAG}", foo("x")]
}
target "elsewhere" { context = "https://example.org/x.git" }
target "matrix" { dockerfile = "Dockerfile.${item}" }
"""


def tree(folder: Path, files: Files) -> Tree:
    return Tree(write_files(folder, files))


def test_bake_targets_are_read_with_what_they_inherit(tmp_path: Path) -> None:
    found = list(bake_targets(tree(tmp_path, {"docker-bake.hcl": BAKE, "app/Dockerfile": "FROM x\n"})))
    [(name, build, file)] = found
    assert (name, build.context, build.dockerfile, build.target) == ("web", "app", "app/Dockerfile", "run")
    assert build.arguments == {"A": "x", "B": "y"} and build.platform == "linux/arm64" and file == "docker-bake.hcl"


@pytest.mark.parametrize("text", ["{" * 5_000, 'target "a" {', 'target "a" { args = {{{ ', "[" * 900, "\0"])
def test_any_bake_file_is_read(tmp_path: Path, text: str) -> None:
    made = tree(tmp_path, {"docker-bake.hcl": text, "docker-bake.json": text, "Dockerfile": "FROM x\n"})
    assert all(build.dockerfile == "Dockerfile" for _, build, _ in bake_targets(made))


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        ("docker build .", ("", "Dockerfile", None)),
        (
            "docker buildx build -t a:1 --target=run --build-arg V=1 -f app/Dockerfile app",
            ("app", "app/Dockerfile", "run"),
        ),
        ("podman build --file app/Dockerfile .", ("", "app/Dockerfile", None)),
        ("docker build https://example.org/x.git", None),
        ("docker build $DIR", None),
        ("cd app\ndocker build .", None),
        ("echo docker build .", None),
    ],
)
def test_plain_lines_of_workflows(tmp_path: Path, run: str, wanted: tuple[str, str, str | None] | None) -> None:
    indented = run.replace("\n", "\n          ")
    flow = f"jobs:\n  a:\n    steps:\n      - run: |\n          {indented}\n"
    made = tree(tmp_path, {".github/workflows/a.yml": flow, "Dockerfile": "FROM x\n", "app/Dockerfile": "FROM y\n"})
    found = [(build.context, build.dockerfile, build.target) for _, build, _ in workflow_builds(made, ["Dockerfile"])]
    assert found == ([] if wanted is None else [wanted])


def test_compose_goes_first_and_each_service_is_a_plan(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM x AS run\n",
        "app/Dockerfile": "FROM y\n",
        "docker-bake.hcl": 'target "baked" { target = "run" }\ntarget "app" { context = "app" }\n',
        "compose.yaml": "services:\n  web: {build: .}\n  worker:\n    build: .\n    command: [work]\n  d: {image: z}\n",
        "lone/Containerfile": "FROM z\n",
    }
    plans = plans_of(tree(tmp_path, files), resolved(Manifest()))
    assert [each.service.name for each in plans.plans] == ["web", "worker", "app", "lone"]
    worker = plans.plans[1].launch
    assert worker is not None and worker.command == ("work",) and plans.plans[2].launch is None
