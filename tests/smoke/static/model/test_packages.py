"""What packages bring, and what a line would bring it."""

from __future__ import annotations

import pytest

from smoke.static.model.packages import install_line, known_programs, packages_bring, system_programs


def test_packages_bring_their_programs_and_those_of_what_they_need() -> None:
    brought = packages_bring("debian", ["python3-pip=23.*", "libpq5", "ca-certificates"], recommends=False)
    assert {"/usr/bin/pip", "/usr/bin/python3"} <= {*brought.programs} and not brought.unknown
    assert "/usr/bin/gcc" in packages_bring("debian", ["python3-pip"], recommends=True).programs
    assert packages_bring("alpine", ["tini"], recommends=False).programs == ("/sbin/tini",)
    assert packages_bring("debian", ["python3.11"], recommends=False).programs == ("/usr/bin/python3.11",)


def test_a_package_that_no_list_has_may_bring_anything() -> None:
    assert packages_bring("debian", ["acme-suite", "curl"], recommends=False).unknown == ("acme-suite",)


def test_the_line_that_brings_a_program() -> None:
    assert install_line("alpine", "git") == "RUN apk add --no-cache git"
    assert install_line("debian", "psql").endswith("postgresql-client")
    assert install_line("debian", "no-such-program") == "" and install_line("", "git") == ""


def test_pip_brings_none_of_the_system_s_programs() -> None:
    assert "curl" in system_programs() and "pip" not in system_programs() and system_programs() < known_programs()


@pytest.mark.parametrize(
    ("system", "package"),
    [
        ("debian", "python3-flask"),
        ("debian", "libcairo2-dev"),
        ("debian", "software-properties-common"),
        ("alpine", "py3-flask"),
        ("alpine", "glib-dev"),
        ("fedora", "python3-requests"),
    ],
)
def test_what_needs_python_brings_it(system: str, package: str) -> None:
    assert "/usr/bin/python3" in packages_bring(system, [package], recommends=False).programs


@pytest.mark.parametrize(
    ("system", "package"),
    [("debian", "python3-flask-doc"), ("debian", "xvfb"), ("alpine", "mandoc"), ("alpine", "tesseract-ocr-data-deu")],
)
def test_what_does_not_need_python_brings_none(system: str, package: str) -> None:
    brought = packages_bring(system, [package], recommends=True)
    assert not brought.unknown and not brought.programs


@pytest.mark.parametrize("package", ["tesseract-ocr", "poppler-utils", "tmux"])
def test_what_brings_a_listed_program_says_so(package: str) -> None:
    assert packages_bring("alpine", [package], recommends=False).programs
