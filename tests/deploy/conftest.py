"""A host that is a folder, with and without a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.deploy import deployment, host
from tests.deploy.fakehost import FakeHost, write_images


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (deployment, host):
        monkeypatch.setattr(module, "PAUSE_S", 0.02)
    monkeypatch.setattr(deployment, "RETURN_S", 0.0)


def made(folder: Path) -> FakeHost:
    """A host without a node; beside it a key, its chain's document, and archives of images."""
    host = FakeHost(folder)
    host.new_identity(folder)
    for name in ("one", "two", "three", "bad"):
        write_images(folder / f"{name}.tar", name)
    return host


@pytest.fixture
def bare(tmp_path: Path) -> FakeHost:
    """A host without a node."""
    return made(tmp_path)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> FakeHost:
    """A host on which the release "one" was installed, to be copied."""
    folder = tmp_path_factory.mktemp("installed")
    host = made(folder)
    assert host.install(folder) == 0
    return host


@pytest.fixture
def pi(installed: FakeHost, tmp_path: Path) -> FakeHost:
    """A host on which the release "one" runs."""
    return installed.copied(tmp_path)
