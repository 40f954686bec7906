"""What an image tells of itself."""

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
    ("lines", "says"),
    [
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


def test_labels(tmp_path: Path) -> None:
    labels = image(tmp_path, "LABEL v=$NONE w=1").labels
    assert labels["v"].unset == ("NONE",) and labels["w"].value == "1"
