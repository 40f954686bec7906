"""A host over ssh: away, refusing, talking without end; what is taken from it, and what is shown of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lucid.deploy.host import KEPT_FREE_BYTES, DeployError, Host, Unreachable
from tests.deploy.fakehost import program


def test_the_last_words_of_a_command_are_shown_and_not_a_bare_status(tmp_path: Path) -> None:
    """docker-compose 1 ends with the status of what it ran, alone on a line."""
    with Host("pi1.local", program(tmp_path / "ssh", 'for command; do :; done; exec sh -c "$command"')) as host:
        for said, shown in (
            ("the store is away\\n2", "the store is away"),
            ("refused\\r", "refused"),
            ("2", "status 2"),
        ):
            with pytest.raises(DeployError, match=f"{shown}$"):
                host.run(f"printf '{said}\\n' >&2; exit 2")


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
