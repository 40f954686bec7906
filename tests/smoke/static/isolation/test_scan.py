"""The scan of a tree: each trace once, with its line and where it stands, and what was not looked at is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.isolation.base58check import encode
from smoke.static.isolation.scan import MAX_TRACES, scan
from smoke.static.isolation.traces import Scan, TracePlace, What
from smoke.tree import MAX_READ, Tree
from tests.smoke.cases import Changes, Link, write_files

ADDRESS = encode(b"\x41" + bytes(range(20)))


def scanned(folder: Path, files: Changes, words: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Scan:
    return scan(Tree(write_files(folder, files)), words, exclude)


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("a.py", "def send_trx(): pass\n", TracePlace.IDENTIFIER),
        ("a.py", "import tronpy\n", TracePlace.IMPORT),
        ("a.py", "x = 'usdt'\n", TracePlace.STRING),
        ("a.py", "x = 1  # usdt\n", TracePlace.COMMENT),
        ("a.py", '"""About usdt."""\n', TracePlace.COMMENT),
        ("a.js", "// usdt\n", TracePlace.COMMENT),
        ("a.js", "sendTrx()\n", TracePlace.IDENTIFIER),
        ("requirements.txt", "tronpy==1\n", TracePlace.DEPENDENCY),
        ("requirements.txt", "# tronpy\n", TracePlace.COMMENT),
        ("conf.toml", "network = 'tron'\n", TracePlace.CONFIGURATION),
        ("README.md", "No usdt here.\n", TracePlace.PROSE),
    ],
)
def test_where_a_word_stands(tmp_path: Path, path: str, text: str, place: TracePlace) -> None:
    [trace] = scanned(tmp_path, {path: text}).traces
    assert (trace.what, trace.place, trace.path, trace.line) == (What.WORD, place, path, 1)
    assert trace.prose is (place is TracePlace.PROSE)


def test_lines_are_counted_from_one_and_shown(tmp_path: Path) -> None:
    traces = scanned(tmp_path, {"a.py": "x = 1\n\nusdt = 2\ny = 'trx'"}).traces
    assert [(each.line, each.text, each.excerpt) for each in traces] == [
        (3, "usdt", "usdt = 2"),
        (4, "trx", "y = 'trx'"),
    ]


def test_a_word_within_a_host_or_an_address_is_not_counted_again(tmp_path: Path) -> None:
    text = f"url = 'https://api.trongrid.io/v1'\nto = '{ADDRESS}'\nname = 'tron'\n"
    found = scanned(tmp_path, {"a.py": text}).traces
    assert [(each.what, each.text) for each in found] == [
        (What.HOST, "api.trongrid.io"),
        (What.ADDRESS, ADDRESS),
        (What.WORD, "tron"),
    ]
    assert found[1].note == "a valid TRON address"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_by_its_mark(tmp_path: Path, encoding: str) -> None:
    """Windows writes UTF-16: half of its bytes are zero, and it is a text all the same."""
    result = scanned(tmp_path, {"a.py": "x = 1\ny = 'usdt'\n".encode(encoding)})
    assert [(each.line, each.text) for each in result.traces] == [(2, "usdt")]
    assert (result.read, result.binary) == (1, 0)


def test_in_what_is_no_text_only_addresses_are_looked_for(tmp_path: Path) -> None:
    data = b"\0\1usdt " + ADDRESS.encode() + b"\0"
    result = scanned(tmp_path, {"a.bin": data, "copy.bin": data})
    assert [(each.path, each.what, each.line) for each in result.traces] == [
        ("a.bin", What.ADDRESS, 0),
        ("copy.bin", What.ADDRESS, 0),
    ]
    assert (result.read, result.binary) == (0, 2)


@pytest.mark.parametrize("path", ["run.sh", "a.py", "conf.toml"])
def test_a_zero_byte_hides_nothing_in_what_is_run(tmp_path: Path, path: str) -> None:
    """A shell leaves it out and goes on, so that one byte must not make a script unreadable."""
    result = scanned(tmp_path, {path: b"x = 'us\0dt'\n"})
    assert [each.text for each in result.traces] == ["usdt"] and result.read == 1


def test_names_of_files_and_directories_count_once_each(tmp_path: Path) -> None:
    files: Changes = {"tron_client/a.py": "", "tron_client/usdt.md": "", "results.trx": "x", "b/neutron.py": ""}
    found = [each for each in scanned(tmp_path, files).traces if each.place is TracePlace.NAME]
    assert [(each.path, each.prose) for each in found] == [("tron_client", False), ("tron_client/usdt.md", True)]


def test_links_are_read_by_their_target_s_own_name(tmp_path: Path) -> None:
    result = scanned(tmp_path, {"a.py": "usdt = 1\n", "b.py": Link("a.py")})
    assert [each.path for each in result.traces] == ["a.py"] and result.read == 1


def test_what_is_excluded_is_counted_and_neither_read_nor_named(tmp_path: Path) -> None:
    files: Changes = {"vendor/tron.py": "usdt = 1\n", "vendor/b.py": "", "a.py": "usdt = 1\n"}
    result = scanned(tmp_path, files, exclude=("vendor/**",))
    assert [each.path for each in result.traces] == ["a.py"] and (result.excluded, result.read) == (2, 1)


def test_a_manifest_s_own_words_are_traces_too(tmp_path: Path) -> None:
    files: Changes = {"a.py": "acme = 1\n", "acme.py": ""}
    assert scanned(tmp_path, files).traces == []
    found = scanned(tmp_path, files, words=("Acme",)).traces
    assert {(each.path, each.place) for each in found} == {
        ("a.py", TracePlace.IDENTIFIER),
        ("acme.py", TracePlace.NAME),
    }


def test_what_is_beyond_the_bounds_is_told(tmp_path: Path) -> None:
    long = b"usdt = 1\n" + b"#" * MAX_READ
    result = scanned(tmp_path, {"many.txt": "usdt\n" * (MAX_TRACES + 3), "long.py": long})
    assert result.overfull == {"many.txt": 3} and result.cut == ["long.py"]
    assert len(result.traces) == MAX_TRACES + 1


def test_the_order_is_that_of_paths_and_lines(tmp_path: Path) -> None:
    files: Changes = {f"{name}.py": "usdt = 1\ntrx = 2\n" for name in "cab"}
    found = [(each.path, each.line) for each in scanned(tmp_path, files).traces]
    assert found == sorted(found) and len(found) == 6
