"""The `lucid` command as a user runs it: in a process of its own, judged by its exit status and what it prints."""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import zstandard
from msgspec import structs

from lucid import __version__
from lucid.chain.codec import encode
from lucid.cli.main import COMMANDS, parser
from lucid.machines.journal import Entry
from lucid.storage.journal import read_journal
from lucid.storage.records import LENGTH_BYTES
from sim.scenario import shipped
from tests.interrupting import interrupt

ROOT = Path(__file__).resolve().parents[2]
LUCID = (sys.executable, "-m", "lucid.cli.main")


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Of a user who sits in some other folder and whose Python warns of everything."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **more}


def lucid(*words: object, cwd: Path | None = None) -> Done:
    """Run `lucid` with these words."""
    done = subprocess.run(
        [*LUCID, *map(str, words)], cwd=cwd or ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def assert_refused(done: Done, *says: str) -> None:
    """Bad usage: exit status 2, one line on standard error and nothing else."""
    assert done.status == 2 and done.out == ""
    assert re.fullmatch(r"lucid: [^\n]+\n", done.err), done.err
    for each in says:
        assert each in done.err


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """A short run with journals, of which the tests only read."""
    folder = tmp_path_factory.mktemp("cli") / "my [bold]run"
    options = ("--nodes", 4, "--duration", "40s", "--seed", 3, "--crypto", "real", "--profile", "lan", "--journal")
    return lucid("sim", "run", *options, "--out", folder), folder


# -- help --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), ("sim", "replay", "bench", "--version")),
        (("sim",), ("run", "list")),
        (("sim", "run"), ("--nodes", "--duration", "--seed", "--crypto", "--out", "--json", "Exit status: 0 pass")),
        (("sim", "list"), ("--json",)),
        (("replay",), ("JOURNAL", "Exit status: 0 no difference, 20 a difference, 2 bad usage")),
        (("bench", "sim"), ("--only", "Exit status")),
    ],
)
def test_help_names_what_there_is(words: tuple[str, ...], says: tuple[str, ...]) -> None:
    done = lucid(*words, "--help")
    assert (done.status, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert text.startswith(" ".join(("usage: lucid", *words)))
    for each in says:
        assert each in text


def test_version() -> None:
    done = lucid("--version")
    assert re.fullmatch(
        rf"lucid {re.escape(__version__)} \(CPython 3\.\d+\.\w+(, commit [0-9a-f]+\+?)?\)\n", done.out
    ), done
    assert (done.status, done.err) == (0, "")


# -- lucid sim run -----------------------------------------------------------------------------------------------


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


def test_an_out_that_can_not_be_a_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    assert_refused(lucid("sim", "run", "one-node", "--out", file), "is not a folder")
    assert_refused(lucid("sim", "run", "one-node", "--out", file / "below"), str(file))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sin",), "'sin'"),
        (("sim",), "ACTION"),
        (("sim", "run", "--nodes"), "--nodes: expected one argument"),
        (("sim", "run", "--nodes", "few"), "--nodes: invalid int value: 'few'"),
        (("sim", "run", "--crypto", "rot13"), "--crypto: invalid choice: 'rot13'"),
        (("sim", "run", "--speed", "9"), "unrecognized arguments: --speed"),
        (("replay",), "JOURNAL"),
        (("bench", "sim", "--only", "taste"), "'taste'"),
        (("sim", "run", "--nodes", "0"), "nodes: must be at least 1"),
        (("sim", "run", "--nodes", "1025"), "nodes: must be at most 1024"),
        (("sim", "run", "--seed", "-1"), "seed: must be at least 0"),
        (("sim", "run", "--duration", "soon"), "duration: 'soon' is not a duration"),
        (("sim", "run", "--profile", "moon"), "profile: no 'moon'"),
        (("sim", "run", "split", "--nodes", "3"), "fault[0].groups: there is no node 3 among 3"),
        (("sim", "run", "nowhere"), "no scenario 'nowhere': neither a file nor one of chunks"),
        (("replay", "nowhere"), "there is no journal nowhere"),
    ],
)
def test_bad_usage_is_one_line(words: tuple[str, ...], says: str) -> None:
    assert_refused(lucid(*words), says)


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


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = " ".join([*LUCID, "sim", "list"])
    done = subprocess.run(
        ["sh", "-c", f"{command} | true"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# -- lucid sim list ----------------------------------------------------------------------------------------------


def test_list_names_every_scenario() -> None:
    done = lucid("sim", "list")
    assert (done.status, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == sorted(shipped())
    assert re.search(r"^one-node +1 node +1h  one node alone: ", done.out, re.MULTILINE)
    rows = json.loads(lucid("sim", "list", "--json").out)
    assert [row["name"] for row in rows] == sorted(shipped())
    assert all(row["description"] and row["nodes"] > 0 for row in rows)


# -- lucid replay ------------------------------------------------------------------------------------------------


def test_a_journal_replays_without_difference(finished: tuple[Done, Path]) -> None:
    _, folder = finished
    done = lucid("replay", folder)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 8
    for line in lines:
        assert re.fullmatch(r".*n0\d-(engine|manager)-0\.journal: \d{2,} events of the \1, no difference", line), line
    rows = [json.loads(line) for line in lucid("replay", folder, "--json").out.splitlines()]
    assert [row["machine"] for row in rows] == ["engine", "manager"] * 4
    assert all(row["difference"] is None and row["events"] > 50 for row in rows)


def doctored(journal: Path, path: Path) -> tuple[int, Entry]:
    """Copy a journal with another mark in the last effect of one of its entries; returns the entry's number."""
    head, read = read_journal(journal)
    entries = list(read)
    number = next(place for place, each in enumerate(entries) if place > 50 and len(each.effects) > 1)
    effects = entries[number].effects
    entries[number] = structs.replace(entries[number], effects=(*effects[:-1], (effects[-1][0], bytes(8))))
    plain = b"".join(len(data).to_bytes(LENGTH_BYTES, "big") + data for data in map(encode, [head, *entries]))
    path.write_bytes(zstandard.compress(plain))
    return number, entries[number]


def test_a_doctored_journal_exits_with_20_and_names_the_first_effect_that_differs(
    finished: tuple[Done, Path], tmp_path: Path
) -> None:
    original = finished[1] / "journals" / "n02-engine-0.journal"
    number, entry = doctored(original, tmp_path / "doctored.journal")
    shutil.copy(original, tmp_path / "original.journal")
    done = lucid("replay", tmp_path / "doctored.journal", tmp_path / "original.journal")
    assert (done.status, done.err) == (20, "")
    first, second = done.out.splitlines()
    place = len(entry.effects) - 1
    assert re.match(rf".*: event {number} \(\w+ at {entry.now} ms\), effect {place}: recorded \w+ 0{{16}}, ", first)
    assert second.endswith("no difference"), "the others are looked at all the same"
    [row, _] = [json.loads(line) for line in lucid("replay", tmp_path, "--json").out.splitlines()]
    assert (row["difference"]["entry"], row["difference"]["effect"], row["events"]) == (number, place, number)


def garbage(kind: str, journal: bytes) -> bytes:
    """Something that is not a journal, or no longer."""
    match kind:
        case "text":
            return b"this is not a journal"
        case "empty":
            return b""
        case "cut":
            return journal[: len(journal) // 2]
        case "other zstd":
            return zstandard.compress(b"\x00\x00\x00\x02hi" * 9)
    head = zstandard.ZstdDecompressor().decompressobj().decompress(journal)
    size = LENGTH_BYTES + int.from_bytes(head[:LENGTH_BYTES], "big")
    entry = encode(Entry(1, b"\x92\x63\x01", ()))
    return zstandard.compress(head[:size] + len(entry).to_bytes(LENGTH_BYTES, "big") + entry)


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "other zstd", "unknown event"])
def test_garbage_is_refused_in_one_line(finished: tuple[Done, Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "garbage.journal"
    path.write_bytes(garbage(kind, (finished[1] / "journals" / "n00-manager-0.journal").read_bytes()))
    assert_refused(lucid("replay", path), str(path))


def test_a_folder_without_journals_is_refused(tmp_path: Path) -> None:
    assert_refused(lucid("replay", tmp_path), "holds no journal")


# -- what it loads -----------------------------------------------------------------------------------------------


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    code = "import sys, lucid.cli.main as m; m.parser(); print(*sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert not {"sim", "harness", "simpy", "rich", "zstandard"} & set(done.stdout.split())


@pytest.mark.parametrize("command", [*COMMANDS])
def test_a_command_loads_itself_alone(command: str) -> None:
    [below] = [each.choices for each in parser(command)._actions if isinstance(each, argparse._SubParsersAction)]
    assert {*below} == {other for other, module in COMMANDS.items() if module == COMMANDS[command]}


def test_a_missing_extra_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "simpy.py").write_text("raise ModuleNotFoundError('no simpy', name='simpy')", "utf-8")
    done = subprocess.run(
        [*LUCID, "sim", "run"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(Done(done.returncode, done.stdout, done.stderr), "needs simpy", "pip install '.[sim]'")
