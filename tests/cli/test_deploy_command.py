"""`lucid deploy` without a host: what it asks of one, what it writes, and what it says to wrong input.

Whole releases, on a host that is a folder, are in `tests/deploy`; the whole of it, against an sshd and an engine, is
`python -m tests.deploy.trial`, in `nox -s images`.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images.build import IMAGES
from lucid.chain.keys import ed25519_public_key
from lucid.cli.deploy import expand
from lucid.cli.main import main
from lucid.deploy import images, release, settings
from lucid.deploy.host import KEPT_FREE_BYTES, DeployError, Host, Unreachable
from lucid.deploy.identity import packed, read_identity
from lucid.deploy.preflight import Facts, requirements
from lucid.deploy.settings import Changes
from lucid.services.process.keyfile import read_key
from tests.deploy.fakehost import write_images

PI = Facts("aarch64", 3_800, 20_000, "Raspberry Pi 5", "28.2.2", "docker compose", "yes", 0.1, True, True, False)
ONE, TWO = "1" * 64, "2" * 64


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
        ({"synchronized": "no"}, ["clock"]),
        ({"synchronized": "", "clock_off_s": 60.0}, ["clock"]),
        ({"docker": "Cannot connect to the Docker daemon"}, ["Docker"]),
        ({"docker": "19.03.1"}, ["Docker"]),
        ({"docker": "", "compose": ""}, ["Docker", "compose"]),
        ({"docker": "28.2.2", "compose": "docker-compose", "compose_version": "1.29.2"}, ["compose"]),
        ({"docker": "20.10.24+dfsg1", "compose": "docker-compose", "compose_version": "1.29.2"}, []),
        ({"docker": "20.10.24", "compose": "docker-compose", "compose_version": "1.25.0"}, ["compose"]),
        ({"compose_version": "v2.30.0"}, []),
        ({"disk_mb": 3_000, "installed": True}, []),
        ({"disk_mb": 900, "installed": True}, ["free disk"]),
    ],
)
def test_what_a_host_lacks_is_named(changes: dict[str, object], names: list[str]) -> None:
    assert lacking(**changes) == names


def test_what_can_not_be_told_is_a_warning() -> None:
    assert lacking(synchronized="") == []
    assert any(each.warning for each in requirements(facts(synchronized="")))
    assert any("emulated" in each.warning for each in requirements(facts(machine="x86_64")))
    assert any("cgroup_enable=memory" in each.warning for each in requirements(facts(memory_limit=False)))


def settle(held: dict[str, str], profile: str = "pi5", **changes: list[str]) -> dict[str, str]:
    return settings.settle(held, profile, Changes(**{name: tuple(each) for name, each in changes.items()}))


def test_settings_are_kept_and_tokens_made_once() -> None:
    first = settle({}, peers=[f"{ONE}@tcp://a:1"], extras=["redis"], given=["LUCID_PUBLISH=127.0.0.1"])
    again = settle(settings.parse(settings.write(first)))
    assert again == first
    assert first["COMPOSE_PROFILES"] == "redis"
    assert first["LUCID_REDIS_URL"] == "redis://redis:6379"
    assert len(first["LUCID_TOKEN"]) == 32 != len(first["LUCID_PEERS"])
    assert settle({}, "pi4")["LUCID_MONGODB"] == "mongo:4.4.18"
    assert settle({})["LUCID_TOKEN"] != first["LUCID_TOKEN"]


def test_peers_are_added_moved_and_left_out() -> None:
    held = settle({}, peers=[f"{ONE}@tcp://a:1"])
    both = settle(held, peers=[f"{TWO}@tcp://b:1"])
    assert both["LUCID_PEERS"] == f"{ONE}@tcp://a:1,{TWO}@tcp://b:1"
    assert settle(both, peers=[f"{ONE}@tcp://c:1"])["LUCID_PEERS"] == f"{ONE}@tcp://c:1,{TWO}@tcp://b:1"
    assert settle(both, no_peers=[ONE])["LUCID_PEERS"] == f"{TWO}@tcp://b:1"
    assert settle(settle(both, no_peers=[ONE]), no_peers=[TWO])["LUCID_PEERS"] == ""
    assert settle(held, no_peers=[TWO]) == held, "given again it does no harm"
    with pytest.raises(DeployError, match="--no-peer"):
        settle(held, no_peers=["pi2"])
    assert settings.warnings(both) == []
    assert "pi2.local" in settings.warnings(settle({}, peers=[f"{ONE}@tcp://pi2.local:8088"]))[0]


@pytest.mark.parametrize(
    "wrong", ["x", f"{ONE}@http://a:1", f"{ONE}@ws:", f"{ONE}@tcp://a:1,{TWO}@tcp://b:1", "@tcp://a"]
)
def test_a_peer_that_is_none_is_refused_here(wrong: str) -> None:
    with pytest.raises(DeployError, match="--peer"):
        settle({}, peers=[wrong])


def test_a_peer_of_an_earlier_release_is_named_before_anything_is_changed() -> None:
    with pytest.raises(DeployError, match=r"nodes no longer talk over WebSocket.*write NODE-ID@tcp://HOST:8088"):
        settle({"LUCID_PEERS": f"{ONE}@ws://a:8086"})
    assert settle({"LUCID_PEERS": f"{ONE}@ws://a:8086"}, peers=[f"{ONE}@tcp://a:8088"])["LUCID_PEERS"]


def test_what_runs_beside_goes_with_all_that_was_said_of_it() -> None:
    both = settle(settle({}, extras=["redis"]), extras=["consul"])
    assert both["COMPOSE_PROFILES"] == "redis,consul"
    one = settle(both, without=["redis"])
    assert one["COMPOSE_PROFILES"] == "consul"
    assert "LUCID_REDIS_URL" not in one
    assert "COMPOSE_PROFILES" not in settle(one, without=["consul"])
    elsewhere = settle({}, given=["LUCID_REDIS_URL=redis://10.0.0.1:6379"])
    assert settle(elsewhere, without=["redis"])["LUCID_REDIS_URL"] == "redis://10.0.0.1:6379"
    with pytest.raises(DeployError, match="LUCID_TOR"):
        settle({}, extras=["tor"])
    assert settle({}, extras=["tor"], given=["LUCID_TOR=x/tor:1"])["LUCID_SOCKS5"] == "tor:9050"


@pytest.mark.parametrize(
    "wrong",
    ["x", "lower=1", "A B=1", "LUCID_MEMORY=$HOME", "LUCID_MEMORY=a\nb", "LUCID_MEMORY='x'", 'LUCID_MEMORY="x"',
     "LUCID_MEMORY=a #b", "LUCID_MEMORY=a#b", "LUCID_MEMORY=a b", "LUCID_MEMORY=a\\b",
     "COMPOSE_PROJECT_NAME=other", "LUCID_MEMROY=1g"],
)  # fmt: skip
def test_a_setting_that_compose_could_not_take(wrong: str) -> None:
    with pytest.raises(DeployError):
        settle({}, given=[wrong])


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text(st.characters(exclude_categories=["C", "Z"]))
    )
)
def test_settings_come_back_as_they_were_written(held: dict[str, str]) -> None:
    assert settings.parse(settings.write(held)) == held


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with a key and a genesis that names it."""
    for name in ("node", "other"):
        (tmp_path / name).mkdir()
        assert main(["keys", "new", str(tmp_path / name / "node.key")]) == 0
        identity = ed25519_public_key(read_key(tmp_path / name / "node.key")).hex()
        assert main(["genesis", "new", str(tmp_path / name / "genesis.toml"), "--node", f"pi={identity}"]) == 0
    return tmp_path / "node"


