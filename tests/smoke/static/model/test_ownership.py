"""Owners that plain users may not change."""

from __future__ import annotations

import pytest

from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.ownership import may_not_give
from smoke.static.model.stage import Stage


def stage(user: str, owner: int | None = 0) -> Stage:
    files = FileSystem({"/data": PathEntry("directory", user=owner, line=3)})
    return Stage(files, user=user, numbers={"root": 0, "app": 1000, "web": 33})


@pytest.mark.parametrize("words", ["chown -R app /data", "chown app:app /data", "chmod 777 /data"])
def test_what_is_of_others_stays_as_it_is(words: str) -> None:
    assert "belongs to user 0" in may_not_give(stage("app"), words.split())


def test_nothing_is_given_to_others() -> None:
    assert "gives nothing to others" in may_not_give(stage("app", 1000), ["chown", "web", "/data"])


@pytest.mark.parametrize(
    "words", ["chown app /data", "chmod 700 /data", "chown app /else", "chown app $DIR", "ls /data"]
)
def test_what_is_ones_own_or_not_known_is_let_be(words: str) -> None:
    assert may_not_give(stage("app", 1000), words.split()) == ""


def test_root_may() -> None:
    assert may_not_give(stage("root", 5), ["chown", "app", "/data"]) == ""
    assert may_not_give(stage("app", None), ["chown", "app", "/data"]) == ""
