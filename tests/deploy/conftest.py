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


@pytest.fixture
def bare(tmp_path: Path) -> FakeHost:
    """A host without a node; beside it a key, its chain's document, and archives of images."""
    made = FakeHost(tmp_path)
    made.new_identity(tmp_path)
    for name in ("one", "two", "three", "bad"):
        write_images(tmp_path / f"{name}.tar", name)
    return made


@pytest.fixture
def pi(bare: FakeHost, tmp_path: Path) -> FakeHost:
    """A host on which the release "one" runs."""
    assert bare.install(tmp_path) == 0
    return bare
