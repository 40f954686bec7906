"""`lucid deploy` as people type it: what is meant, what never reaches a host, and what is refused.

Whole releases, on a host that is a folder, are in `tests/deploy`; the whole of it, against an sshd and an engine, is
`python -m tests.deploy.trial`, in `nox -s images`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.cli.deploy import expand
from lucid.cli.main import main
from tests.deploy.fakehost import program


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
