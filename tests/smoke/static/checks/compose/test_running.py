"""A service with its image: what its name and its files are, and where a finding about it points."""

from __future__ import annotations

from pathlib import Path

from smoke.static.checks.compose.running import RunningService, at_node
from smoke.static.compose.project import projects
from smoke.tree import Tree
from tests.smoke.cases import write_files


def test_a_finding_points_at_a_setting_or_at_the_service(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  web:\n    image: nginx\n    user: root\n"}
    [project] = projects(Tree(write_files(tmp_path, files)))
    running = RunningService(project.services["web"], project, None, {})
    assert running.name == "web" and running.root.get("services", "web") is running.node
    [evidence] = at_node(running, running.node.get("user"))
    assert (evidence.path, evidence.line, evidence.excerpt) == ("compose.yaml", 4, "root")
    [evidence] = at_node(running, None, "words")
    assert evidence.path == "compose.yaml" and evidence.excerpt == "words"
