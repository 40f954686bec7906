"""The table of distributions, as it is made anew from a database, ranks and locks."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smoke.static.python.tables import make_distributions as made

UV = """\
[[package]]
name = "shop"
source = { editable = "." }
[[package]]
name = "Web-Kit"
version = "1"
dependencies = [{ name = "h11" }, { name = "winloop", marker = "sys_platform == 'win32'" }]
wheels = [{ url = "https://x.invalid/web_kit-1-cp312-cp312-manylinux_2_17_aarch64.whl" }]
[package.optional-dependencies]
fast = [{ name = "uvloop" }]
[[package]]
name = "plain"
version = "1"
wheels = [{ url = "https://x.invalid/plain-1-py3-none-any.whl" }]
[[package]]
name = "intel"
version = "1"
wheels = [{ url = "https://x.invalid/intel-1-cp312-cp312-manylinux_2_17_x86_64.whl" }]
"""
POETRY = """\
[[package]]
name = "sauce"
version = "1"
files = [{ file = "sauce-1.tar.gz" }]
[package.dependencies]
h11 = ">=1"
maybe = { version = "*", optional = true }
winloop = { version = "*", markers = "sys_platform == \\"win32\\"" }
"""


def installed(name: str, files: list[str], requires: list[str], wheel: str = "") -> Any:
    return SimpleNamespace(
        name=name, files=[Path(each) for each in files], requires=requires, read_text=lambda _: wheel
    )


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with sqlite3.connect(tmp_path / "modules.db") as database:
        database.executescript(
            """
            create table distributions (id integer, name text);
            create table top_level_module_names (distribution_id integer, name text);
            insert into distributions values (1, 'Web_Kit'), (2, 'plain'), (3, 'rare'), (4, 'sauce'), (5, 'intel');
            insert into top_level_module_names values
                (1, 'webkit/core'), (1, 'tests'), (2, 'plain'), (3, 'rare'), (4, 'sauce'), (4, '_sauce'), (5, 'docs');
            """
        )
    database.close()
    (tmp_path / "ranks.tsv").write_text("plain\t1\tx\t17\nrare\t1\tx\t90000\nodd\t1\tx\tnone\n")
    (tmp_path / "uv.lock").write_text(UV)
    (tmp_path / "poetry.lock").write_text(POETRY)
    here = [
        installed(
            "Held",
            ["held/a.py", "held.libs/x.so", "single.py", "held-1.dist-info/RECORD.py", "fast.cpython-312.so", "x.txt"],
            ["h11>=1", "not a requirement!", 'winloop; sys_platform == "win32"', 'uvloop; extra == "fast"'],
            "Root-Is-Purelib: true",
        )
    ]
    monkeypatch.setattr(made, "distributions", lambda: here)
    files = [str(tmp_path / name) for name in ("modules.db", "ranks.tsv", "uv.lock", "poetry.lock")]
    made.main("2026-11-29", files[0], files[1], files[2:])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_each_source_adds_what_it_knows(table: dict[str, Any]) -> None:
    rows = table["distributions"]
    assert table["dated"] == "2026-11-29" and "shop" not in rows and "rare" not in rows
    assert rows["web-kit"] == {
        "extras": {"fast": ["uvloop"]},
        "made": "linux",
        "modules": ["webkit"],
        "needs": ["h11"],
    }
    assert rows["plain"] == {"made": "any", "needs": []}, "a module of the same name goes without saying"
    assert rows["sauce"] == {"made": "source", "needs": ["h11"]}
    assert "intel" not in rows, "docs alone are not a module"
    assert rows["mysqlclient"]["modules"] == ["MySQLdb"]


def test_an_installed_distribution_s_own_files_are_the_best_source(table: dict[str, Any]) -> None:
    assert table["distributions"]["held"] == {
        "extras": {"fast": ["uvloop"]},
        "made": "any",
        "modules": ["fast", "held", "single"],
        "needs": ["h11"],
    }
