"""Wheels of the tree's own projects, by name."""

from __future__ import annotations

from smoke.static.model.filesystem import FileSystem
from smoke.static.model.install import Install, InstalledProject
from smoke.static.model.installers.houses import take_own
from smoke.static.model.installers.wanted import InstallRequest
from smoke.static.model.stage import Stage

FILES = {
    "a/pyproject.toml": '[project]\nname = "My_App"\n',
    "b/pyproject.toml": "[build-system]\nrequires = []\n",
    "b/setup.cfg": "[metadata]\nname = other\n",
}


def stage() -> Stage:
    kept = Install(
        1,
        directory="/wheels",
        house=True,
        projects=(InstalledProject("a", "/a"), InstalledProject("b", "/b", editable=True)),
    )
    made = Stage(FileSystem(), installs=[kept])
    made.read = lambda path: FILES.get(path, "").encode()
    return made


def test_the_project_stands_for_its_name() -> None:
    wanted = InstallRequest(given=["my-app[web]", "flask"], sources=["/wheels"])
    take_own(stage(), wanted)
    assert wanted.given == ["flask"]
    assert [(each.directory, each.extras) for each in wanted.projects] == [("a", ("web",))]


def test_setup_cfg_says_the_name_too() -> None:
    wanted = InstallRequest(given=["other"], sources=["/wheels"])
    take_own(stage(), wanted)
    assert [(each.directory, each.editable) for each in wanted.projects] == [("b", False)]


def test_other_directories_and_versions_are_not_meant() -> None:
    for given, sources in ((["my-app"], ["/elsewhere"]), (["my-app==2"], ["/wheels"])):
        wanted = InstallRequest(given=list(given), sources=sources)
        take_own(stage(), wanted)
        assert wanted.given == given
        assert wanted.projects == []
