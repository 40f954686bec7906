"""Files that `find` takes away."""

from __future__ import annotations

import pytest

from smoke.static.model.script import run
from tests.smoke.static.model.staged import stage

HELD = {"app/a.sh": "", "app/b.py": "", "app/deep/c.py": "", "README.md": ""}


def left(script: str) -> set[str]:
    made = stage(files=HELD)
    run(made, script, 3, {})
    return {name for name in HELD if made.files.find(f"/{name}") is not None}


@pytest.mark.parametrize(
    ("script", "gone"),
    [
        ("find /app -name '*.py' -delete", {"app/b.py", "app/deep/c.py"}),
        ("cd /app && find . -type f -name '*.sh' -delete", {"app/a.sh"}),
        ("find /app -type d -name deep -exec rm -rf {} +", {"app/deep/c.py"}),
        (r"find / \( -name '*.md' -o -name '*.sh' \) -exec rm -f {} \;", {"app/a.sh", "README.md"}),
        ("find -name '*.md' -delete", {"README.md"}),
        ("find /app /nowhere -name 'b.*' -delete", {"app/b.py"}),
    ],
)
def test_what_is_deleted_by_name_is_gone(script: str, gone: set[str]) -> None:
    assert left(script) == HELD.keys() - gone


@pytest.mark.parametrize(
    "script",
    [
        "find /app -name '*.py'",
        "find /app -name '*.py' -newer /app/a.sh -delete",
        "find /app ! -name '*.py' -delete",
        "find /app -name a.sh -o -name b.py -delete",
        "find /app -name '*.py' -exec chmod +x {} +",
        'find /app -name "$WHAT" -delete',
        "find /app -type d -name '*.py' -delete",
        "find /app -type f -delete",
    ],
)
def test_an_expression_that_asks_for_more_takes_nothing(script: str) -> None:
    assert left(script) == {*HELD}
