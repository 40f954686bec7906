"""`lucid deploy` without a host: what it asks of one, what it writes, and what it says to wrong input.

The whole of it, against an sshd, is `python -m images.trial`, in `nox -s images`.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.build import IMAGES
from lucid.cli.deploy import expand
from lucid.cli.main import main
from lucid.deploy import release, settings
from lucid.deploy.deployment import Deployment, Wanted, _archive
from lucid.deploy.host import DeployError, Host
from lucid.deploy.preflight import Facts, requirements

PI = Facts("aarch64", 3_800, 20_000, "Raspberry Pi 5", "28.2.2", "docker compose", "yes", 0.1, True, True, False)


def facts(**changes: Any) -> Facts:
    return replace(PI, **changes)


def lacking(**changes: object) -> list[str]:
    return [each.name for each in requirements(facts(**changes)) if each.lacking]


def test_a_pi_that_has_everything() -> None:
    assert lacking() == []
    assert facts().profile == "pi5"
    assert facts(atomics=False).profile == "pi4"


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"machine": "armv7l"}, ["processor"]),
        ({"machine": "x86_64", "emulation": False}, ["processor"]),
        ({"memory_mb": 900}, ["memory"]),
        ({"disk_mb": 3_000}, ["free disk"]),
        ({"synchronised": "no"}, ["clock"]),
        ({"synchronised": "", "clock_off_s": 60.0}, ["clock"]),
        ({"docker": "Cannot connect to the Docker daemon"}, ["Docker"]),
        ({"docker": "19.03.1"}, ["Docker"]),
        ({"docker": "", "compose": ""}, ["Docker", "compose"]),
    ],
)
def test_what_a_host_lacks_is_named(changes: dict[str, object], names: list[str]) -> None:
    assert lacking(**changes) == names


def test_what_can_not_be_told_is_a_warning() -> None:
    assert lacking(synchronised="") == []
    assert any(each.warning for each in requirements(facts(synchronised="")))
    assert any("emulated" in each.warning for each in requirements(facts(machine="x86_64")))


def test_settings_are_kept_and_tokens_made_once() -> None:
    first = settings.settle({}, "pi5", ["id@ws://a:1"], ["redis"], ["LUCID_PUBLISH=127.0.0.1"])
    again = settings.settle(settings.parse(settings.write(first)), "pi5", [], [], [])
    assert again == first
    assert first["COMPOSE_PROFILES"] == "redis"
    assert first["LUCID_REDIS_URL"] == "redis://redis:6379"
    assert len(first["LUCID_TOKEN"]) == 32 != len(first["LUCID_PEERS"])
    assert settings.settle({}, "pi4", [], [], [])["LUCID_MONGODB"] == "mongo:4.4.18"
    assert settings.settle({}, "pi5", [], [], [])["LUCID_TOKEN"] != first["LUCID_TOKEN"]


@pytest.mark.parametrize("wrong", ["x", "lower=1", "A B=1", "NAME=$HOME", "NAME=a\nb", "NAME='x'"])
def test_a_setting_that_compose_could_not_take(wrong: str) -> None:
    with pytest.raises(DeployError):
        settings.settle({}, "pi5", [], [], [wrong])


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(st.characters(exclude_categories=["C", "Z"]))
    )
)
def test_settings_come_back_as_they_were_written(held: dict[str, str]) -> None:
    assert settings.parse(settings.write(held)) == held


def test_the_key_goes_with_its_mark_to_its_user_alone(tmp_path: Path) -> None:
    for name in ("genesis.toml", "node.key", "node.key.unused"):
        (tmp_path / name).write_text(name)
    data = _archive(tmp_path / "node.key", tmp_path / "genesis.toml", tmp_path / "node.key.unused")
    (tmp_path / "x.tar").write_bytes(data)
    with tarfile.open(tmp_path / "x.tar") as tar:
        assert {(member.name, member.mode, member.uid, member.gid) for member in tar} == {
            (name, 0o600, 65532, 65532) for name in ("genesis.toml", "node.key", "node.key.unused")
        }


def test_the_images_of_the_compose_file_are_those_that_are_sent() -> None:
    compose = (Path(__file__).parents[2] / "images/compose.yaml").read_text()
    assert all(f"image: {name}\n" in compose for name in release.current())
    assert list(IMAGES.values()) == release.current()
    for extra in settings.EXTRAS:
        assert f"profiles: [{extra}]" in compose


def test_a_first_install_needs_key_and_genesis(tmp_path: Path) -> None:
    with Host("nowhere") as host:
        deployment = Deployment(host)
        deployment.facts = facts()
        with pytest.raises(DeployError, match="--genesis and its --key"):
            deployment._key_steps(Wanted())
        with pytest.raises(DeployError, match="there is no file"):
            deployment._key_steps(Wanted(tmp_path / "g", tmp_path / "k"))


def test_an_archive_of_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive")
    with pytest.raises(DeployError, match="docker save"):
        release.in_archive(tmp_path / "x.tar")


def test_a_host_alone_means_install() -> None:
    assert expand(["deploy", "pi", "--dry-run"]) == ["deploy", "install", "pi", "--dry-run"]
    assert expand(["deploy", "status", "pi"]) == ["deploy", "status", "pi"]
    assert expand(["deploy", "--help"]) == ["deploy", "--help"]
    assert expand(["store", "x"]) == ["store", "x"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["deploy", "status"], "HOST"),
        (["deploy", "pi", "--ssh", "no-such-program"], "no program no-such-program"),
        (["deploy", "backup", "pi"], "DIR"),
        (["deploy", "pi", "--wait", "soon"], "--wait"),
        (["deploy", "pi", "--images", "x", "--registry", "y"], "not allowed with"),
        (["smoke", "live", "--node", "no-such-file"], "no-such-file"),
        (["store", "prepare", "mongodb://x"], "replicaSet"),
    ],
)
def test_wrong_input_is_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
