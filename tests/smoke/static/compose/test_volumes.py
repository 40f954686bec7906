"""What Compose mounts into a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.model.launch import MountKind
from tests.smoke.static.compose.composed import service


@pytest.mark.parametrize(
    ("keys", "kind", "target"),
    [
        ("volumes: ['./conf:/conf']", MountKind.TREE, "/conf"),
        ("volumes: ['./none:/conf']", MountKind.UNKNOWN, "/conf"),
        ("volumes: ['/etc:/conf:ro']", MountKind.UNKNOWN, "/conf"),
        ("volumes: ['data:/data']", MountKind.VOLUME, "/data"),
        ("volumes: ['/data']", MountKind.VOLUME, "/data"),
        ("volumes: [{type: bind, source: ./conf, target: /conf}]", MountKind.TREE, "/conf"),
        ("volumes: [{type: tmpfs, target: /x}]", MountKind.EMPTY, "/x"),
        ("tmpfs: /x:size=1m", MountKind.EMPTY, "/x"),
        ("secrets: [key]", MountKind.UNKNOWN, "/run/secrets/key"),
    ],
)
def test_its_mounts(tmp_path: Path, keys: str, kind: MountKind, target: str) -> None:
    [mount] = service(tmp_path, f"build: .\n    {keys}").launch.mounts
    assert (mount.kind, mount.target) == (kind, target)
