"""SARIF 2.1.0: every document keeps to the parts of the schema (OASIS, section 3 of the standard) that are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from smoke.check import TABLE
from smoke.reports import FORMATS
from tests.smoke.cases import judge_files, read_cases
from tests.smoke.corpus.files import POLICY

Shape = Callable[[Any, str], None]
"""Looks at a value; the text says where it stands."""
CORPUS = Path(__file__).parents[1] / "corpus"
COMMON = {"main.py": "import time\n\nwhile True:\n    time.sleep(1)\n", "smoke.toml": POLICY}
CASES = [case for case in read_cases(CORPUS / "building.txt", COMMON) if case.broken][::2]


def text(pattern: str = r"[\s\S]+") -> Shape:
    def look(value: Any, where: str) -> None:
        assert isinstance(value, str) and re.fullmatch(pattern, value), f"{where}: {value!r}"

    return look


def number(least: int) -> Shape:
    def look(value: Any, where: str) -> None:
        assert type(value) is int and value >= least, f"{where}: {value!r}"

    return look


def each(shape: Shape, *, unique: bool = False) -> Shape:
    def look(value: Any, where: str) -> None:
        assert isinstance(value, list), f"{where} is a list"
        for index, item in enumerate(value):
            shape(item, f"{where}[{index}]")
        kept = [json.dumps(item, sort_keys=True) for item in value]
        assert not unique or len({*kept}) == len(kept), f"{where} has something twice"

    return look


def table(shape: Shape) -> Shape:
    def look(value: Any, where: str) -> None:
        assert isinstance(value, dict), f"{where} is an object"
        for key, item in value.items():
            shape(item, f"{where}.{key}")

    return look


def one(required: str = "", **shapes: Shape) -> Shape:
    """An object with these properties and no others, as the schema forbids more."""

    def look(value: Any, where: str) -> None:
        assert isinstance(value, dict), f"{where} is an object"
        assert {*required.split()} <= value.keys(), f"{where} lacks {set(required.split()) - value.keys()}"
        for key, item in value.items():
            assert key in shapes, f"{where} cannot have {key}"
            shapes[key](item, f"{where}.{key}")

    return look


def reference(value: Any, where: str) -> None:
    """A relative URI reference, as a tree's own files are told."""
    text(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]+")(value, where)
    parts = urlsplit(value)
    assert not parts.scheme and not parts.netloc and not value.startswith("/"), f"{where}: {value}"
    assert not re.search(r"%(?![0-9A-Fa-f]{2})", value), f"{where}: {value}"


LEVEL = text("none|note|warning|error")
PLAIN = one("text", text=text())
BOTH = one("text", text=text(), markdown=text())
BAG = one(tags=each(text(), unique=True), precision=text("very-high|high|medium|low"), subject=text(r"[\s\S]*"))
REGION = one("startLine", startLine=number(1), snippet=one("text", text=text()))
PHYSICAL = one("artifactLocation", artifactLocation=one("uri", uri=reference), region=REGION)
LOCATION = one("physicalLocation", id=number(0), physicalLocation=PHYSICAL)
RULE = one(
    "id shortDescription help",
    id=text(r"[\w.-]+"),
    name=text(r"\w+"),
    shortDescription=BOTH,
    fullDescription=BOTH,
    help=BOTH,
    defaultConfiguration=one(level=LEVEL),
    properties=BAG,
)
RESULT = one(
    "ruleId ruleIndex level message locations partialFingerprints",
    ruleId=text(r"[\w.-]+"),
    ruleIndex=number(0),
    level=LEVEL,
    message=PLAIN,
    locations=each(LOCATION),
    relatedLocations=each(LOCATION, unique=True),
    partialFingerprints=table(text("[0-9a-f]{32}")),
    suppressions=each(one("kind", kind=text("inSource|external"), justification=text()), unique=True),
    properties=BAG,
)
RUN = one(
    "tool results",
    tool=one("driver", driver=one("name", name=text(), rules=each(RULE, unique=True))),
    columnKind=text("utf16CodeUnits|unicodeCodePoints"),
    results=each(RESULT),
)
DOCUMENT = one("version runs", **{"$schema": text("https://.*sarif.*"), "version": text(r"2\.1\.0"), "runs": each(RUN)})


def checked(document: str) -> list[dict[str, Any]]:
    """The results of a document that keeps to the schema."""
    found = json.loads(document)
    DOCUMENT(found, "$")
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results: list[dict[str, Any]] = run["results"]
    for result in results:
        assert rules[result["ruleIndex"]] == result["ruleId"] and len(result["locations"]) == 1
    assert {*rules} == {result["ruleId"] for result in results}
    assert {*rules} <= TABLE.keys()
    return results


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
        (("runs", 0, "tool", "driver", "name"), ""),
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
    with pytest.raises(AssertionError):
        checked(json.dumps(document))
