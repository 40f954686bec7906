"""The images' sources: alike where they must be, and the stand-in base the same every time."""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from images.build import IMAGES
from images.laboratory.packages import PackageError
from images.laboratory.standin import make_base
from smoke.manifestfile import read_manifest

ROOT = Path(__file__).parents[2]


OWN = {
    # Only the engine signs: no other image has the volume with the key.
    "engine": {"    LUCID_KEY=/key/node.key \\"},
    # The manager also serves its peers, at a port of their own.
    "manager": {"EXPOSE PORT PORT"},
}
"""Lines of a service's Dockerfile that the others do not have as they are."""


def test_the_dockerfiles_differ_in_service_port_labels_and_what_is_their_own() -> None:
    shapes = {}
    for service in IMAGES:
        text = (ROOT / f"images/Dockerfile.{service}").read_text()
        plain = re.sub(r"\b808\d\b", "PORT", re.sub(r'title="[^"]*"|description="[^"]*"|^#.*$', "", text, flags=re.M))
        lines = plain.replace(f"lucid.services.{service}", "SERVICE").splitlines()
        own = OWN.get(service, set())
        assert own <= {*lines}
        shapes[service] = [re.sub("PORT PORT", "PORT", line) for line in lines if line not in own or "PORT" in line]
    assert all(shape == shapes["data"] for shape in shapes.values()), shapes


def test_the_manifest_names_the_images_that_are_built() -> None:
    assert {each.name: each.image for each in read_manifest(ROOT / "smoke.toml").services} == IMAGES


def test_the_images_lock_is_a_part_of_the_projects() -> None:
    def pinned(path: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / path).read_text(), re.M))

    assert pinned("images/requirements.lock") <= pinned("requirements.lock")


def test_the_stand_in_base_is_the_same_every_time(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        try:
            made = make_base(tmp_path / name)
        except PackageError as error:
            pytest.skip(f"Debian's packages are out of reach: {error}")
        digests.add(hashlib.sha256(made.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("answer", "status"), [(b"HTTP/1.1 200 OK\r\n\r\n", 0), (b"HTTP/1.1 503 x\r\n\r\n", 1), (b"", 1)]
)
def test_the_probe_says_what_health_says(answer: bytes, status: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        command = [sys.executable, "-S", "-E", "-s", str(ROOT / "images/probe.py")]
        where = f"127.0.0.1:{server.getsockname()[1]}"
        assert subprocess.run([*command, where], capture_output=True, check=False).returncode == status
        thread.join()
    assert subprocess.run([*command, where], capture_output=True, check=False).returncode == 1, "nobody listens"
