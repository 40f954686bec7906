"""`lucid sim run`: a summary, a folder, a document, and what is refused."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import LUCID, ROOT, Done, assert_refused, environment, lucid
from tests.interrupting import interrupt


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """A short run with journals, of which the tests only read."""
    folder = tmp_path_factory.mktemp("cli") / "my [bold]run"
    options = ("--nodes", 4, "--duration", "40s", "--seed", 3, "--crypto", "real", "--profile", "lan", "--journal")
    return lucid("sim", "run", *options, "--out", folder), folder


def test_a_run_prints_a_summary_and_leaves_its_folder(finished: tuple[Done, Path]) -> None:
    done, folder = finished
    assert (done.status, done.err) == (0, ""), "no progress bar where nobody looks"
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert (document["nodes"], document["seed"], document["crypto"], document["profile"]) == (4, 3, "real", "lan")
    assert "default: 4 nodes, seed 3" in done.out
    rows = {row.split("│")[1].strip() for row in done.out.splitlines() if row.startswith("│")}
    assert rows >= {
        "verdict", "blocks", "finality", "block interval", "propagation", "missed views", "leaders", "traffic", "speed",
        "sessions", "session latency", "longest halt", "tick to finality",
    }  # fmt: skip
    for whole in (document["trace_hash"], document["state_root"]):
        line = next(line for line in done.out.splitlines() if whole in line)
        assert len(line) <= 80, "it can be copied whole from a narrow terminal"
    assert f"{folder / 'report.html'}\n" in done.out


def test_without_out_each_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        assert lucid("sim", "run", "one-node", "--duration", "1s", "--no-trace", cwd=tmp_path).status == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["one-node-1", "one-node-1.2"]
    assert sorted(path.name for path in (tmp_path / "runs" / "one-node-1").iterdir()) == [
        "metrics.json",
        "report.html",
        "scenario.toml",
    ]


def test_json_is_one_document_on_standard_output(tmp_path: Path) -> None:
    done = lucid("sim", "run", "one-node", "--duration", "15s", "--out", tmp_path / "run", "--json")
    assert (done.status, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["verdict"] == "pass" and document["folder"] == str(tmp_path / "run")
    kept = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    assert {key: value for key, value in kept.items() if key != "series"} == {
        key: value for key, value in document.items() if key != "folder"
    }


def test_a_run_without_progress_exits_with_10_and_still_prints_json(tmp_path: Path) -> None:
    file = tmp_path / "half.toml"
    file.write_text('nodes = 2\nduration = "40s"\n[[fault]]\nkind = "crash"\nnode = 1\nat = 0\n', "utf-8")
    done = lucid("sim", "run", file, "--out", tmp_path / "run", "--json")
    assert done.status == 10
    assert json.loads(done.out)["verdict"] == "no_progress"
    assert done.err == "lucid: no new final block for the last 40.0 s: 1 of 2 honest validators down, quorum is 2\n"


def test_the_progress_bar_is_for_terminals(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = ("sim", "run", "one-node", "--duration", "5m", "--no-trace", "--out", str(tmp_path / "run"), "--json")
    with subprocess.Popen(
        [*LUCID, *words], cwd=ROOT, env=environment(TERM="xterm"), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while more := os.read(ours, 4_096):
                shown += more
        except OSError:  # how Linux says that the other end is closed
            pass
        assert process.stdout is not None
        document = json.loads(process.stdout.read())
    os.close(ours)
    assert process.returncode == 0 and document["verdict"] == "pass"
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).decode()
    assert re.search(r"0:\d\d:\d\d .*height \d+ +[\d,-]+ messages/s", text), text


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_not_empty_is_only_written_into_by_force(tmp_path: Path, force: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me", "utf-8")
    words = ("sim", "run", "one-node", "--duration", "1s", "--out", folder)
    if force:
        assert lucid(*words, "--force").status == 0
        assert (folder / "metrics.json").exists()
    else:
        assert_refused(lucid(*words), str(folder), "is not empty", "--force")
        assert list(folder.iterdir()) == [folder / "mine.txt"]
    assert (folder / "mine.txt").read_text("utf-8") == "keep me"


def test_an_out_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    assert_refused(lucid("sim", "run", "one-node", "--out", file), "is not a folder")
    assert_refused(lucid("sim", "run", "one-node", "--out", file / "below"), str(file))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nodes = 4\nnods = 3\n", ":2: nods: no such key"),
        ('[[fault]]\nkind = "crash"\nnode = 12\n', ":3: fault[0].node: there is no node 12 among 10"),
        ("nodes = [\n", "(at end of document)"),
        ("name = '\udcff'\n", "utf-8"),
    ],
)
def test_a_wrong_scenario_file_is_one_line_that_names_key_and_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert_refused(lucid("sim", "run", file), f"{file}", says)
    assert not (ROOT / "runs" / "wrong-1").exists()


def test_ctrl_c_is_one_line_and_130(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["sim", "run", "--duration", "24h", "--out", str(folder)]
    begun = folder / "trace.jsonl.zst"
    status, out, err = interrupt(words, signal.SIGINT, lambda pid: begun.exists(), ROOT, environment())
    assert status == 130 and "interrupted" in out
    assert err.startswith("lucid: interrupted at ") and err.count("\n") == 1
