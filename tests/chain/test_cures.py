"""What to do about each refusal: a sentence for each code, and nothing to type, set or read that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lucid.chain import cures
from lucid.chain.cures import CURES
from lucid.chain.errors import Code
from lucid.cli.main import parser
from lucid.services.process.config import Config

SHOWN = sorted({(code, shown) for code, cure in CURES.items() for shown in re.findall("`([^`]+)`", cure)})
PROTOCOL = (Path(cures.__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
SETTINGS = {*Config.__struct_fields__, "details.faults", "/docs", "/health", "application/json"}
"""Names that a cure may give alone: settings, and what stands in a request, an answer or a path of a service."""


@pytest.mark.parametrize("code", list(Code))
def test_a_code_has_a_cure_in_one_sentence(code: Code) -> None:
    assert re.fullmatch(r"[a-zA-Z`].{9,}[^.]", CURES[code]), "without a full stop"
    assert CURES[code].count("`") % 2 == 0


def test_a_cure_has_a_code() -> None:
    assert set(CURES) == set(Code)


@pytest.mark.parametrize(("code", "shown"), [each for each in SHOWN if each[1].startswith("lucid ")])
def test_a_command_that_a_cure_names_is_one(code: Code, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = [word for word in shown.split()[1:] if word.islower()]
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*command, "--help"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith(f"usage: lucid {' '.join(command)}")


def test_a_setting_that_a_cure_names_is_one() -> None:
    names = {shown for _, shown in SHOWN if re.fullmatch(r"[a-z_./]+", shown) and not shown.startswith("lucid.")}
    assert names <= SETTINGS and names & set(Config.__struct_fields__), names - SETTINGS


def test_a_section_that_a_cure_names_is_one() -> None:
    numbers = {number for cure in CURES.values() for said in re.findall(r"sections? ([\d, and]+)", cure)
               for number in re.findall(r"\d+", said)}  # fmt: skip
    assert numbers and all(re.search(rf"^## {number}\. ", PROTOCOL, re.MULTILINE) for number in numbers), numbers
