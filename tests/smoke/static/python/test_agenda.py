"""What was found and not yet read, in the order in which Python would load it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.python.agenda import Agenda
from smoke.static.python.importer import Importer
from smoke.static.python.program import Programs
from smoke.tree import Tree
from tests.smoke.cases import write_files


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    dockerfile = 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n'
    names = ["main.py", "a.py", "b.py", "p/__init__.py", "p/q/__init__.py", "p/q/c.py"]
    tree = Tree(write_files(tmp_path, {"Dockerfile": dockerfile, **dict.fromkeys(names, "")}))
    [image] = images(tree, Manifest())
    return Programs(tree).of(image).importer


def taken(agenda: Agenda) -> list[str]:
    """The sources that it hands out."""
    found = []
    while agenda:
        if (each := agenda.take()) is not None:
            found.append(each[0].source)
    return found


def test_what_is_loaded_at_the_start_goes_before_what_comes_later(importer: Importer) -> None:
    agenda = Agenda(importer)
    agenda.lazily = True
    agenda.enter(importer.find("a"), "a")
    agenda.lazily = False
    agenda.enter(importer.find("b"), "b")
    assert taken(agenda) == ["b.py", "a.py"]


def test_each_is_handed_out_once(importer: Importer) -> None:
    agenda = Agenda(importer)
    for lazily in (True, True, False, False):
        agenda.lazily = lazily
        agenda.enter(importer.find("a"), "a")
    assert taken(agenda) == ["a.py"], "once at the start is enough"


def test_the_packages_above_a_module_are_loaded_before_it(importer: Importer) -> None:
    agenda = Agenda(importer)
    agenda.ancestors("p.q.c")
    agenda.enter(importer.find("p.q.c"), "p.q.c")
    assert taken(agenda) == agenda.loading == ["p/__init__.py", "p/q/__init__.py", "p/q/c.py"]


def test_a_module_knows_its_package(importer: Importer) -> None:
    agenda = Agenda(importer)
    agenda.enter(importer.find("p.q"), "p.q")
    agenda.enter(importer.find("p.q.c"), "p.q.c")
    assert [package for _, package, _ in agenda.queue] == ["p.q", "p.q"]
