"""Requirements that no release meets, and those that one may."""

from __future__ import annotations

import pytest

from smoke.static.model.pins import refused_pin


@pytest.mark.parametrize(
    ("name", "requirement", "python", "libc", "says"),
    [
        ("flask", "flask==2.4.1", "3.12", "glibc", "2.3 was the last"),
        ("django", "Django==4.3", "3.12", "glibc", "4.2 was the last"),
        ("django", "django>=5.0", "3.9", "glibc", "needs Python 3.10"),
        ("numpy", "numpy~=2.1", "3.9", "glibc", "needs Python 3.10"),
        ("torch", "torch", "3.12", "musl", "no wheel for musl"),
    ],
)
def test_what_no_release_meets(name: str, requirement: str, python: str, libc: str, says: str) -> None:
    assert says in refused_pin(name, requirement, python, libc)


@pytest.mark.parametrize(
    ("name", "requirement", "python", "libc"),
    [
        ("flask", "flask==2.3.3", "3.12", "glibc"),
        ("flask", "flask==3.9", "3.12", "glibc"),  # newer than the table
        ("django", "django==4.2.99", "3.12", "glibc"),  # one more of a series
        ("django", "django==5.0", "", "glibc"),
        ("django", "django<6,>=4.2", "3.9", "glibc"),
        ("torch", "torch", "3.12", "glibc"),
        ("unheard-of", "unheard-of==99", "3.8", "musl"),
    ],
)
def test_what_one_may_meet(name: str, requirement: str, python: str, libc: str) -> None:
    assert refused_pin(name, requirement, python, libc) == ""


@pytest.mark.parametrize(
    ("libc", "compiler", "refused"), [("musl", False, True), ("musl", True, False), ("glibc", False, False)]
)
def test_what_alpine_has_to_compile_takes_a_compiler(libc: str, compiler: bool, refused: bool) -> None:
    found = refused_pin("confluent-kafka", "confluent-kafka==2.3.0", "3.12", libc, compiler=compiler)
    assert ("no compiler" in found) == refused
