"""Installers that go by a lock file."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.locked import lock_refusal
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    ("name", "words", "refused"),
    [
        ("uv", "sync --frozen", True),
        ("uv", "sync --locked --no-dev", True),
        ("uv", "sync", False),
        ("uv", "sync --frozen --project /elsewhere", False),
        ("uv", "pip install flask", False),
        ("pdm", "sync", True),
        ("pdm", "install", False),
        ("pipenv", "sync", True),
        ("pipenv", "install --deploy", True),
        ("pipenv", "install", False),
    ],
)
def test_without_a_lock_file(name: str, words: str, refused: bool) -> None:
    assert bool(lock_refusal(stage(), name, words.split())) is refused


def test_uv_finds_it_in_the_directories_above_and_pdm_does_not() -> None:
    made = stage(files={"uv.lock": "", "pdm.lock": ""})
    made.workdir = "/app/deep"
    assert lock_refusal(made, "uv", ["sync", "--frozen"]) == ""
    assert "/app/deep/pdm.lock" in lock_refusal(made, "pdm", ["sync"])


def test_a_directory_that_is_in_doubt_may_hold_it() -> None:
    made = stage()
    made.workdir = "/usr/share/app"
    assert lock_refusal(made, "pdm", ["sync"]) == ""
