"""What apt, apk and Debian's own tools refuse."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.distributions import apk_refusal, apt_refusal, busybox_refusal
from tests.smoke.static.model.staged import followed, stage

APT = {
    "install -y curl": "knows no package yet",
    "install curl": "it takes -y",
    "install make": "knows no package yet",
    "install -qq curl": "knows no package yet",
    "install -yq build-base": "that is Alpine's name",
    "install --dry-run build-base": "",
    "install -y ./local.deb": "",
    "update": "",
    "remove curl": "",
}


@pytest.mark.parametrize(("words", "says"), APT.items())
def test_apt_without_lists(words: str, says: str) -> None:
    found = apt_refusal(stage(), "apt-get", words.split())
    assert says in found and bool(says) == bool(found)


@pytest.mark.parametrize("before", ["apt-get update", "apt update -y", "apt-get update && true"])
def test_apt_knows_packages_once_it_has_its_lists(before: str) -> None:
    assert apt_refusal(followed(before), "apt-get", ["install", "-y", "curl"]) == ""


def test_a_package_that_a_release_lacks() -> None:
    made = stage("debian:12")
    assert "netcat-openbsd" in apt_refusal(made, "apt-get", ["install", "-y", "netcat"])
    made.other_sources = True
    assert "knows no package" in apt_refusal(made, "apt-get", ["install", "-y", "netcat"]), "others may have it"


@pytest.mark.parametrize(
    ("reference", "words", "refused"),
    [
        ("python:3.12-alpine", "add build-essential", True),
        ("python:3.12-alpine", "add --no-cache gcc=13", False),
        ("python:3.12-alpine", "del build-essential", False),
        ("python:3.12-slim", "add build-essential", False),
    ],
)
def test_apk_has_no_packages_by_debians_names(reference: str, words: str, refused: bool) -> None:
    assert bool(apk_refusal(stage(reference), words.split())) is refused


@pytest.mark.parametrize(
    ("reference", "words", "option"),
    [
        ("python:3.12-slim", "-D app", "-D"),
        ("python:3.12-slim", "-SD app", "-D"),
        ("python:3.12-slim", "--disabled-password app", ""),
        ("python:3.12-alpine", "-D app", ""),
    ],
)
def test_busyboxs_options_are_not_debians(reference: str, words: str, option: str) -> None:
    found = busybox_refusal(stage(reference), "adduser", words.split())
    assert option in found and bool(option) == bool(found)