def test_the_key_goes_with_its_mark_to_its_user_alone(node: Path) -> None:
    expected = {"config": ["genesis.toml", "node.id"], "key": ["node.key.unused", "node.key"]}
    archives = packed(read_identity(node / "node.key", node / "genesis.toml"))
    assert archives.keys() == expected.keys()
    for volume, data in archives.items():
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = [(member.name, member.mode, member.uid, member.gid) for member in tar]
        assert found == [(name, 0o600, 65532, 65532) for name in expected[volume]]


def test_key_and_genesis_are_looked_at_before_they_go(node: Path) -> None:
    key, genesis = node / "node.key", node / "genesis.toml"
    assert read_identity(key, genesis).founder
    assert not read_identity(key, node.parent / "other/genesis.toml").founder
    for wrong_key, wrong_genesis, said in [
        (genesis, genesis, "chmod 600"),
        (node / "node.key.unused", genesis, "node.key.unused"),
        (key, key, "not a genesis document"),
        (key, node / "nothing", "there is no file"),
    ]:
        with pytest.raises(DeployError, match=said):
            read_identity(wrong_key, wrong_genesis)


def test_the_images_of_the_compose_file_are_those_that_are_sent() -> None:
    compose = (Path(__file__).parents[2] / "images/compose.yaml").read_text()
    assert all(f"image: {name}\n" in compose for name in release.current())
    assert list(IMAGES.values()) == release.current()
    for extra in settings.EXTRAS:
        assert f"profiles: [{extra}]" in compose
    assert all(f"${{{name}" in compose for names in settings.EXTRAS.values() for name in names)
    assert ":latest}" not in compose


