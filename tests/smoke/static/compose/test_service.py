"""A service of Compose: its command and its variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.compose.composed import service


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ("command: [python, -m, app]", ("python", "-m", "app")),
        ("command: python -c 'a b'", ("python", "-c", "a b")),
        ("command: python $$HOME", ("python", "$HOME")),
        ("command: python ${MODE:-x}", ("python", "x")),
        ("command: null", None),
        ("image: x", None),
        ("command: []", ()),
    ],
)
def test_its_command(tmp_path: Path, keys: str, command: tuple[str, ...] | None) -> None:
    """Compose cuts a text into words and is no shell."""
    assert service(tmp_path, f"{keys}\n    build: .").launch.command == command


def test_its_variables(tmp_path: Path) -> None:
    keys = "build: .\n    env_file: a.env\n    environment: [A=1, B, 'C=${D:-d}']"
    launch = service(tmp_path, keys, **{"a.env": "A=0\nE=e\n", ".env": "B=b\n"}).launch
    assert launch.environment == {"A": "1", "B": "b", "C": "d", "E": "e"} and not launch.environment_doubt
    lost = service(tmp_path / "lost", "build: .\n    env_file: lost.env").launch
    assert "lost.env" in lost.environment_doubt
