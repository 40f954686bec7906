"""Virtual environments: which Python is behind one, and which one a program belongs to."""

from __future__ import annotations

import pytest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.installers.venvs import follow_virtualenv, make_venv, search, search_doubt, venv_of, venv_site
from smoke.static.model.stage import Stage
from smoke.static.model.venv import Venv
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("words", "program", "interpreter", "version", "system"),
    [
        ("/v", "", "/usr/local/bin/python3.12", "3.12", False),
        ("/v", "/usr/local/bin/python3.12", "/usr/local/bin/python3.12", "3.12", False),
        ("--system-site-packages /v", "", "/usr/local/bin/python3.12", "3.12", True),
        ("-p /opt/py/bin/python3.10 /v", "", "/opt/py/bin/python3.10", "3.10", False),
        ("--python=python3.11 /v", "", "/usr/bin/python3.11", "3.11", False),
        ("--prompt app /v", "python3", "/usr/local/bin/python3.12", "3.12", False),
    ],
)
def test_the_python_behind_it(words: str, program: str, interpreter: str, version: str, system: bool) -> None:
    made = stage()
    follow_virtualenv(made, words.split(), 2, program)
    assert made.venvs == {"/v": Venv("/v", interpreter, version, system)}


def test_what_it_leaves() -> None:
    made = stage()
    venv = make_venv(made, "/v", 2)
    assert set(made.files.names("/v/bin")) == {"python", "python3", "python3.12", "activate", "pip", "pip3"}
    assert made.files.resolve("/v/bin/python") == made.files.resolve("/usr/local/bin/python3.12")
    assert made.files.find(venv_site(venv)) is not None and not made.files.doubt("/v/bin/flask")


def test_one_that_another_one_s_python_makes_has_the_python_behind_that_one() -> None:
    """Its links lead there, so that the first may be thrown away."""
    made = stage()
    make_venv(made, "/first", 2, "/opt/py/bin/python3.10")
    second = make_venv(made, "/second", 3, "/first/bin/python")
    assert (second.interpreter, second.version) == ("/opt/py/bin/python3.10", "3.10")


def test_without_a_python_uv_fetches_one() -> None:
    made = Stage(FileSystem(), environment={"PATH": "/usr/bin"})
    assert make_venv(made, "/v", 2, "python3.13") == Venv(
        "/v", "/root/.local/share/uv/python/cpython-3.13/bin/python3.13", "3.13", managed=True
    )
    made.environment["UV_PYTHON_INSTALL_DIR"] = "/pythons"
    assert make_venv(made, "/w", 3, "python3.13").interpreter.startswith("/pythons/cpython-3.13/")


def test_of_a_version_that_is_not_known_its_content_is_in_doubt() -> None:
    made = Stage(FileSystem(), environment={"PATH": "/usr/bin"})
    made.files.suspect("/usr/bin", "apt", DoubtCause.PACKAGES)
    venv = make_venv(made, "/v", 2)
    assert venv == Venv("/v", "/usr/bin/python3") and venv_site(venv) == "/v/lib/python3/site-packages"
    assert made.files.doubt("/v/bin/flask") and made.files.doubt("/v/lib/python3.11/site-packages/flask")


def test_why_a_program_may_be_there_although_none_is_known() -> None:
    made = stage("debian:12-slim")
    assert search(made, "python3")[0].endswith("/python3") and search_doubt(made, "python3") == ""
    made.files.suspect("/usr/bin", "apt installed something", DoubtCause.PACKAGES)
    assert search_doubt(made, "python3") == "apt installed something"


def test_the_environment_of_a_program_is_the_first_on_the_path() -> None:
    made = stage()
    assert venv_of(made, "pip") is None, "the system's own"
    venv = make_venv(made, "/v", 2)
    assert venv_of(made, "/v/bin/pip") == venv and venv_of(made, "pip") is None
    path = made.environment["PATH"]
    made.environment["PATH"] = f"{path}:/v/bin"
    assert venv_of(made, "python") is None, "the system's own stands before it"
    made.environment["PATH"] = f"/v/bin:{path}"
    assert venv_of(made, "python") == venv == venv_of(made, "")


def test_a_moved_environment_has_its_distributions_where_it_is_now() -> None:
    assert venv_site(Venv("/build/v", "/usr/bin/python3", "3.12"), "/v") == "/v/lib/python3.12/site-packages"


def test_a_link_on_the_path_to_an_environment_s_python_is_no_environment() -> None:
    """Python looks for `pyvenv.cfg` beside what was started, links not followed: `/bin/p` has none."""
    made = stage()
    make_venv(made, "/v", 2)
    made.files.add("/bin/p", PathEntry("link", target="/v/bin/python", line=3))
    assert venv_of(made, "/bin/p") is None
