"""Why a directory cannot be installed as a project."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.project import project_refusal
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[project]\nname = "a"\n', ""),
        ('[project]\nrequires-python = ">=3.12"\n', ""),
        ('[project]\nrequires-python = ">=3.12.7"\n', ""),
        ('[project]\nrequires-python = ">=3.13"\n', "asks for Python >=3.13, and this stage has 3.12"),
        ('[project]\nrequires-python = "<3.12"\n', "asks for Python"),
        ('[project]\nrequires-python = "3.12"\n', ""),
        ('[project]\nreadme = "README.md"\n[build-system]\nbuild-backend = "hatchling.build"\n', "names README.md"),
        ("not toml", ""),
        ("[project]\nrequires-python = 3\n", ""),
    ],
)
def test_what_the_project_says(text: str, says: str) -> None:
    """Any release of the image's minor version may be the one; what cannot be read is judged elsewhere."""
    found = project_refusal(stage(files={"pyproject.toml": text}), ".")
    assert says in found and bool(says) == bool(found)


def test_a_directory_without_a_project() -> None:
    assert "/srv/app has neither" in project_refusal(stage(), "/srv/app")
    assert project_refusal(stage(files={"setup.py": ""}), ".[extra]") == ""
    assert project_refusal(stage(), "$HOME/app") == "" == project_refusal(stage(), "/usr/share/app")
