"""TAP 14: one point a finding, details in YAML that can be read, in agreement with the exit status."""

from __future__ import annotations

import re

import pytest
import yaml  # type: ignore[import-untyped]

from smoke.reports import FORMATS
from tests.smoke.reports.sample import FINDINGS, REMEDY, WHY, sample


def points(text: str) -> list[str]:
    version, plan, *lines = text.splitlines()
    assert version == "TAP version 14"
    found = [line for line in lines if re.match(r"(not )?ok \d+ - ", line)]
    assert plan == f"1..{len(found)}"
    assert [int(re.search(r"ok (\d+)", line)[1]) for line in found] == [*range(1, len(found) + 1)]  # type: ignore[index]
    return found


def test_each_outcome_has_its_point() -> None:
    found = points(FORMATS["tap"](sample()))
    assert [line.startswith("not ok") for line in found] == [True, False, False, False, False, False, True]
    assert found[3].endswith("# SKIP excused: it never promised that") and "# SKIP message of" in found[4]
    assert "\\# [e]" in found[0], "a # that is not escaped would begin a directive"


@pytest.mark.parametrize("only", [(number,) for number in range(len(FINDINGS))])
@pytest.mark.parametrize("strict", [False, True])
def test_points_agree_with_the_exit_status(only: tuple[int, ...], strict: bool) -> None:
    judgment = sample(strict=strict, only=only)
    assert any(line.startswith("not ok") for line in points(FORMATS["tap"](judgment))) == bool(judgment.status)


def test_details_are_yaml() -> None:
    text = FORMATS["tap"](sample(only=(1,)))
    block = text.partition("  ---\n")[2].partition("  ...\n")[0]
    details = yaml.safe_load(re.sub("[\x00\x1b]", "", block))
    assert (details["severity"], details["at"], details["why"]) == ("warning", "Dockerfile:5", WHY)
    assert details["remedy"] == REMEDY and len(details["evidence"]) == 1
