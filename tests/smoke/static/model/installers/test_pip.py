"""pip's command line: against pip itself where this Python brings it, and what each part of it installs where."""

from __future__ import annotations

import ensurepip
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install, InstalledProject
from smoke.static.model.installers.pip import distribution_of, pip
from smoke.static.model.stage import Stage
from tests.smoke.static.model.staged import stage

SITE = "/usr/local/lib/python3.12/site-packages"
ASKED = """\
import json
from pip._internal.commands import create_command
print(json.dumps({
    command: {
        name: option.takes_value()
        for option in create_command(command).parser.option_list_all
        for name in option._short_opts + option._long_opts
    }
    for command in ("install", "download", "wheel")
}))
"""


@cache
def options() -> dict[str, dict[str, bool]]:
    """Each option of pip's commands, and whether it takes a value, as pip's own parser says."""
    found = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    if not found:
        pytest.skip("this Python brings no pip to compare with")
    environment = {**os.environ, "PYTHONPATH": str(found[0])}
    done = subprocess.run([sys.executable, "-c", ASKED], env=environment, capture_output=True, text=True, check=True)
    made: dict[str, dict[str, bool]] = json.loads(done.stdout)
    return made


def after(words: str, made: Stage | None = None) -> Stage:
    made = stage() if made is None else made
    pip(made, words.split(), 3, "pip", {})
    return made


def installed(words: str, made: Stage | None = None) -> Install:
    return after(words, made).installs[-1]


@pytest.mark.parametrize("command", ["install", "download", "wheel"])
def test_the_word_behind_an_option_is_its_value_where_pip_takes_one(command: str) -> None:
    """Otherwise that word would count as a distribution, or a distribution as a value."""
    wrong = []
    for name, valued in options()[command].items():
        words = f"{command} {name} 3.9 flask" if valued else f"{command} {name} flask"
        given = installed(words).distributions
        if given != ("flask",):
            wrong.append((name, valued, given))
    assert wrong == []


@given(
    st.lists(st.sampled_from(["a", "B", "1", "a.b", "c-_d", "E__f"]), min_size=1, max_size=3).map("-".join),
    st.sampled_from(["", "[a]", "[a,b]"]),
    st.sampled_from(["", "==1", ">=1,<2", "~=1.0", "!=1", " >=1", " @ https://e.org/x.whl", ";python_version>'3'"]),
)
def test_the_distribution_that_a_requirement_names_is_the_one_that_packaging_reads(
    name: str, extras: str, rest: str
) -> None:
    text = name + extras + rest
    assert distribution_of(text) == canonicalize_name(Requirement(text).name)


@pytest.mark.parametrize(
    ("words", "directory", "scripts"),
    [
        ("install flask", SITE, "/usr/local/bin"),
        ("install -t /deps flask", "/deps", "/deps/bin"),
        ("install -t/deps flask", "/deps", "/deps/bin"),
        ("install --target=/deps flask", "/deps", "/deps/bin"),
        ("install --prefix /p flask", "/p/lib/python3.12/site-packages", "/p/bin"),
        ("install --root /r flask", "/r/usr/local/lib/python3.12/site-packages", "/r/usr/local/bin"),
        ("install --user flask", "/root/.local/lib/python3.12/site-packages", "/root/.local/bin"),
        ("--no-cache-dir install flask", SITE, "/usr/local/bin"),
        ("--proxy http://p install flask", SITE, "/usr/local/bin"),
        ("--timeout 60 --retries 5 install flask", SITE, "/usr/local/bin"),
    ],
)
def test_where_it_goes(words: str, directory: str, scripts: str) -> None:
    install = installed(words)
    assert (install.distributions, install.directory, install.scripts) == (("flask",), directory, scripts)


@pytest.mark.parametrize("option", ["-r a.txt", "-ra.txt", "--requirement a.txt", "--requirement=a.txt"])
def test_requirement_files_of_the_tree_and_others(option: str) -> None:
    assert installed(f"install {option}", stage(files={"a.txt": "flask"})).requirements == ("a.txt",)
    other = installed(f"install {option}")
    assert other.requirements == () and "a.txt" in other.doubt


