"""Packages of the system that a RUN installs and removes."""

from __future__ import annotations

from smoke.static.model.script import run
from tests.smoke.static.model.staged import followed, stage


def test_packages_bring_programs_and_take_them_away_again() -> None:
    made = followed("apt-get update && apt-get install -y --no-install-recommends curl")
    assert made.files.find("/usr/bin/curl") is not None and "curl" in made.packages and made.lists is True
    run(made, "apt-get purge -y curl && rm -rf /var/lib/apt/lists/*", 8, {})
    assert made.files.find("/usr/bin/curl") is None and made.lists is False


def test_alpine_takes_away_by_the_name_that_was_given() -> None:
    made = stage("alpine:3.20")
    run(made, "apk add --no-cache --virtual .build curl", 7, {})
    assert made.files.find("/usr/bin/curl") is not None and made.virtual == {".build": ("curl",)}
    run(made, "apk del .build", 8, {})
    assert made.files.find("/usr/bin/curl") is None and made.packages == ()


def test_the_system_s_python_comes_with_its_package() -> None:
    made = stage("debian:12-slim")
    assert made.python == ""
    run(made, "apt-get update && apt-get install -y python3", 7, {})
    assert made.python == "3.11" and made.managed
    assert made.files.find("/usr/bin/python3.11") is not None
    assert made.sites[0] == "/usr/local/lib/python3.11/dist-packages"


def test_a_python_package_of_the_system_is_an_installation_in_doubt() -> None:
    made = stage("debian:12-slim")
    run(made, "apt-get update && apt-get install -y python3 python3-flask", 7, {})
    [install] = made.installs
    assert install.directory == "/usr/lib/python3/dist-packages" and "python3-flask" in install.doubt
    own = followed("apt-get update && apt-get install -y python3-flask")
    assert own.installs == [], "the image's own Python does not look there"
