"""What `python -c CODE` imports before it does anything else."""

from __future__ import annotations

import pytest

from smoke.static.model.given_code import imported_by


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a", ["a"]),
        ("import a.b; from c import d", ["a.b", "c"]),
        ("print(1)", []),
        ("import sys; sys.path.append('x'); import a", None),
        ("def (", None),
    ],
)
def test_imports(code: str, names: list[str] | None) -> None:
    found = imported_by(code)
    assert found == names if names is None else [each for each in found or () if each != "sys"] == names
