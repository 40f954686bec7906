"""Names that the installed version no longer has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smoke.cases import Changes, says

LOOP = "\nimport time\n\nwhile True:\n    time.sleep(1)\n"


def tree(code: str, lines: str = "", base: str = "python:3.12-slim", **more: str) -> Changes:
    """A script that is started, and the lines of the Dockerfile that stand between FROM and COPY."""
    dockerfile = f'FROM {base}\nWORKDIR /srv\n{lines}\nCOPY . .\nCMD ["python", "main.py"]\n'
    return {"Dockerfile": dockerfile, "main.py": code + LOOP, **more}


CASES = [
    ("from pydantic import BaseSettings", "RUN pip install pydantic==2.5.0", "critical", "BaseSettings"),
    ("from pydantic import BaseSettings", "RUN pip install pydantic==1.10.0", "passed", ""),
    ("import numpy as np\nx = np.float", "RUN pip install numpy==1.26.0", "critical", "float"),
    ("import numpy as np\ndef late():\n    return np.float", "RUN pip install numpy==1.26.0", "passed", ""),
    (
        "try:\n    from pydantic import BaseSettings\nexcept ImportError:\n    pass",
        "RUN pip install pydantic==2.5.0",
        "passed",
        "",
    ),
    ("from flask import escape", "RUN pip install flask==3.0.0", "critical", "escape"),
    ("from flask import Flask", "RUN pip install flask==2.0.0", "critical", "nothing holds werkzeug back"),
    ("from flask import Flask", "RUN pip install flask==2.0.0 werkzeug==2.0.0", "passed", ""),
]


@pytest.mark.parametrize(("code", "lines", "outcome", "words"), CASES)
def test_outcome(tmp_path: Path, code: str, lines: str, outcome: str, words: str) -> None:
    assert says(tmp_path, tree(code, lines), "dependencies.declared", outcome, words)