@pytest.mark.parametrize(
    ("operand", "extras", "editable"),
    [
        (".", (), False),
        (".[web,api]", ("web", "api"), False),
        ("-e .", (), True),
        ("--editable=.[web]", ("web",), True),
    ],
)
def test_projects_of_the_tree(operand: str, extras: tuple[str, ...], editable: bool) -> None:
    install = installed(f"install {operand}", stage(files={"pyproject.toml": ""}))
    assert install.projects == (InstalledProject("", "/", extras, editable),) and not install.doubt
    assert "not a directory of the tree" in installed(f"install {operand}").doubt


def test_what_is_elsewhere_is_a_requirement_and_no_directory() -> None:
    words = "install git+https://e.org/a.git https://e.org/b-1.whl"
    assert installed(words).distributions == ("git+https://e.org/a.git", "https://e.org/b-1.whl")


@pytest.mark.parametrize(
    ("options", "python", "machine", "libc", "told"),
    [
        ("", "3.12", "", "glibc", False),
        ("--python-version 3.11", "3.11", "", "glibc", False),
        ("--python-version=311", "3.11", "", "glibc", False),
        ("--abi cp310", "3.10", "", "glibc", False),
        ("--abi abi3", "3.12", "", "glibc", False),
        ("--platform manylinux2014_aarch64", "3.12", "aarch64", "glibc", True),
        ("--platform musllinux_1_2_x86_64", "3.12", "x86_64", "musl", True),
        ("--platform win_amd64", "3.12", "", "none", True),
    ],
)
def test_what_it_is_made_for(options: str, python: str, machine: str, libc: str, told: bool) -> None:
    made = installed(f"install {options} -t /deps flask").made
    assert (made.python, made.machine, made.libc, made.told) == (python, machine, libc, told)


def test_wheels_are_kept_in_a_house_and_installed_from_there() -> None:
    made = after("wheel -w /wheels -r a.txt gunicorn", stage(files={"a.txt": "flask"}))
    assert made.installs[0].house and made.installs[0].directory == "/wheels"
    install = installed("install --no-index --find-links=/wheels /wheels/*", made)
    assert (install.requirements, install.distributions, install.no_index) == (("a.txt",), ("gunicorn",), True)
    assert "is not known" in installed("install /nowhere/*").doubt


def test_a_wheel_of_the_tree_is_at_hand() -> None:
    made = stage()
    made.files.add("/w/own-1-py3-none-any.whl", PathEntry("file", "w/own-1-py3-none-any.whl", line=1))
    install = installed("install /w/own-1-py3-none-any.whl", made)
    assert (install.distributions, install.wheels) == (("own-1-py3-none-any.whl",), ("w/own-1-py3-none-any.whl",))


def test_what_is_taken_away_is_gone_by_any_spelling() -> None:
    made = after("uninstall -y Flask_Login", after("install flask-login==0.6 flask"))
    assert made.installs[-1].distributions == ("flask",)


def test_a_tool_that_builds_is_a_program_and_no_module_of_the_service() -> None:
    made = after("install poetry==1.8")
    assert not made.installs and made.files.find("/usr/local/bin/poetry") is not None
    assert made.settings == {"tool poetry": "poetry==1.8"}
    assert installed("install poetry flask").distributions == ("poetry", "flask"), "beside others it is one of them"


def test_groups_are_those_of_the_project_at_hand() -> None:
    files = {"pyproject.toml": "[dependency-groups]\nweb = ['flask']\n"}
    lock = installed("install --group web", stage(files=files)).lock
    assert lock is not None and (lock.groups, lock.project, lock.main) == (("web",), "", False)
    assert "groups" in installed("install --group web").doubt


@pytest.mark.parametrize("words", ["", "--version", "freeze", "config set global.index-url x", "check", "cache purge"])
def test_other_commands_install_nothing(words: str) -> None:
    assert not after(words).installs
