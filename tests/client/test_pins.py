"""Whose each session was when it was first fetched: kept by chain and session, for this user alone."""

from __future__ import annotations

import stat
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.client import pins
from lucid.client.errors import BundleError
from lucid.client.pins import default_pins, pin_owner, pinned_owner

CHAIN, OTHER, OWNER = bytes(range(32)), bytes(32), b"\xab" * 32
SESSION = UUID("713582cd-70cf-44d3-a17f-bbc50069b142")
keys = st.binary(min_size=32, max_size=32)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([CHAIN, OTHER]), st.uuids(), keys), max_size=6), st.uuids())
def test_the_first_owner_of_each_session_of_each_chain_stays(
    tmp_path_factory: pytest.TempPathFactory, pinned: list[tuple[bytes, UUID, bytes]], unknown: UUID
) -> None:
    path = tmp_path_factory.getbasetemp() / "pins" / "owners"
    path.unlink(missing_ok=True)
    first: dict[tuple[bytes, UUID], bytes] = {}
    for chain, session, owner in pinned:
        pin_owner(path, chain, session, owner)
        first.setdefault((chain, session), owner)
    for chain in (CHAIN, OTHER):
        for session in [unknown, *(each for _, each, _ in pinned)]:
            assert pinned_owner(path, chain, session) == first.get((chain, session))


def test_nobody_else_reads_whose_sessions_were_fetched(tmp_path: Path) -> None:
    path = tmp_path / "lucid" / "deep" / "owners"
    assert pinned_owner(path, CHAIN, SESSION) is None and not path.parent.exists(), "to look makes nothing"
    pin_owner(path, CHAIN, SESSION, OWNER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == f"{CHAIN.hex()} {SESSION} {OWNER.hex()}\n"


@pytest.mark.parametrize("text", ["x\n", "a b\n", "a b c d\n", "\n", f"{CHAIN.hex()} {SESSION} xy\n"])
def test_a_line_that_is_none_is_one_sentence_and_no_pin(tmp_path: Path, text: str) -> None:
    (tmp_path / "owners").write_text(text)
    with pytest.raises(BundleError, match="owners holds a line that is not CHAIN SESSION OWNER"):
        pinned_owner(tmp_path / "owners", CHAIN, SESSION)
    (tmp_path / "owners").write_bytes(b"\xff\xfe")
    with pytest.raises(BundleError, match="holds a line"):
        pinned_owner(tmp_path / "owners", CHAIN, SESSION)


def test_a_file_without_end_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "MAX_PINS_BYTES", 1_000)
    with pytest.raises(BundleError):
        pinned_owner(Path("/dev/zero"), CHAIN, SESSION)


def test_the_pins_of_a_user_are_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_pins() == tmp_path / "lucid" / "owners"
    for unset in ("", None):
        monkeypatch.setenv("HOME", str(tmp_path))
        if unset is None:
            monkeypatch.delenv("XDG_DATA_HOME")
        else:
            monkeypatch.setenv("XDG_DATA_HOME", unset)
        assert default_pins() == tmp_path / ".local" / "share" / "lucid" / "owners"
