"""`lucid replay`: no difference, the first effect that differs, and what is not a journal."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import zstandard
from msgspec import structs

from harness.run import run
from lucid.chain.codec import encode
from lucid.machines.journal import Entry
from lucid.storage.journal import read_journal
from lucid.storage.records import LENGTH_BYTES
from sim.scenario import Scenario
from tests.cli.command import assert_refused, lucid


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journals of a short run, of which the tests only read."""
    folder = tmp_path_factory.mktemp("replay")
    run(Scenario(nodes=4, duration="40s", seed=3, crypto="real", profile="lan"), folder, journals=True)
    return folder / "journals"


def test_a_journal_replays_without_difference(journals: Path) -> None:
    done = lucid("replay", journals)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 8
    for line in lines:
        assert re.fullmatch(r".*n0\d-(engine|manager)-0\.journal: \d{2,} events of the \1, no difference", line), line
    rows = [json.loads(line) for line in lucid("replay", journals, "--json").out.splitlines()]
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
    journals: Path, tmp_path: Path
) -> None:
    original = journals / "n02-engine-0.journal"
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
def test_garbage_is_refused_in_one_line(journals: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "garbage.journal"
    path.write_bytes(garbage(kind, (journals / "n00-manager-0.journal").read_bytes()))
    assert_refused(lucid("replay", path), str(path))


def test_a_folder_without_journals_is_refused(tmp_path: Path) -> None:
    assert_refused(lucid("replay", tmp_path), "holds no journal")