def test_an_archive_of_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive")
    with pytest.raises(DeployError, match="docker save"):
        images.in_archive(tmp_path / "x.tar")
    found = images.in_archive(write_images(tmp_path / "y.tar", "one"))
    assert list(found) == release.current()
    assert {each.platform for each in found.values()} == {"linux/arm64"}


@pytest.mark.parametrize("kind", ["links-in-a-circle", "link-to-itself", "nested-json", "large-manifest", "no-object"])
def test_a_hostile_archive_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    files = {"manifest.json": json.dumps([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["a"]}]).encode()}
    links: dict[str, str] = {}
    match kind:
        case "links-in-a-circle":
            links = {"c.json": "d.json", "d.json": "c.json"}
        case "link-to-itself":
            files, links = {}, {"manifest.json": "manifest.json"}
        case "nested-json":
            files["manifest.json"] = b"[" * 200_000
        case "large-manifest":
            files["manifest.json"] = b" " * (images.MAX_JSON + 1)
        case _:
            files["c.json"] = b"[1]"
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            images._add(tar, name, io.BytesIO(data))
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    with pytest.raises(DeployError, match="docker save"):
        images.in_archive(path)


def test_layers_that_lead_in_a_circle_are_refused_as_they_are_sent(tmp_path: Path) -> None:
    path = write_images(tmp_path / "x.tar", "one")
    with tarfile.open(path, "a") as tar:
        for name, target in (("a", "b"), ("b", "a")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    entries = [{"Config": "a", "RepoTags": ["x:1"], "Layers": []}]
    with (
        tarfile.open(path) as tar,
        gzip.GzipFile(fileobj=io.BytesIO(), mode="wb") as packer,
        pytest.raises(DeployError, match="docker save"),
    ):
        images._copy(tar, entries, ["x:1"], packer)


def test_what_is_sent_is_what_the_host_lacks_and_can_run() -> None:
    ours = {name: images.LocalImage(f"sha256:{number}", "linux/arm64") for number, name in enumerate(release.current())}
    laptop = {
        **ours,
        "mongo:7": images.LocalImage("sha256:m", "linux/amd64"),
        "secret:1": images.LocalImage("sha256:s", "x/y"),
    }
    there = {name: each.identity for name, each in ours.items()}

    def chosen(held: dict[str, images.LocalImage], before: dict[str, str], native: str = "linux/arm64") -> list[str]:
        return images.chosen(held, before, "mongo:7", native, "here")

    assert chosen(laptop, {}) == release.current()
    assert chosen(laptop, {}, "linux/amd64") == [*release.current(), "mongo:7"]
    assert chosen(laptop, {"mongo:7": "sha256:other"}, "linux/amd64") == release.current()
    assert chosen(laptop, {**there, release.current()[0]: "sha256:old"}) == release.current()[:1]
    assert chosen({}, there) == []
    with pytest.raises(DeployError, match="neither here nor"):
        chosen({}, {})
    with pytest.raises(DeployError, match="linux/amd64"):
        chosen({**ours, release.current()[0]: images.LocalImage("sha256:0", "linux/amd64")}, {})


@pytest.mark.parametrize("blobs", [False, True], ids=["docker-24", "docker-25"])
def test_of_an_archive_only_what_was_asked_for_is_sent(tmp_path: Path, blobs: bool) -> None:
    names = [*release.current(), "mongo:7"]
    path = write_images(tmp_path / "x.tar", "one", names=names, blobs=blobs)
    written = io.BytesIO()
    with images._opened(path) as tar, gzip.GzipFile(fileobj=written, mode="wb") as packer:
        images._copy(tar, images._entries(tar, path), names[:2], packer)
    (tmp_path / "y.tar").write_bytes(gzip.decompress(written.getvalue()))
    assert images.in_archive(tmp_path / "y.tar") == {
        name: found for name, found in images.in_archive(path).items() if name in names[:2]
    }
    with tarfile.open(tmp_path / "y.tar") as tar:
        assert len(tar.getnames()) == 2 * 2 + 1


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_host_that_does_not_answer_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    with Host("pi", program(tmp_path / "away", "echo no route >&2; exit 255")) as host:
        with pytest.raises(Unreachable, match="no route"):
            host.run("true")
        with pytest.raises(Unreachable):
            host.pour(lambda pipe: pipe.write(b"x" * 1_000_000), "cat")
        with pytest.raises(DeployError, match="by ssh: no route"), host.forwarded({"x": ("127.0.0.1", 9)}):
            pass
    with Host("pi", program(tmp_path / "slow", "exec sleep 60")) as host, pytest.raises(Unreachable, match="within"):
        host.run("true", within_s=0.05)
    with Host("pi", program(tmp_path / "full", "echo no space >&2; exit 1")) as host:
        with pytest.raises(DeployError, match="no space") as caught:
            host.send(tmp_path / "full", "cat")
        assert not isinstance(caught.value, Unreachable)
    (tmp_path / "plain").touch()
    with Host("pi", str(tmp_path / "plain")) as host, pytest.raises(DeployError, match="cannot be run"):
        host.run("true")


def test_what_is_to_happen_at_the_end_happens_also_when_this_end_fails(tmp_path: Path) -> None:
    done = tmp_path / "done"
    with Host("pi", program(tmp_path / "ssh", 'for command; do :; done; exec sh -c "$command"')) as host:
        with pytest.raises(KeyError), host.at_the_end(f"touch {done}", 10):
            assert not done.exists()
            raise KeyError
        assert done.exists()
        with pytest.raises(DeployError, match="nowhere"), host.at_the_end("cat /nowhere", 10):
            pass


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
        (["deploy", "pi", "--images", "x", "--keep-images"], "not allowed with"),
        (["smoke", "live", "--node", "no-such-file"], "no-such-file"),
        (["store", "prepare", "mongodb://x"], "replicaSet"),
    ],
)
def test_wrong_input_is_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "-oProxyCommand=touch pwned"],
        ["--", "me@-oProxyCommand=touch pwned"],
        ["pi\n-oProxyCommand=touch pwned"],
        ["pi -oProxyCommand=touch"],
        [""],
        ["pi", "--dir=-rf"],
        ["pi", "--dir="],
        ["pi", "--set", "LUCID_STORE=-v/:/host"],
        ["pi", "--set", "LUCID_STORE=x\ny"],
        ["pi", "--registry=-q"],
    ],
)
def test_nothing_that_begins_with_a_dash_reaches_ssh_or_the_host_as_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = tmp_path / "asked"
    ssh = program(tmp_path / "ssh", f'for each; do printf "%s\\n" "$each" >>{asked}; done; exit 255')
    end = arguments.index("--") if "--" in arguments else len(arguments)
    assert main(["deploy", "install", "--ssh", ssh, *arguments[:end], *arguments[end:]]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    said = asked.read_text() if asked.exists() else ""
    assert "pwned" not in said and "-rf" not in said and "-v/" not in said and "-q/" not in said
    assert not (tmp_path / "pwned").exists()


def test_a_host_that_never_stops_talking_is_cut(tmp_path: Path) -> None:
    ssh = program(tmp_path / "loud", "yes")
    with Host("pi", ssh) as host:
        for act in (
            lambda: host.run("chat"),
            lambda: host.pour(lambda pipe: pipe.write(b"x"), "chat"),
        ):
            with pytest.raises(DeployError, match="more than"):
                act()
    whisper = program(tmp_path / "errors", "yes >&2")
    with Host("pi", whisper) as host, pytest.raises(DeployError, match="more than"):
        host.run("chat")


def test_a_file_from_a_host_leaves_the_disk_some_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=KEPT_FREE_BYTES + 100_000))
    with Host("pi", program(tmp_path / "loud", "yes")) as host:
        with pytest.raises(DeployError, match="more than 100000 bytes"):
            host.collect("chat", tmp_path / "file")
        assert (tmp_path / "file").stat().st_size <= 100_000
    with Host("pi", program(tmp_path / "short", "cat; echo words")) as host:
        host.collect("chat", tmp_path / "other", b"given ")
        assert (tmp_path / "other").read_bytes() == b"given words\n"


def test_what_a_host_says_is_shown_and_not_acted_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ssh = program(tmp_path / "rude", r"printf '\033[2Kpwned\007\nfine\n'")
    with Host("pi", ssh) as host:
        assert host.run("chat") == "\\x1b[2Kpwned\\x07\nfine\n"
        assert host.follow("chat") == 0
    assert capsys.readouterr().out == "\\x1b[2Kpwned\\x07\nfine\n"
