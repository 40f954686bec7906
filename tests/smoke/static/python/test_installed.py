"""What installations bring, and what can be said of what they may bring besides."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from smoke.static.model.install import Install, InstalledProject, Lock
from smoke.static.python.installed import Installed, Presence
from smoke.tree import Tree
from tests.smoke.cases import Files, write_files

SITE, BIN = "/usr/local/lib/python3.12/site-packages", "/usr/local/bin"


def installed(folder: Path, *installs: Install, files: Files | None = None) -> Installed:
    return Installed(Tree(write_files(folder, files or {})), installs, (3, 12), "Dockerfile")


def given(*distributions: str, **more: object) -> Install:
    made = Install(2, distributions=distributions, directory=SITE, scripts=BIN)
    return replace(made, **more)


@pytest.mark.parametrize(
    ("install", "module", "presence", "by"),
    [
        (given("flask"), "flask", Presence.ASKED, "flask"),
        (given("Flask==3.0"), "flask.json", Presence.ASKED, "flask"),
        (given("pyyaml"), "yaml", Presence.ASKED, "pyyaml"),
        (given("flask"), "werkzeug", Presence.BROUGHT, "werkzeug"),
        (given("flask", no_dependencies=True), "werkzeug", Presence.ABSENT, ""),
        (given("flask"), "numpy", Presence.ABSENT, ""),
        (given(), "flask", Presence.ABSENT, ""),
        (given("flask", doubt="who knows"), "numpy", Presence.UNKNOWN, ""),
        (given("flask", doubt="who knows"), "flask", Presence.ASKED, "flask"),
        (given("no-such-thing"), "other", Presence.UNKNOWN, ""),
        (given("flask[nothing]"), "numpy", Presence.UNKNOWN, ""),
        (given("flask"), "six", Presence.UNKNOWN, ""),
        (given("flask", visible=False), "flask", Presence.HIDDEN, "flask"),
        (given("own-1.0-py3-none-any.whl"), "own", Presence.ASKED, "own"),
        (given("google-cloud-storage"), "google.cloud.storage", Presence.ASKED, "google-cloud-storage"),
        (given("google-cloud-storage"), "google.cloud.bigquery", Presence.ABSENT, ""),
        (given("flask; sys_platform == 'win32'"), "flask", Presence.ABSENT, ""),
        (given("$NAME"), "flask", Presence.UNKNOWN, ""),
        (given("dist/*"), "flask", Presence.UNKNOWN, ""),
        (given("flask == 3.*"), "numpy", Presence.ABSENT, ""),
    ],
)
def test_whether_a_module_is_installed(
    tmp_path: Path, install: Install, module: str, presence: Presence, by: str
) -> None:
    answer = installed(tmp_path, install).has(module)
    assert (answer.presence, answer.by if by else "") == (presence, by)
    assert bool(answer.reason) is (presence in (Presence.UNKNOWN, Presence.HIDDEN)), "what is not known has its reason"


def test_what_python_sees_goes_before_what_it_does_not(tmp_path: Path) -> None:
    hidden = given("flask", visible=False, directory="/elsewhere")
    assert installed(tmp_path, hidden).has("flask").reason == "/elsewhere"
    assert installed(tmp_path, hidden, given("flask")).has("flask").presence is Presence.ASKED
    assert installed(tmp_path, given("flask"), hidden).has("flask").presence is Presence.ASKED


def test_wheels_that_are_only_kept_are_not_installed(tmp_path: Path) -> None:
    assert installed(tmp_path, given("flask", house=True)).each == []


def test_a_lock_is_all_there_is_unless_something_is_asked_for_besides(tmp_path: Path) -> None:
    files = {"uv.lock": 'version = 1\n[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\n'
             'dependencies = [{ name = "flask" }]\n[[package]]\nname = "flask"\nversion = "3"\n',
             "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["flask"]\n'}  # fmt: skip
    locked = given(lock=Lock("uv", "uv.lock", ""))
    assert installed(tmp_path, locked, files=files).has("werkzeug").presence is Presence.ABSENT
    [both] = installed(tmp_path, replace(locked, distributions=("numpy",)), files=files).each
    assert not both.whole and {*both.asked} >= {"flask", "numpy"}


PROJECT = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["flask"]\n'
    '[project.optional-dependencies]\nweb = ["gunicorn"]\n[project.scripts]\nserve = "shop.main:run"\n'
    '[build-system]\nrequires = ["setuptools"]\n',
    "shop/__init__.py": "",
}


def test_a_project_of_the_tree_brings_itself_what_it_needs_and_its_programs(tmp_path: Path) -> None:
    project = InstalledProject("", "/app", ("web",), editable=True)
    found = installed(tmp_path, given(projects=(project,)), files=PROJECT)
    assert {"shop", "flask", "gunicorn"} <= {*found.each[0].asked} and found.each[0].modules == {"shop": "/app"}
    answer, brought = found.program(BIN, "serve")
    assert answer.by == "shop.main:run" and brought is found.each[0]
    alone = installed(tmp_path, given(projects=(replace(project, alone=True),)))
    assert "shop" not in alone.each[0].asked and "flask" in alone.each[0].asked


@pytest.mark.parametrize(
    ("install", "directory", "name", "presence"),
    [
        (given("gunicorn"), BIN, "gunicorn", Presence.ASKED),
        (given("gunicorn"), "/other/bin", "gunicorn", Presence.ABSENT),
        (given("django"), BIN, "django-admin", Presence.ASKED),
        (given("flask"), BIN, "gunicorn", Presence.ABSENT),
        (given("flask"), BIN, "own-tool", Presence.ABSENT),
        (given("nobodyknowsit"), BIN, "own-tool", Presence.UNKNOWN),
        (given("flask", doubt="who knows"), BIN, "gunicorn", Presence.UNKNOWN),
        (Install(2, doubt="nobody knows where"), BIN, "gunicorn", Presence.UNKNOWN),
    ],
)
def test_whether_a_program_is_installed(
    tmp_path: Path, install: Install, directory: str, name: str, presence: Presence
) -> None:
    assert installed(tmp_path, install).program(directory, name)[0].presence is presence


def test_a_program_of_a_project_that_was_left_out_is_absent(tmp_path: Path) -> None:
    found = installed(tmp_path, given(lock=Lock("uv", "", "")), files=PROJECT)
    assert found.program(BIN, "serve")[0].presence is Presence.ABSENT and found.of_the_tree("serve")
    assert not found.of_the_tree("flask")


def test_what_is_wrong_with_a_file_is_told_once(tmp_path: Path) -> None:
    install = given(requirements=("r.txt",))
    found = installed(tmp_path, install, install, files={"r.txt": "flask==\n-r $X\n"})
    assert [each.line for each in found.troubles] == [1] and len(found.doubts) == 2
