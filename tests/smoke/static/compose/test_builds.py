"""What a service of Compose is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.static.compose.composed import service


@pytest.mark.parametrize(
    ("keys", "context", "dockerfile", "doubt"),
    [
        ("build: .", "", "Dockerfile", ""),
        ("build: conf", "conf", "conf/Dockerfile", ""),
        ("build: {context: ., dockerfile: conf/D}", "", "conf/D", ""),
        ("build: {context: $WHERE}", "${WHERE}", "${WHERE}/Dockerfile", "by a variable"),
        ("build: https://example.org/a.git", None, None, "not of this tree"),
        ("build: ../other", None, None, "above this tree"),
    ],
)
def test_what_it_is_built_from(
    tmp_path: Path, keys: str, context: str | None, dockerfile: str | None, doubt: str
) -> None:
    build = service(tmp_path, keys).build
    assert build is not None and doubt in build.doubt and bool(doubt) == bool(build.doubt)
    assert context is None or (build.context, build.dockerfile) == (context, dockerfile)


def test_one_that_is_not_built(tmp_path: Path) -> None:
    assert service(tmp_path, "image: redis").build is None


def test_its_further_contexts(tmp_path: Path) -> None:
    keys = "build: {context: ., additional_contexts: [one=conf, two=https://example.org]}"
    assert service(tmp_path, keys).launch.contexts == ("one", "two")
