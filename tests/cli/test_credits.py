"""`lucid credits`: the members by their scores, and where one's comes from, of whatever a node may answer."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from lucid.api.answers import Credits, MemberCredits, StorageCredits
from lucid.cli import credits as command
from tests.cli.command import Done, assert_refused, lucid
from tests.client.lying import Answer, LyingNode

GOOD = MemberCredits("aa" * 32, "good", 300, 500_000, 75, "north", 5, 10, 500_000)
TWICE = MemberCredits("ab" * 32, "twice\x1b[2J", 40, 1_000_000, 0, evidence_until=9, retired=True)
FOUND = Credits((TWICE, GOOD), epoch=3, slot=2_170, vote_credits=2, window_slots=5_040)


def credits(node: LyingNode, folder: Path, *words: str, found: Credits = FOUND) -> Done:
    """What the command says of a node that answers this."""
    node.answers["GET /consensus/credits"] = Answer(body=msgspec.json.encode(found))
    (folder / "node.toml").write_text(f'engine_url = "{node.url}"\n')
    return lucid("credits", *words, "--config", "node.toml", cwd=folder)


def test_the_best_stand_first_with_what_is_held_against_them(node: LyingNode, tmp_path: Path) -> None:
    done = credits(node, tmp_path)
    assert (done.status, done.err) == (0, "")
    head, first, second = done.out.splitlines()
    assert head == "epoch 3, slot 2170: work of the last 5040 slots"
    assert first.split() == [*f"good {GOOD.node[:16]} score 75 300 credits uptime 50.00 % penalty 50.00 %".split()]
    assert second.endswith("penalty 100.00 %  retired, under evidence") and "\x1b" not in second


def test_a_score_is_explained_factor_by_factor(node: LyingNode, tmp_path: Path) -> None:
    said = credits(node, tmp_path, "good").out.splitlines()
    assert said == [
        f"good ({GOOD.node}), of the pool north, in slot 2170 of epoch 3",
        "  300 credits for 150 votes on the chain, at 2 each, in 5040 slots",
        "  x uptime 50.00 %: heartbeats in 5 of 10 slots that hold a block",
        "  x penalty 50.00 %: what missed views of this epoch leave",
        "  = live score 75, rounded down after each step",
    ]
    free = credits(node, tmp_path, "good", found=msgspec.structs.replace(FOUND, vote_credits=0)).out
    assert "  300 credits on the chain, at 0 each" in free, "a chain where votes earn nothing"


def test_evidence_and_retirement_are_told_by_the_end_of_the_evidence(node: LyingNode, tmp_path: Path) -> None:
    said = credits(node, tmp_path, "abab").out
    assert "evidence that it voted twice counts against it until epoch 9: it does not lead" in said
    assert "it is retired: it neither votes nor leads" in said and "\x1b" not in said
    over = msgspec.structs.replace(FOUND, epoch=9)
    assert "evidence" not in credits(node, tmp_path, "abab", found=over).out
    assert "under evidence" not in credits(node, tmp_path, found=over).out


def test_storage_proofs_are_a_part_of_the_credits(node: LyingNode, tmp_path: Path) -> None:
    proving = msgspec.structs.replace(TWICE, name="proving", storage=StorageCredits(3, 1_200, 5_368_709_120, 2_450, 77))
    said = credits(node, tmp_path, "proving", found=Credits((proving,), 3, 1, 2, 5_040)).out
    assert "77 for copies that it brought to others" in said
    assert "2450 for storage proofs of this epoch so far: 1200 chunks, 5,368,709,120 bytes" in said
    assert "of 3 sessions" in said and "voted twice or proved falsely" in said and "for 20 votes" not in said


def test_a_node_is_named_by_its_name_or_the_beginning_of_its_key(node: LyingNode, tmp_path: Path) -> None:
    for named in ("good", "AA", GOOD.node):
        assert GOOD.node in credits(node, tmp_path, named).out
    called = msgspec.structs.replace(GOOD, name="ab")
    both = Credits((TWICE, called))
    assert called.node in credits(node, tmp_path, "ab", found=both).out, "a name goes before a key"
    assert_refused(credits(node, tmp_path, "a"), "'a' may be any of abab", "write more of the key")
    assert_refused(credits(node, tmp_path, "nobody"), "no node of the chain has the name 'nobody'")


def test_programs_get_all_or_the_one_that_is_named(node: LyingNode, tmp_path: Path) -> None:
    assert msgspec.json.decode(credits(node, tmp_path, "--json").out, type=Credits) == FOUND
    assert [each["name"] for each in json.loads(credits(node, tmp_path, "good", "--json").out)["members"]] == ["good"]


@pytest.mark.parametrize(
    ("ppm", "said"), [(0, "0.00 %"), (1, "0.00 %"), (99, "0.00 %"), (100, "0.01 %"), (999_999, "99.99 %")]
)
def test_shares_are_rounded_down(ppm: int, said: str) -> None:
    """A hundred percent is only what lacks nothing."""
    assert command._percent(ppm) == said and command._percent(1_000_000) == "100.00 %"
