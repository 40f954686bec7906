"""What an installation leaves in the stage: an entry on record, directories in doubt, the modules of projects."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.install import InstalledProject
from smoke.static.model.installers.record import doubtful, doubtful_file, record
from smoke.static.model.installers.venvs import make_venv
from smoke.static.model.installers.wanted import InstallRequest
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"
PROJECT = {"pyproject.toml": "[project]\nname = 'x'\n[tool.setuptools]\npackages = ['own']\n"}


def recorded(files: dict[str, str], *, editable: bool = False, alone: bool = False, house: bool = False) -> Stage:
    """A stage after the installation of the project in `/`."""
    made = stage(files=files)
    request = InstallRequest(directory=SITE, projects=[InstalledProject("", "/", (), editable, alone=alone)])
    record(made, request, 4, house=house)
    return made


def test_what_is_installed_is_known_by_its_names_alone() -> None:
    made = stage()
    record(made, InstallRequest(directory=SITE, given=["flask"]), 4)
    [install] = made.installs
    assert (install.distributions, install.scripts, install.interpreter) == (
        ("flask",),
        "/usr/local/bin",
        "/usr/local/bin/python3.12",
    )
    assert made.files.doubt(f"{SITE}/flask/__init__.py").cause is DoubtCause.DISTRIBUTIONS
    assert any(each.cause is DoubtCause.DISTRIBUTIONS for each in made.files.every_doubt("/usr/local/bin/flask"))


def test_programs_of_an_environment_name_its_own_python() -> None:
    made = stage()
    make_venv(made, "/v", 2)
    record(made, InstallRequest(directory="/v/lib/python3.12/site-packages", given=["flask"]), 4)
    assert (made.installs[0].interpreter, made.installs[0].scripts) == ("/v/bin/python", "/v/bin")


def test_without_a_directory_it_is_in_doubt_and_programs_may_be_anywhere() -> None:
    made = stage()
    assert made.slim
    record(made, InstallRequest(given=["flask"]), 4)
    assert "where" in made.installs[0].doubt and not made.slim
    record(made, InstallRequest(doubt="told"), 5)
    assert made.installs[1].doubt == "told", "the first reason stays"


def test_a_house_of_wheels_has_no_programs() -> None:
    made = stage()
    record(made, InstallRequest(directory="/wheels", given=["flask"]), 4, house=True)
    assert (made.installs[0].scripts, made.installs[0].interpreter, made.installs[0].house) == ("", "", True)


@pytest.mark.parametrize("place", ["own", "src/own"])
def test_the_modules_of_a_project_are_where_it_is_installed(place: str) -> None:
    made = recorded(
        {**PROJECT, f"{place}/__init__.py": "", f"{place}/a.py": "", "tests/__init__.py": "", "setup.py": ""}
    )
    entry = made.files.find(f"{SITE}/own/a.py")
    assert entry is not None and entry.source == f"{place}/a.py" and entry.mode == 0o644
    for other in ("tests", "setup.py"):
        assert made.files.find(f"{SITE}/{other}") is None
    assert not made.files.doubt(f"{SITE}/own/b.py"), "nobody else puts something into a package of the tree's own"
    assert made.files.doubt(f"{SITE}/flask/b.py")


def test_what_setuptools_does_not_take_is_not_there() -> None:
    """`other` is not listed, and data of `own` has no pattern."""
    made = recorded({**PROJECT, "own/__init__.py": "", "own/x.json": "", "other/__init__.py": ""})
    assert made.files.find(f"{SITE}/own/__init__.py") is not None
    assert made.files.find(f"{SITE}/own/x.json") is None and made.files.find(f"{SITE}/other/__init__.py") is None


def test_an_editable_one_is_a_link_to_its_sources() -> None:
    made = recorded({**PROJECT, "own/__init__.py": "", "own/x.json": ""}, editable=True)
    assert made.files.entries[f"{SITE}/own"].kind == "link"
    made.files.remove("/own")
    assert made.files.find(f"{SITE}/own/__init__.py") is None, "without its sources it is gone"


def test_what_a_wheel_holds_is_all_that_there_is_of_its_packages() -> None:
    files = {"setup.py": "from setuptools import *\nsetup(name='own', packages=find_packages())", "own/__init__.py": ""}
    made = recorded({**files, "own/sub/x.py": ""}, house=True)
    [project] = made.installs[0].projects
    assert project.whole == ("own",) and [path for path, _ in project.packed] == ["/own/__init__.py"]


def test_of_one_whose_dependencies_alone_are_installed_nothing_is_there() -> None:
    made = recorded({**PROJECT, "own/__init__.py": ""}, alone=True)
    assert made.files.find(f"{SITE}/own") is None and made.installs[0].projects


def test_what_is_not_followed() -> None:
    made = stage()
    doubtful(made, "easy_install", 4)
    assert "easy_install" in made.installs[0].doubt
    assert made.files.doubt(f"{SITE}/flask.py").cause is DoubtCause.COMMAND
    doubtful_file(made, ["-f", "x", "--output", "r.txt"], 5)
    doubtful_file(made, ["-f", "x", "-o"], 6)
    assert made.files.find("/r.txt") is not None
