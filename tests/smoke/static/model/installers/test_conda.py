"""conda and its kin: which environment a command makes or means, and what it then holds."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install
from smoke.static.model.installers.conda import conda
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

WEB = "name: web\ndependencies:\n  - python=3.11\n  - flask=3.0\n  - pip:\n    - -r requirements.txt\n"


def after(
    words: str, files: dict[str, str] | None = None, given: dict[str, str] | None = None
) -> tuple[Stage, Install]:
    """A stage after one command of conda's, and what that put on record."""
    made = stage("debian:12-slim", files)
    conda(made, words.split(), 4, given or {})
    return made, made.installs[-1]


def test_an_environment_from_its_file() -> None:
    made, install = after("env create -f environment.yml", {"environment.yml": WEB, "requirements.txt": ""})
    assert made.venvs["/opt/conda/envs/web"].version == "3.11"
    assert install.directory == "/opt/conda/envs/web/lib/python3.11/site-packages"
    assert (install.distributions, install.requirements) == (("flask",), ("requirements.txt",))
    assert {"python", "python3", "python3.11"} <= {*made.files.names("/opt/conda/envs/web/bin")} and not install.doubt


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("create -y -n api python=3.12 flask", "/opt/conda/envs/api"),
        ("create --name=api python=3.12", "/opt/conda/envs/api"),
        ("create -p /srv/env python=3.12", "/srv/env"),
        ("install -y python=3.12", "/opt/conda"),
        ("install -n base python=3.12", "/opt/conda"),
        ("env create -p /srv/env --file environment.yml", "/srv/env"),
        ("env update -n api -f environment.yml", "/opt/conda/envs/api"),
    ],
)
def test_which_environment_is_meant(words: str, place: str) -> None:
    made, install = after(words, {"environment.yml": WEB, "requirements.txt": ""})
    assert list(made.venvs) == [place] and install.directory.startswith(f"{place}/lib/python3.1")


def test_what_is_active_gets_it_and_keeps_its_python() -> None:
    made = stage("debian:12-slim")
    conda(made, ["create", "-n", "api", "python=3.10"], 4, {})
    conda(made, ["install", "flask"], 5, {"CONDA_DEFAULT_ENV": "api"})
    assert made.installs[-1].directory == "/opt/conda/envs/api/lib/python3.10/site-packages"


def test_a_name_that_a_variable_decides_leaves_all_of_it_in_doubt() -> None:
    made, install = after("create -n $NAME flask")
    assert install.doubt and not made.venvs
    assert made.files.doubt("/opt/conda/envs/web/bin/python").cause is DoubtCause.PACKAGES


@pytest.mark.parametrize("words", ["env create -f gone.yml -n web", "env create -n web"])
def test_a_file_that_is_not_of_the_tree_is_in_doubt(words: str) -> None:
    assert ".yml" in after(words)[1].doubt


def test_what_conda_s_own_environment_holds_besides_is_not_known() -> None:
    made = stage("debian:12-slim")
    made.files.add("/opt/conda/bin/conda", PathEntry("file", mode=0o755))
    conda(made, ["install", "flask"], 4, {})
    assert "own environment" in made.installs[-1].doubt


@pytest.mark.parametrize("words", ["", "clean -afy", "init bash", "env list", "update conda", "run -n web python"])
def test_other_commands_install_nothing(words: str) -> None:
    made = stage("debian:12-slim")
    conda(made, words.split(), 4, {})
    assert not made.installs and not made.venvs
