"""What the instructions that only say something make of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files


def image(folder: Path, lines: str) -> Image:
    text = f"FROM python:3.12-slim\n{lines}\n"
    [found] = images(Tree(write_files(folder, {"Dockerfile": text, "a.py": ""})), Manifest())
    return found


@pytest.mark.parametrize(
    ("lines", "workdir"),
    [
        ("WORKDIR /a", "/a"),
        ("WORKDIR /a\nWORKDIR b", "/a/b"),
        ("ENV X=/x\nWORKDIR $X/y", "/x/y"),
        ("WORKDIR a/../b", "/b"),
    ],
)
def test_workdir(tmp_path: Path, lines: str, workdir: str) -> None:
    found = image(tmp_path, lines)
    assert found.workdir == workdir and found.files.find(workdir) is not None


def test_a_directory_belongs_to_the_user_in_force(tmp_path: Path) -> None:
    entry = image(tmp_path, "USER 7\nWORKDIR /srv/a").files.find("/srv/a")
    assert entry is not None and entry.user == 7


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("COPY a.py /a\nWORKDIR /a", "a file is there"),
        ("EXPOSE 99999", "not a port"),
        ("EXPOSE http", "not a port"),
        ("EXPOSE 80/http", "the protocol is"),
        ("EXPOSE 90-80", "not a port"),
        ("STOPSIGNAL SIGNOTHING", "no such signal"),
    ],
)
def test_what_stops_the_build(tmp_path: Path, lines: str, says: str) -> None:
    [refused] = image(tmp_path, lines).refused
    assert says in refused.message


@pytest.mark.parametrize("lines", ["STOPSIGNAL SIGTERM", "STOPSIGNAL 9", "STOPSIGNAL RTMIN+3", "EXPOSE 80/udp"])
def test_what_does_not(tmp_path: Path, lines: str) -> None:
    assert image(tmp_path, lines).refused == ()


@pytest.mark.parametrize(
    ("lines", "ports"),
    [
        ("EXPOSE 80 443", (80, 443)),
        ("EXPOSE 80-82", (80, 81, 82)),
        ("EXPOSE 80/udp 81/tcp", (81,)),
        ("ARG P=80\nEXPOSE $P", (80,)),
    ],
)
def test_ports(tmp_path: Path, lines: str, ports: tuple[int, ...]) -> None:
    assert image(tmp_path, lines).ports == ports


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('CMD ["python", "-V"]', ("python", "-V")),
        ('ENTRYPOINT ["python"]\nCMD ["-V"]', ("python", "-V")),
        ('CMD ["-V"]\nENTRYPOINT ["python"]', ("python", "-V")),
        ('ENTRYPOINT ["python", "-V"]', ("python", "-V")),
        ('CMD ["a"]\nCMD ["python", "-V"]', ("python", "-V")),
    ],
)
def test_entry_point_and_command(tmp_path: Path, lines: str, words: tuple[str, ...]) -> None:
    """An ENTRYPOINT takes the base's CMD away, and not the one of this file."""
    assert image(tmp_path, lines).start.words == words


def test_health_checks_labels_and_variables(tmp_path: Path) -> None:
    found = image(tmp_path, 'ENV A=1 B="$A x"\nLABEL v=$NONE w=1\nHEALTHCHECK CMD ["python", "-V"]')
    assert found.environment["A"] == "1" and found.environment["B"] == " x", "A is not yet set where B is"
    assert found.labels["v"].unset == ("NONE",) and found.labels["w"].value == "1"
    assert found.health is not None and found.health.words == ("python", "-V") and not found.health.shell_form
