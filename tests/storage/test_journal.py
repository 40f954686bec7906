"""Journal files: written, read back, and when damaged or cut short refused in one sentence, wherever the damage is."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from lucid.chain.codec import encode
from lucid.ledger.memory import MemoryStore
from lucid.machines.effects import Started, TimerFired
from lucid.machines.journal import JOURNAL_VERSION, Entry, JournalHeader, entry, header
from lucid.machines.limits import Limits
from lucid.storage.journal import JournalError, JournalWriter, read_journal
from lucid.storage.records import LENGTH_BYTES
from tests.builders import make_genesis

ENTRIES = 40
in_place = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def head(machine: str = "engine", crypto: str = "modeled") -> JournalHeader:
    store = MemoryStore()
    store.write([("vote", b"latest", b"nothing")])
    return header(
        machine=machine,
        crypto=crypto,
        genesis=make_genesis(),
        key=b"k" * 32,
        secret=b"s" * 32,
        peers=(b"p" * 32,),
        limits=Limits(snapshot_blocks=100),
        store=store,
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small journal file."""
    path = tmp_path_factory.mktemp("journal") / "n00-engine-0.journal"
    writer = JournalWriter(path, head())
    for number in range(ENTRIES):
        writer.write(number, TimerFired(f"timer {number}") if number else Started(), [])
    writer.close()
    return path.read_bytes()


def whole(path: Path) -> tuple[JournalHeader, list[Entry]]:
    """Read all of a journal."""
    first, entries = read_journal(path)
    return first, list(entries)


def refused(path: Path) -> str:
    """The sentence that refuses a journal."""
    with pytest.raises(JournalError) as caught:
        whole(path)
    sentence = str(caught.value)
    assert str(path) in sentence and "\n" not in sentence
    return sentence


def packed(*records: bytes) -> bytes:
    """A compressed stream of records, each behind its length."""
    plain = b"".join(len(record).to_bytes(LENGTH_BYTES, "big") + record for record in records)
    return zstandard.compress(plain)


def test_what_is_written_is_read(tmp_path: Path, journal: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(journal)
    first, entries = whole(path)
    assert first == head()
    assert first.tables == (("vote", ((b"latest", b"nothing"),)),)
    assert entries[0] == entry(0, Started(), [])
    assert [each.now for each in entries] == list(range(ENTRIES))


def test_a_journal_cut_anywhere_is_refused(tmp_path: Path, journal: bytes) -> None:
    path = tmp_path / "j"
    for size in range(len(journal)):
        path.write_bytes(journal[:size])
        refused(path)


@in_place
@given(place=st.integers(0, 10**6), flip=st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read_as_something_else(
    tmp_path: Path, journal: bytes, place: int, flip: int
) -> None:
    path = tmp_path / "j"
    damaged = bytearray(journal)
    damaged[place % len(journal)] ^= flip
    path.write_bytes(damaged)
    try:
        whole(path)
    except JournalError as error:
        assert "\n" not in str(error)


@in_place
@given(data=st.one_of(st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=3).map(lambda r: packed(*r))))
def test_any_other_bytes_are_no_journal(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(data)
    refused(path)


def test_an_entry_that_does_not_decode_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(packed(encode(head()), encode(entry(1, Started(), [])), b"\x01"))
    assert "entry 1: LUCID_ERR_1001" in refused(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"version": JOURNAL_VERSION + 1}, f"a journal of version {JOURNAL_VERSION + 1}"),
        ({"machine": "toaster"}, "unknown machine: 'toaster'"),
        ({"crypto": "rot13"}, "'rot13'"),
    ],
)
def test_a_journal_of_another_program_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    path = tmp_path / "j"
    path.write_bytes(packed(encode(structs.replace(head(), **changes))))
    assert says in refused(path)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nothing")
    refused(tmp_path)
