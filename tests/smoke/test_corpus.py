"""The corpus, in both directions: healthy trees stay without an alarm, each broken twin gets the right one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.smoke.cases import Case, critical, judge_files, read_cases
from tests.smoke.corpus.files import POLICY

CORPUS = Path(__file__).parent / "corpus"
MODULES = sorted(path.stem for path in CORPUS.glob("*.py"))
COMMON = {"main.py": "import time\n\nwhile True:\n    time.sleep(1)\n", "smoke.toml": POLICY}
CASES: list[Case] = [
    *(case for module in MODULES for case in import_module(f"tests.smoke.corpus.{module}").CASES),
    *(case for path in sorted(CORPUS.glob("*.txt")) for case in read_cases(path, COMMON)),
]
BROKEN = [case for case in CASES if case.broken]


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_healthy_tree_causes_no_alarm(tmp_path: Path, case: Case) -> None:
    judgment = judge_files(tmp_path, case.healthy)
    assert not critical(judgment), [(each.check, each.message) for each in critical(judgment)]
    assert judgment.status == 0


@pytest.mark.parametrize("case", BROKEN, ids=[case.name for case in BROKEN])
def test_a_broken_tree_is_told_what_breaks_it(tmp_path: Path, case: Case) -> None:
    judgment = judge_files(tmp_path, {**case.healthy, **case.broken})
    found = [(each.check, each.message) for each in critical(judgment)]
    assert any(check.startswith(case.check) and case.says in message for check, message in found), found
    assert judgment.status == 1
