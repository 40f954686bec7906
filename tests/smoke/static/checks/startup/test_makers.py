"""Which module may have made a path before another one opens it."""

from __future__ import annotations

import pytest

from smoke.static.checks.startup.makers import maker_of

MAKERS = [("a.py", "/data", False), ("b.py", "/data/in/x", False), ("c.py", None, True)]


@pytest.mark.parametrize(
    ("makers", "module", "path", "maker"),
    [
        (MAKERS[:1], "z.py", "/data", "a.py"),
        (MAKERS[:1], "z.py", "/data/x", "a.py"),
        (MAKERS[:1], "z.py", "/database", ""),
        (MAKERS[:1], "a.py", "/data", ""),
        (MAKERS[1:2], "z.py", "/data/in", "b.py"),
        (MAKERS[1:2], "z.py", "/other", ""),
        (MAKERS[2:], "z.py", "/anything", "c.py"),
        (MAKERS[2:], "c.py", "/anything", "c.py"),
    ],
    ids=["same", "below", "same letters", "itself", "above", "elsewhere", "anywhere", "itself perhaps"],
)
def test_a_maker(makers: list[tuple[str, str | None, bool]], module: str, path: str, maker: str) -> None:
    """What a module surely makes itself is known in order; what it makes under a condition may come first."""
    assert maker_of(makers, module, path) == maker
