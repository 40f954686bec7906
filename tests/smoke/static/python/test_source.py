"""What a source says of itself: the names that it has, what its imports mean."""

from __future__ import annotations

import pytest

from smoke.static.python.source import Import, Source, has_name


@pytest.mark.parametrize(
    ("level", "module", "package", "name"),
    [
        (0, "a.b", "p.q", "a.b"),
        (1, "b", "p.q", "p.q.b"),
        (2, "b", "p.q", "p.b"),
        (1, "", "p.q", "p.q"),
        (3, "b", "p.q", None),
        (1, "b", "", None),
    ],
)
def test_the_absolute_name_of_an_import(level: int, module: str, package: str, name: str | None) -> None:
    assert Import(1, module, level).absolute(package) == name


def test_a_name_that_is_a_module_of_its_own() -> None:
    loaded = ["p/__init__.py", "p/a.py", "b.py"]
    each = Import(1, "p", names=("a", "b", "c"))
    assert [each.is_module(name, loaded) for name in ("a", "b", "c")] == [True, True, False]


def test_every_module_has_some_names_and_a_dynamic_one_all() -> None:
    source = Source("a.py", names={"x": 1})
    assert has_name(source, "x") and has_name(source, "__file__") and not has_name(source, "y")
    assert has_name(Source("a.py", dynamic=True), "y")


@pytest.mark.parametrize(("made", "starts"), [("get_wsgi_application", True), ("Flask", False)])
def test_what_makes_django_read_its_settings(made: str, starts: bool) -> None:
    assert Source("a.py", made={"application": made}).starts_django is starts
