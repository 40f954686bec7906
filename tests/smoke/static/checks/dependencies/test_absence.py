"""Something lacking becomes the failure of the check that asks for it."""

from __future__ import annotations

from pathlib import Path

from smoke.manifest import Manifest
from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.dependencies.declared import DECLARED
from smoke.static.model.build import images_of
from smoke.static.plans import plans_of
from smoke.static.scope import Scope
from smoke.tree import Tree
from tests.smoke.cases import write_files


def test_its_line_is_the_evidence_and_its_remedy_goes_before_the_checks_own(tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {"Dockerfile": "FROM python:3.12-slim\n", "a.py": "import b\n"}))
    plans = plans_of(tree, Manifest())
    scope = Scope(tree, Manifest(), plans, images_of(tree, Manifest(), plans))
    program = scope.programs.of(scope.images[0])
    plain = Absence("a.py", 1, "b is not there").finding(DECLARED, scope, program)
    assert (plain.message, plain.evidence[0].excerpt, plain.remedy) == ("b is not there", "import b", DECLARED.remedy)
    assert plain.subject == scope.images[0].service.name
    assert Absence("a.py", 1, "b", "Add b.").finding(DECLARED, scope, program).remedy == "Add b."
