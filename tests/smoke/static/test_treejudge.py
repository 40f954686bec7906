"""Whole runs: the same every time, whatever the tree holds, and within bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from harness.live.cadence import CADENCE
from harness.live.fulldisk import DISK
from harness.live.outages import PHASE1
from harness.live.usage import INTEGRATION
from smoke.finding import Verdict
from smoke.findingkind import kind
from smoke.image import build
from smoke.image import checks as built
from smoke.image.environment import ENVIRONMENT
from smoke.live import checks as live
from smoke.manifest import manifest_schema
from smoke.reports import FORMATS
from smoke.reports.json import report_schema
from smoke.static.treejudge import CHECKS, judge
from smoke.subject import find_subject
from tests.effort import growth, no_hang
from tests.smoke.trees import DOCKERFILE, judged, write_tree

SCHEMAS = Path(__file__).parents[3] / "smoke" / "schema"
KINDS_OF_FAILURE = ("critical", "error", "warning", "info", "excused")
BAD = {"service/main.py": "import nothing_there\nfrom .. import x\n# tron\n", "a\nb|`<.py": "usdt = 1\n"}


def test_two_runs_give_the_same_whatever_the_hash_seed(tmp_path: Path) -> None:
    write_tree(tmp_path, dict(BAD))
    outputs = set()
    for seed in ("0", "1", "77"):
        command = [sys.executable, "-m", "lucid.cli.main", "smoke", "static", "--root", str(tmp_path), "--json"]
        done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}, check=False)
        assert done.returncode == 1, done.stderr.decode()
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_every_report_has_the_same_findings(tmp_path: Path) -> None:
    judgment = judged(tmp_path, dict(BAD), strict=True, literal=True)
    counts = judgment.counts()
    failed = counts["critical"] + counts["warning"] + counts["info"]
    assert failed >= 5 and counts["skipped"]
    document = json.loads(FORMATS["json"](judgment))
    assert len(document["findings"]) == len(judgment.findings) and document["status"] == 1
    Draft202012Validator(report_schema()).validate(document)
    suites = ET.fromstring(FORMATS["junit"](judgment))
    assert len(list(suites.iter("testcase"))) == len(judgment.findings)
    blocking = sum(judgment.blocks(each) for each in judgment.findings)
    assert len(list(suites.iter("failure"))) == blocking == sum(int(each.get("failures", "")) for each in suites)
    sarif = json.loads(FORMATS["sarif"](judgment))
    results = sarif["runs"][0]["results"]
    placed = [each for each in judgment.findings if kind(each) in KINDS_OF_FAILURE and each.evidence]
    assert sorted(each["ruleId"] for each in results) == sorted(each.check for each in placed)
    tap = FORMATS["tap"](judgment).splitlines()
    points = [line for line in tap if line.startswith(("ok", "not ok"))]
    assert tap[:2] == ["TAP version 14", f"1..{len(points)}"] and len(points) == len(judgment.findings)
    assert sum(line.startswith("not ok") for line in points) == blocking + counts["error"]
    github = FORMATS["github"](judgment).splitlines()
    assert len(github) == failed + counts["skipped"]
    for name in ("text", "markdown"):
        text = " ".join(FORMATS[name](judgment).replace("\\", "").split())
        for finding in judgment.findings:
            if kind(finding) in ("critical", "warning"):
                assert " ".join(finding.message.split()).replace("\\", "") in text


@pytest.mark.parametrize(("name", "schema"), [("manifest", manifest_schema), ("report", report_schema)])
def test_the_published_schema_is_the_one_in_force(name: str, schema: object) -> None:
    made = schema()  # type: ignore[operator]
    Draft202012Validator.check_schema(made)
    assert json.loads((SCHEMAS / f"{name}.json").read_text()) == json.loads(msgspec.json.encode(made))


def test_strict_makes_a_skip_a_failure(tmp_path: Path) -> None:
    unknown = DOCKERFILE.replace("gcr.io/distroless/python3-debian12:nonroot", "example.com/base:1")
    lenient = judged(tmp_path, {"Dockerfile.engine": unknown})
    assert any(each.verdict is Verdict.SKIP for each in lenient.findings)
    assert judge(find_subject(tmp_path, None), strict=True).status == 1


def test_a_check_that_breaks_is_an_error_of_the_harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(scope: object) -> object:
        raise RuntimeError("boom")

    monkeypatch.setattr("smoke.static.checks.layout.run", broken)
    judgment = judged(tmp_path)
    assert judgment.status == 2 and [each.check for each in judgment.of("error")] == ["layout.error"]


def test_nothing_in_a_tree_makes_it_crash_or_run_long(tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    (tmp_path / "service" / "nul.py").write_bytes(b"import os\0\n" + bytes(range(256)))
    (tmp_path / "service" / "utf16.py").write_bytes("tron = 1\n".encode("utf-16"))
    (tmp_path / "service" / "deep.py").write_text("(" * 50_000)
    (tmp_path / "service" / "deeper.py").write_text("a" + ".b" * 100_000)
    (tmp_path / "long.txt").write_bytes(b"tron " * 10_000_000)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "service" / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "Dockerfile.long").write_text("FROM scratch\n" + "RUN true \\\n" * 10_000)
    (tmp_path / "Dockerfile.wild").write_text("FROM scratch\nCOPY " + "*" * 2_000 + " [[[ /\nENV " + "${a:-" * 2_000)
    (tmp_path / ".dockerignore").write_text("**/*" * 200 + "x\n!" + "?*" * 100 + "\n[\n")
    (tmp_path / "compose.yml").write_text("a: " + "[" * 10_000 + "\n" + "b: &a [*a]\n")
    (tmp_path / "requirements.txt").write_text("-r requirements.txt\n" + "a" * 100_000 + "\n;;;\n==\n")
    os.mkfifo(tmp_path / "pipe")
    for name in ("a\udcff", "\N{BELL}", "-r", "%s%n"):
        (tmp_path / os.fsencode(name).decode("utf-8", "surrogateescape")).write_text("x")
    (tmp_path / "smoke.toml").unlink()
    with no_hang():
        judgment = judge(find_subject(tmp_path, None), literal=True)
    assert not judgment.of("error"), [each.evidence for each in judgment.of("error")]
    for write in FORMATS.values():
        assert write(judgment).encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["Dockerfile.engine", "service/main.py", "requirements.txt", "compose.yaml", ".dockerignore"]),
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [*DOCKERFILE.split(), "\n", "\\\n", "${", "<<EOF", '["', "&&", "$(", "import", "from", ":", "- "]
        )
    )
    .map(" ".join)
    .map(str.encode),
)
def test_any_content_of_any_file_is_judged(tmp_path: Path, name: str, data: bytes) -> None:
    write_tree(tmp_path, {})
    (tmp_path / name).write_bytes(data)
    judgment = judge(find_subject(tmp_path, None))
    assert not judgment.of("error"), [(each.message, each.evidence) for each in judgment.of("error")]


def test_ids_are_unique_and_every_check_says_why_and_what_to_do() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.title and check.why.endswith(".") and check.remedy.endswith(".") for check in CHECKS)


def test_the_page_lists_every_check_as_it_is() -> None:
    page = (SCHEMAS.parents[1] / "docs" / "smoke" / "README.md").read_text()
    for check in CHECKS:
        assert f"| `{check.id}` | {check.severity} | {check.title} |" in page
    for check in (ENVIRONMENT, *build.CHECKS, *built.CHECKS, *live.CHECKS, INTEGRATION, CADENCE, PHASE1, DISK):
        assert f"| `{check.id}` | {check.title} |" in page


def test_thousands_of_copies_take_no_time_that_grows_with_their_square(tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    for number in range(500):
        (tmp_path / "service" / f"f{number}").touch()

    def judged(count: int) -> None:
        copies = "".join(f"COPY service /a{number}/\n" for number in range(count))
        (tmp_path / "Dockerfile.engine").write_text(DOCKERFILE.replace("COPY service/ service/\n", copies))
        assert not judge(find_subject(tmp_path, None)).of("error")

    judged(1)  # what is read once only
    assert growth(judged, 500, 8) < 24, "8 as it should be, 64 with the square"


def test_what_stands_in_a_here_document_is_shown_where_it_stands(tmp_path: Path) -> None:
    dockerfile = 'FROM python:3.12-slim\nCOPY <<EOF /a.py\nimport os\nimport httpx\nEOF\nCMD ["python", "/a.py"]\n'
    (tmp_path / "Dockerfile").write_text(dockerfile)
    [told] = [each for each in judge(find_subject(tmp_path, None)).findings if "httpx" in each.message]
    assert [(each.path, each.line) for each in told.evidence][:1] == [("Dockerfile", 4)]
