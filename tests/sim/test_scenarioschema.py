"""The JSON Schema of scenarios: the shipped ones are valid under it, and what is wrong is not."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from lucid.cli.main import main
from sim.scenario import Scenario
from sim.scenariofile import dump, shipped
from sim.scenarioschema import schema


@pytest.fixture(scope="module")
def validator() -> Any:
    """What judges by the schema as the command prints it."""
    found = json.loads(json.dumps(schema()))
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_scenario_is_valid(name: str, validator: Any) -> None:
    validator.validate(tomllib.loads(shipped()[name]))


def test_a_complete_scenario_is_valid(validator: Any) -> None:
    validator.validate(tomllib.loads(dump(Scenario())))


@pytest.mark.parametrize(
    "text",
    [
        "nods = 4",
        "nodes = 0",
        'profile = "moon"',
        'regions = ["atlantis"]',
        'name = "two words"',
        "[parameters]\nblock_intervall_ms = 1",
        "[limits]\nsnapshot_blocks = 9",
        "[links]\npigeon = [0]",
        '[[fault]]\nkind = "crush"\nnode = 1',
        '[[fault]]\nkind = "crash"',
        '[[fault]]\nkind = "crash"\nnode = 1\npercent = 5.0',
    ],
)
def test_what_is_wrong_is_not(text: str, validator: Any) -> None:
    assert not validator.is_valid(tomllib.loads(text))


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(schema()))
