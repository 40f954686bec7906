"""A look at all images of a tree: each one is looked at, and one that goes wrong ends the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker.errors  # type: ignore[import-untyped]
import pytest

from smoke.finding import Verdict
from smoke.image import imagejudge
from smoke.image.build import Builder, BuildError
from smoke.image.imagejudge import Wanted, look_at_images
from smoke.live.failure import LiveError
from smoke.subject import Subject, find_subject
from tests.smoke.cases import write_files
from tests.smoke.image.stand_in import Engine


def subject(folder: Path, *images: str, dockerfile: str = "FROM scratch\n") -> Subject:
    """A tree with a service an image."""
    text = "".join(
        f'[[service]]\nname = "shop{number}"\ndockerfile = "Dockerfile"\nimage = "{image}"\n'
        for number, image in enumerate(images or ("shop:1",))
    )
    return find_subject(write_files(folder, {"smoke.toml": text, "Dockerfile": dockerfile}), None)


def refusing(*words: str) -> Builder:
    """The docker command of a day on which some of its commands fail."""

    def command(*told: str) -> str:
        if told[0] in words:
            raise BuildError(f"step 1\nno {told[0]} today\n")
        return "20.10.24"

    return Builder(command)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine with one image, which is what the checks connect to; it counts who has left."""
    made = Engine(tmp_path / "image")
    monkeypatch.setattr(imagejudge, "connect", lambda: made)
    return made


def test_all_images_of_a_tree_are_looked_at(engine: Engine, tmp_path: Path) -> None:
    judgment = look_at_images(subject(tmp_path / "tree", "shop:1", "shop:1"), Wanted(), refusing())
    assert judgment.services == ("shop0", "shop1") and engine.containers_left == 0
    assert {each.check for each in judgment.findings} >= {"image.config", "image.size", "build.environment"}
    assert {each.subject for each in judgment.findings if each.check == "image.size"} == {"shop0", "shop1"}


def test_each_client_that_was_opened_is_closed(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker's client holds a socket; a run over many trees would leave one each."""
    opened: list[Engine] = []
    closed: list[Engine] = []

    def connect() -> Engine:
        opened.append(engine)
        return engine

    monkeypatch.setattr(imagejudge, "connect", connect)
    monkeypatch.setattr(engine, "close", lambda: closed.append(engine))
    look_at_images(subject(tmp_path / "tree"), Wanted(), refusing())
    assert len(opened) == len(closed) == 2
    with pytest.raises(LiveError):
        look_at_images(subject(tmp_path / "other", "none:1"), Wanted(), refusing())
    assert len(opened) == len(closed) == 4


def test_an_image_that_is_not_there_is_one_sentence(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="there is no image none:1: build it first"):
        look_at_images(subject(tmp_path / "tree", "none:1"), Wanted(), refusing())


def test_what_goes_wrong_with_one_leaves_nothing_of_the_others(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="there is no image none:1"):
        look_at_images(subject(tmp_path / "tree", "none:1", "shop:1", "shop:1"), Wanted(), refusing())
    assert engine.containers_left == 0


def test_what_the_engine_refuses_is_one_sentence(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise docker.errors.APIError("500", explanation="no space left on device")

    monkeypatch.setattr(engine, "create", refuse)
    with pytest.raises(LiveError, match="shop:1: no space left on device"):
        look_at_images(subject(tmp_path / "tree"), Wanted(), refusing())


def test_what_does_not_build_is_not_looked_at(engine: Engine, tmp_path: Path) -> None:
    """An image of that name may be there from yesterday: what is found of it says nothing of this tree."""
    judgment = look_at_images(subject(tmp_path / "tree"), Wanted(build=True), refusing("build", "buildx"))
    checks = {each.check: each.verdict for each in judgment.findings}
    assert checks["build.image"] is Verdict.FAIL and "image.size" not in checks
    assert judgment.status == 1 and judgment.services == ("shop0",)


def test_images_that_can_not_be_compared_are_one_sentence(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="cannot be compared: no save today"):
        look_at_images(subject(tmp_path / "tree"), Wanted(again=True), refusing("save"))


def test_what_is_under_way_is_said(engine: Engine, tmp_path: Path) -> None:
    said: list[str] = []
    look_at_images(subject(tmp_path / "tree"), Wanted(build=True), refusing(), say=said.append)
    assert said == ["building shop0", "looking at shop0"]
