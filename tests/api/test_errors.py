"""Statuses of errors: each code has one, in one table, and whoever answers with another one says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lucid.api.errors import BUSY, CONFLICT, MEANINGS, STATUS, read_code, status_of
from lucid.chain.errors import Code

SERVICES = Path(__file__).parents[2] / "lucid/services"


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Each place where a service makes a `Problem` of a code that is named there."""
    for path in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                yield f"{path.relative_to(SERVICES)}:{node.lineno}", node


def test_each_status_has_a_meaning() -> None:
    assert {*STATUS.values(), BUSY, CONFLICT} <= {*MEANINGS}
    assert status_of(Code.TX_EXPIRED) == CONFLICT, "what the chain refuses"


def test_no_place_writes_a_status_that_the_table_has() -> None:
    found = 0
    for where, call in refusals():
        code = call.args[0]
        assert not isinstance(code, ast.Constant), f"{where}: the code comes first, and its status from the table"
        named = Code[code.attr] if isinstance(code, ast.Attribute) and code.attr in Code.__members__ else None
        for given in call.keywords:
            if given.arg == "status" and named is not None and isinstance(given.value, ast.Constant):
                assert given.value.value != status_of(named), f"{where}: leave the status out"
                assert given.value.value in MEANINGS, f"{where}: say in MEANINGS what that status means"
        found += 1
    assert found > 50


def test_an_answer_names_its_code() -> None:
    assert read_code("LUCID_ERR_3002") is Code.NOT_FOUND


@pytest.mark.parametrize("name", ["LUCID_ERR_1", "LUCID_ERR_", "", None, 3002, ["LUCID_ERR_3002"]])
def test_what_is_no_code_is_a_value_error(name: object) -> None:
    with pytest.raises(ValueError):
        read_code(name)
