"""`lucid smoke` as people type it: reports, exit statuses, and one sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.cli.main import main
from tests.smoke.trees import write_tree

ROOT = Path(__file__).parents[2]


def test_this_repository_passes_its_own_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", "static", "--root", str(ROOT)]) == 0
    assert "PASS Lucid" in capsys.readouterr().out


def test_literal_prints_the_greps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = write_tree(tmp_path, {"README.txt": "electronic\n"})
    assert main(["smoke", "static", "--root", str(tree), "--literal"]) == 0
    assert 'grep -r "tron" . --exclude-dir=node_modules: 1 lines in 1 files' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["static", "--root", "nowhere"], "nowhere is not a directory"),
        (["static", "--manifest", "no.toml"], "no.toml: No such file"),
        (["static", "--report", "pdf=x"], "'pdf' must be one of"),
        (["static", "--report", "json", "--report", "tap"], "both go to standard output"),
        (["init", "--root", "."], "no Dockerfile"),
        (["image", "--root", "."], "names images"),
        (["live", "--root", "."], "--host runs processes"),
        (["live", "--host", "--mongod", "no-such-mongod"], "no program no-such-mongod"),
        (["image", "--root", str(ROOT), "--build-arg", "x"], "must be NAME=VALUE"),
        (["live", "--root", str(ROOT)], "on another machine"),
        (["all", "--root", "nowhere"], "nowhere is not a directory"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "ssh://nobody@127.0.0.1:1")
    assert main(["smoke", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["[[service]]\nname = 1\n", "x = [", '[[service]]\nname = "a"\ndockerfile = "../x"\n', "\xff"]
)
def test_a_wrong_manifest_is_named(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "smoke.toml").write_bytes(text.encode("latin-1"))
    assert main(["smoke", "static", "--root", str(tmp_path)]) == 2
    assert "smoke.toml" in capsys.readouterr().err
