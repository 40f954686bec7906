"""`lucid sim list`, `show` and `schema` as people and editors use them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sim.scenariofile import load, parse, shipped
from sim.scenarioschema import schema
from tests.cli.command import assert_refused, lucid


def test_list_names_every_scenario() -> None:
    done = lucid("sim", "list")
    assert (done.status, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == sorted(shipped())
    assert re.search(r"^one-node +1 node +1h  one node alone: ", done.out, re.MULTILINE)
    rows = json.loads(lucid("sim", "list", "--json").out)
    assert [row["name"] for row in rows] == sorted(shipped())
    assert all(row["description"] and row["nodes"] > 0 for row in rows)


@pytest.mark.parametrize("name", ["split", "chunks"])
def test_what_is_shown_is_the_whole_scenario(name: str, tmp_path: Path) -> None:
    done = lucid("sim", "show", name)
    assert (done.status, done.err) == (0, "")
    assert parse(done.out, name) == load(name)
    (tmp_path / "mine.toml").write_text(done.out)
    assert lucid("sim", "show", tmp_path / "mine.toml").status == 0
    assert lucid("sim", "show").out == lucid("sim", "show", "default").out


def test_the_schema_is_that_of_the_keys() -> None:
    done = lucid("sim", "schema")
    assert (done.status, done.err) == (0, "") and json.loads(done.out) == json.loads(json.dumps(schema()))


def test_a_scenario_that_is_none_is_one_sentence() -> None:
    assert_refused(lucid("sim", "show", "no-such-thing"), "no-such-thing")
