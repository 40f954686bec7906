"""Requirement files as pip reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.static.python.requirements import Requirement, holds, parse_requirement, read_requirements
from smoke.static.trouble import Trouble
from smoke.tree import Tree
from tests.smoke.cases import write_files

LIST = """\
# a comment
Flask_Login==1.0  # pinned
uvicorn[standard]>=0.30 \\
    --hash=sha256:00
pywin32; sys_platform == "win32"
-r more.txt
-c limits.txt
--index-url https://example.invalid
-e ./here
./wheels/x.whl
git+https://example.invalid/a.git#egg=given
https://example.invalid/kept-1.0-py3-none-any.whl
https://example.invalid/archive.zip
-r https://example.invalid/r.txt
-r none.txt
old-thing>=2004d
not a requirement
"""


def test_a_list_is_read_line_by_line(tmp_path: Path) -> None:
    write_files(tmp_path, {"r/list.txt": LIST, "r/more.txt": "h11==0.*\n-r list.txt\n", "r/limits.txt": "x==1\n"})
    found, troubles = read_requirements(Tree(tmp_path), "r/list.txt", (3, 12))
    assert [(each.name, each.version, each.extras, each.path, each.line) for each in found] == [
        ("flask-login", "1.0", (), "r/list.txt", 2),
        ("uvicorn", "", ("standard",), "r/list.txt", 3),
        ("h11", "", (), "r/more.txt", 1),
        ("given", "", (), "r/list.txt", 11),
        ("kept", "", (), "r/list.txt", 12),
        ("old-thing", "", (), "r/list.txt", 16),
    ]
    assert [(each.line, each.doubtful) for each in troubles] == [
        (9, True),
        (10, True),
        (13, True),
        (14, True),
        (15, False),
        (17, False),
    ]


@pytest.mark.parametrize(
    ("marker", "version", "wanted"),
    [
        ("python_version < '3.9'", (3, 12), False),
        ("python_version >= '3.9'", (3, 12), True),
        ("python_version < '3.9'", None, True),
        ("sys_platform == 'darwin'", None, False),
        ("extra == 'fast'", (3, 12), False),
        ("nonsense", (3, 12), True),
        ("platform_release >= '2'", (3, 12), False),
    ],
)
def test_a_marker_that_cannot_be_decided_holds(marker: str, version: tuple[int, int] | None, wanted: bool) -> None:
    assert holds(marker, version) is wanted
    assert holds("extra == 'fast'", (3, 12), ("fast",))


def test_one_requirement_is_read_or_told_wrong() -> None:
    assert parse_requirement("a; python_version < '3'", "p", 1, (3, 12)) is None
    assert parse_requirement(" a === 1.0 ", "p", 1, None) == Requirement("a", "1.0", "p", 1, "a === 1.0")
    assert isinstance(parse_requirement("a b c", "p", 1, None), Trouble)
