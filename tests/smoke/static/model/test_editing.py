"""Files that a step changes in their place."""

from __future__ import annotations

import pytest

from smoke.static.model.script import run
from tests.smoke.static.model.staged import stage

HELD = {"a.sh": "#!/bin/sh\r\nexit\r\n", "b.conf": "x\r\n", "c.py": "x = 1\r\n"}


def content(script: str, name: str = "a.sh") -> bytes | None:
    made = stage(files=HELD)
    run(made, script, 3, {})
    return made.content(made.files.entries[f"/{name}"])


CLEAN = b"#!/bin/sh\nexit\n"
WHOLE = HELD["a.sh"].encode()


@pytest.mark.parametrize(
    ("script", "holds"),
    [
        (r"sed -i 's/\r$//' /a.sh", CLEAN),
        (r"sed -i -e 's/\r//g' a.sh", CLEAN),
        (r"sed -i 's/\r$//' *.sh", CLEAN),
        ("dos2unix -q a.sh b.conf", CLEAN),
        (r"find . -name '*.sh' -exec sed -i 's/\r$//' {} +", CLEAN),
        ("find . -print0 | xargs -0 dos2unix", CLEAN),
        ("sed -i 's/exit/exec/' a.sh", None),
        ("sed 's/exit/exec/' a.sh", WHOLE),
        ("find . -type f", WHOLE),
        ("echo exit | tee -a a.sh", None),
        ("echo exit | tee b.conf > /dev/null", WHOLE),
        ("patch -p1 < x.patch", None),
        (r"sed -i 's/\r$//' gone.sh b.conf", WHOLE),
    ],
)
def test_line_ends_are_known_and_other_edits_are_not(script: str, holds: bytes | None) -> None:
    assert content(script) == holds


def test_code_is_taken_as_it_was() -> None:
    assert content("sed -i 's/1/2/' c.py", "c.py") == HELD["c.py"].encode()
