"""Each trace is judged by where it stands, once a file and word, and only where isolation is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Finding, Severity, Verdict
from smoke.manifest import Isolation, Manifest, Policy
from smoke.static.checks import isolation
from smoke.static.checks.isolation import CHECKS, MAX_EVIDENCE, run
from smoke.static.isolation.traces import TracePlace
from smoke.static.plans import plans_of
from smoke.static.scope import Scope
from smoke.tree import MAX_READ, Tree
from tests.smoke.cases import Changes, write_files


def found(folder: Path, files: Changes, given: Isolation | None = None, *, asked: bool = True) -> list[Finding]:
    tree = Tree(write_files(folder, files))
    manifest = Manifest(policy=Policy(isolation=asked), isolation=given)
    return [*run(Scope(tree, manifest, plans_of(tree, manifest), ()))]


def failed(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [
        (each.check.removeprefix("tron."), str(each.severity), each.message)
        for each in findings
        if each.verdict is Verdict.FAIL
    ]


def test_nothing_is_looked_at_unasked(tmp_path: Path) -> None:
    """Reading every file is most of a run's time."""
    assert found(tmp_path, {"a.py": "usdt = 1\n"}, asked=False) == []


def test_a_clean_tree_passes_each_check_and_says_how_much_was_read(tmp_path: Path) -> None:
    findings = found(tmp_path, {"a.py": "x = 1\n", "b.bin": b"\0\1", "v/c": ""}, Isolation(exclude=("v/*",)))
    assert [each.check for each in findings] == [each.id for each in CHECKS]
    assert {each.verdict for each in findings} == {Verdict.PASS}
    assert findings[0].message == (
        "no trace in 1 files; 1 that are not text were searched for addresses only; 1 are excluded by the manifest"
    )


@pytest.mark.parametrize(
    ("path", "text", "failures"),
    [
        ("a.py", "usdt = 1\n", [("identifiers", "critical", "usdt is in a.py")]),
        ("a.py", "import tronpy\n", [("imports", "critical", "tronpy is in a.py")]),
        ("a.py", "x = 'usdt'\n", [("strings", "critical", "usdt is in a.py")]),
        ("a.py", "x = 1  # usdt\n", [("comments", "warning", "usdt is in a.py")]),
        ("requirements.txt", "tronpy\n", [("dependencies", "critical", "tronpy is in requirements.txt")]),
        ("a.toml", "x = 'usdt'\n", [("configuration", "critical", "usdt is in a.toml")]),
        ("a.py", "x = 'https://trongrid.io'\n", [("hosts", "critical", "trongrid.io is in a.py")]),
        ("a.py", "# https://trongrid.io\n", [("hosts", "warning", "trongrid.io is in a.py")]),
        ("a.md", "at https://trongrid.io\n", [("hosts", "info", "trongrid.io is in a.md")]),
        ("usdt.py", "", [("names", "critical", "usdt.py is named usdt")]),
        ("usdt.md", "", [("names", "info", "usdt.md is named usdt")]),
        ("a.md", "usdt\n", [("prose", "info", "usdt is in a.md")]),
        ("smoke.toml", "x = 'usdt'\n", []),
    ],
)
def test_a_trace_fails_the_check_of_its_place(
    tmp_path: Path, path: str, text: str, failures: list[tuple[str, str, str]]
) -> None:
    """Nothing runs a comment or prose, whatever stands in it; the manifest names what it excepts."""
    assert failed(found(tmp_path, {path: text})) == failures


def test_the_same_word_of_a_file_is_one_finding_as_bad_as_its_worst_place(tmp_path: Path) -> None:
    text = "# see https://trongrid.io\n" * 20 + "x = 'https://trongrid.io'\n"
    [finding] = [each for each in found(tmp_path, {"a.py": text}) if each.verdict is Verdict.FAIL]
    assert finding.message == "trongrid.io is in a.py 21 times" and finding.severity is Severity.CRITICAL
    assert len(finding.evidence) == MAX_EVIDENCE and finding.evidence[0].line == 1
    assert len(failed(found(tmp_path / "two", {"a.py": "usdt = 1\n", "b.py": "USDT = 1\nusdt = 2\n"}))) == 2


def test_every_place_has_its_check() -> None:
    assert set(isolation._OF_WORDS) == {*TracePlace}
    assert {*isolation._OF_WORDS.values()} <= {*CHECKS} and len({each.id for each in CHECKS}) == len(CHECKS)


def test_too_many_are_counted_in_a_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MAX_FINDINGS", 2)
    messages = [text for _, _, text in failed(found(tmp_path, {f"{name}.py": "usdt = 1\n" for name in "abcde"}))]
    assert messages == ["usdt is in a.py", "usdt is in b.py", "3 more traces are not listed"]


def test_what_was_not_read_to_its_end_is_no_pass(tmp_path: Path) -> None:
    files: Changes = {"long.txt": b"x" * (MAX_READ + 1), "many.txt": "usdt\n" * 300}
    coverage = [each for each in found(tmp_path, files) if each.check == "tron.coverage"]
    assert {each.verdict for each in coverage} == {Verdict.SKIP}
    assert [each.message for each in coverage] == [
        f"only the beginning of long.txt was read: it has {MAX_READ + 1} bytes",
        "many.txt has 100 more traces than are listed",
    ]


def test_words_of_the_manifest_count(tmp_path: Path) -> None:
    files: Changes = {"a.py": "acme = 1\n"}
    assert failed(found(tmp_path, files)) == []
    assert failed(found(tmp_path / "b", files, Isolation(words=("acme",)))) == [
        ("identifiers", "critical", "acme is in a.py")
    ]
