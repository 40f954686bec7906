"""Lists that a node answers in pages: they end, are bounded, and hold nothing that a terminal or a date chokes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lucid.chain.document import print_genesis
from lucid.chain.genesis import Genesis, GenesisNode
from lucid.cli.main import main
from tests.client.lying import Answer, LyingNode, lying_node

SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
ROW = {"session": SESSION, "owner": "ab" * 32, "chunks": 1, "total_bytes": 1_024, "since_ms": 1}
CHUNK = {"id": "ab" * 32, "size": 1_024, "status": "stored", "references": 1}
LISTS = {"sessions": ("/sessions", ROW, ["sessions", "list"]), "chunks": ("/chunks", CHUNK, ["data", "ls"])}


@pytest.fixture(scope="module")
def liar() -> Iterator[LyingNode]:
    """One that lies, for all tests."""
    with lying_node() as running:
        yield running


@pytest.fixture
def node(liar: LyingNode) -> LyingNode:
    """The same, which was asked nothing yet."""
    liar.answers.clear()
    liar.asked.clear()
    return liar


@pytest.fixture(params=LISTS)
def kind(request: pytest.FixtureRequest) -> str:
    """What is listed."""
    return str(request.param)


def listed(node: LyingNode, folder: Path, kind: str, *more: str) -> int:
    """The exit status of the command that lists."""
    config = folder / "node.toml"
    genesis = folder / "genesis.toml"
    genesis.write_text(print_genesis(Genesis(0, (GenesisNode(bytes(32), "pi"),))))
    config.write_text(f'anchoring_url = "{node.url}"\ndata_url = "{node.url}"\ngenesis = "{genesis}"\n')
    return main([*LISTS[kind][2], "--config", str(config), *more])


def page(kind: str, rows: list[Any], after: str | None) -> Answer:
    """A page of rows."""
    return Answer(body=json.dumps({kind: rows, "after": after}).encode())


def test_an_honest_list_has_its_pages(
    node: LyingNode, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, row, _ = LISTS[kind]
    node.answers[path] = [page(kind, [row, row], "01" * 48), page(kind, [row], None)]
    assert listed(node, tmp_path, kind, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)[kind]) == 3


@pytest.mark.parametrize("afters", [["00"], ["01", "01"], ["02", "01"], ["01"]], ids=["zero", "same", "back", "empty"])
def test_pages_that_do_not_go_on_end_the_list(
    node: LyingNode, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], afters: list[str]
) -> None:
    path, row, _ = LISTS[kind]
    rows = [row] if len(afters) > 1 else []
    node.answers[path] = [page(kind, rows, after * 48) for after in afters]
    assert listed(node, tmp_path, kind) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "do not go on" in said


def test_a_list_without_end_is_cut(
    node: LyingNode, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lucid.client.paging.MAX_ROWS", 10)
    path, row, _ = LISTS[kind]
    node.answers[path] = [page(kind, [row] * 4, f"{number:096x}") for number in range(1, 20)]
    assert listed(node, tmp_path, kind) == 2
    assert "more than 10" in capsys.readouterr().err and len(node.asked) < 40


@pytest.mark.parametrize("field", ["session", "id"])  # each field of each row: tests/api/test_answers.py
@pytest.mark.parametrize("value", ["\x1b[2K\nall is well", "zz" * 32, "", -1, 2**63, 2**70, None, [], "é" * 64])
def test_a_row_that_is_none_is_one_sentence(
    node: LyingNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, value: Any
) -> None:
    kind = "sessions" if field in ROW else "chunks"
    path, row, _ = LISTS[kind]
    node.answers[path] = page(kind, [{**row, field: value}], None)
    status = listed(node, tmp_path, kind)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "Traceback" not in said.err
    assert status == 2 and said.err.count("\n") == 1, said


def test_a_state_that_is_none_is_not_printed(
    node: LyingNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node.answers["/sessions"] = page("sessions", [ROW], None)
    state = {"session": SESSION, "status": "\x1b[2Kfinal", "transaction": None}
    node.answers[f"/sessions/{SESSION}"] = Answer(body=json.dumps(state).encode())
    assert listed(node, tmp_path, "sessions") == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err and "unknown" in said.out
