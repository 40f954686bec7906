"""Derives `distributions.json`: which modules well-known distributions bring, what they need, for which machines.

Run by hand, seldom: `python -m smoke.static.python.tables.make_distributions DATED MODULES RANKS LOCK...`. MODULES is
the database that pigar ships (SQLite, BSD-3; distribution to top-level modules), RANKS a table of PyPI names and
download ranks (tab-separated: the name first, the rank fourth), and each LOCK a uv.lock or poetry.lock of a public
project. Distributions installed beside this interpreter are read too: their own file lists are the best source.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from smoke.static.python.distributions import normalized

MAX_RANK = 4_000
_NOT_CODE = frozenset({"test", "tests", "testing", "docs", "doc", "examples", "example", "benchmarks", "scripts", "src",
                       "setup", "build", "dist", "tools", "bin", "data", "conftest", "README", "LICENSE"})  # fmt: skip
_BY_HAND = {
    # What the file lists cannot show: names that are made by a build, and shared namespaces.
    "mysqlclient": ["MySQLdb"],
    "protobuf": ["google"],
    "pyqt5": ["PyQt5"],
    "python-magic": ["magic"],
    "setuptools": ["setuptools", "pkg_resources", "distutils"],
    "pip": ["pip"],
    "opencv-python": ["cv2"],
    "opencv-python-headless": ["cv2"],
    "opencv-contrib-python": ["cv2"],
    "opencv-contrib-python-headless": ["cv2"],
    "attrs": ["attr", "attrs"],
    "psycopg": ["psycopg"],
    "psycopg2": ["psycopg2"],
    "psycopg2-binary": ["psycopg2"],
}


def main(dated: str, database: str, ranks: str, locks: list[str]) -> None:
    """Write the table to standard output."""
    known: dict[str, dict[str, Any]] = {}
    wanted = _ranked(ranks)
    for lock in locks:
        for name, entry in _locked(Path(lock)):
            known.setdefault(name, {}).update(entry)
    for distribution in distributions():
        name = normalized(distribution.name)
        known.setdefault(name, {}).update(_installed(distribution))
    modules = _modules(database, wanted | known.keys())
    for name, found in modules.items():
        known.setdefault(name, {}).setdefault("modules", found)
    for name, found in _BY_HAND.items():
        known.setdefault(name, {})["modules"] = found
    source = "pigar's database, lock files of public projects, installed file lists"
    rows = (f"{json.dumps(name)}:{_row(name, known[name])}" for name in sorted(known) if known[name].get("modules"))
    print(json.dumps({"dated": dated, "source": source})[:-1] + ',"distributions":{\n' + ",\n".join(rows) + "\n}}")


def _row(name: str, entry: dict[str, Any]) -> str:
    row = {key: entry[key] for key in ("modules", "needs", "extras", "made") if key in entry}
    if row["modules"] == [name.replace("-", "_")]:
        del row["modules"]
    return json.dumps(row, separators=(",", ":"), sort_keys=True)


def _ranked(path: str) -> set[str]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {normalized(row[0]) for row in rows if len(row) > 3 and row[3].isdigit() and int(row[3]) <= MAX_RANK}


def _modules(database: str, wanted: set[str]) -> dict[str, list[str]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        rows = opened.execute(
            "select d.name, m.name from distributions d join top_level_module_names m on m.distribution_id = d.id"
        ).fetchall()
    found: dict[str, set[str]] = {}
    for distribution, module in rows:
        name = normalized(distribution)
        if name in wanted:
            found.setdefault(name, set()).add(module.replace("/", ".").partition(".")[0])
    return {name: _code(name, each) for name, each in found.items() if _code(name, each)}


def _code(name: str, modules: set[str]) -> list[str]:
    """Top-level modules without what a distribution packs by mistake."""
    return sorted(
        each
        for each in modules
        if each.isidentifier() and (each not in _NOT_CODE or normalized(each) == name) and not each.startswith("_")
    )


def _locked(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lock = tomllib.loads(path.read_text(encoding="utf-8"))
    for package in lock.get("package", []):
        if {"editable", "virtual", "directory", "git", "url"} & package.get("source", {}).keys():
            continue
        entry: dict[str, Any] = {}
        needs = package.get("dependencies", [])
        if isinstance(needs, list):  # uv: markers stand on the edges
            entry["needs"] = sorted({each["name"] for each in needs if _on_linux(each.get("marker", ""))})
            extras = package.get("optional-dependencies", {})
            if extras:
                entry["extras"] = {key: sorted({each["name"] for each in value}) for key, value in extras.items()}
        else:  # poetry
            entry["needs"] = sorted(
                normalized(key)
                for key, value in needs.items()
                if not (isinstance(value, dict) and (value.get("optional") or not _on_linux(value.get("markers", ""))))
            )
        files = [each.get("url", each.get("file", "")) for each in package.get("wheels", package.get("files", []))]
        made = _made([each.rpartition("/")[2] for each in files])
        if made:
            entry["made"] = made
        yield normalized(package["name"]), entry


def _on_linux(marker: str) -> bool:
    return not any(
        f"{key} == '{value}'" in marker.replace('"', "'")
        for key, value in (
            ("sys_platform", "win32"),
            ("platform_system", "Windows"),
            ("os_name", "nt"),
            ("sys_platform", "darwin"),
        )
    )


def _made(files: list[str]) -> str:
    """`any`: pure; `linux`: wheels for both processors; `x86_64`: only for that; `source`: no Linux wheel."""
    wheels = [each for each in files if each.endswith(".whl")]
    if any(each.endswith("-none-any.whl") for each in wheels):
        return "any"
    if any("linux" in each and "aarch64" in each for each in wheels):
        return "linux"
    if any("linux" in each and "x86_64" in each for each in wheels):
        return "x86_64"
    return "source" if files else ""


def _installed(distribution: Distribution) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    tops = {
        path.parts[0].partition(".")[0]
        for path in distribution.files or []
        if path.suffix in (".py", ".so") and (len(path.parts) > 1 or path.suffix == ".py" or ".cpython" in path.name)
        and not path.parts[0].endswith((".dist-info", ".data", "..")) and path.parts[0] != "__pycache__"
    }  # fmt: skip
    modules = _code(normalized(distribution.name), tops)
    if modules:
        entry["modules"] = modules
    needs: set[str] = set()
    extras: dict[str, set[str]] = {}
    for text in distribution.requires or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker = str(requirement.marker or "")
        if "extra ==" in marker:
            extra = marker.partition("extra ==")[2].split('"')[1]
            extras.setdefault(extra, set()).add(normalized(requirement.name))
        elif _on_linux(marker):
            needs.add(normalized(requirement.name))
    entry["needs"] = sorted(needs)
    if "Root-Is-Purelib: true" in (distribution.read_text("WHEEL") or ""):
        entry["made"] = "any"
    if extras and len(extras) <= 12:
        entry["extras"] = {key: sorted(value) for key, value in sorted(extras.items())}
    return entry


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
