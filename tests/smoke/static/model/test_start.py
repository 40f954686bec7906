"""What a container would execute, through all that stands before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.effective_command import Start
from smoke.tree import Tree
from tests.smoke.cases import Content, Script, write_files

SLIM = "FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\n"
FILES: dict[str, Content] = {
    "main.py": "import time\n",
    "run.sh": Script('#!/bin/sh\nset -e\nexport MODE=x\nexec "$@"\n'),
    "plain.sh": "#!/bin/sh\nexec python main.py\n",
    "broken.sh": Script("#!/bin/sh\nif true; then\n"),
    "bash.sh": Script("#!/bin/sh\nset -e\n[[ -n $A ]] && echo\nexec python main.py\n"),
    "lacks.sh": Script("#!/bin/sh\nset -e\nflyway migrate\nexec python main.py\n"),
    "round.sh": Script("#!/bin/sh\nexec /srv/round.sh\n"),
    "tool": Script("#!/usr/bin/env python3\nimport time\n"),
}


def start(folder: Path, lines: str, head: str = SLIM) -> Start:
    tree = Tree(write_files(folder, {"Dockerfile": f"{head}{lines}\n", **FILES}))
    [image] = images(tree, Manifest())
    return image.start


@pytest.mark.parametrize(
    "lines",
    [
        'CMD ["python", "main.py"]',
        "CMD python main.py",
        "CMD exec python main.py",
        "CMD cd /srv && python main.py",
        'ENTRYPOINT ["python"]\nCMD ["main.py"]',
        "ENTRYPOINT python main.py",
        'ENTRYPOINT python main.py\nCMD ["ignored"]',
        'ENTRYPOINT ["./run.sh"]\nCMD ["python", "main.py"]',
        'CMD ["sh", "plain.sh"]',
        'CMD ["sh", "-c", "python main.py"]',
        'CMD ["env", "A=1", "python", "main.py"]',
        'CMD ["timeout", "9", "./run.sh", "python", "main.py"]',
        'RUN python -m venv /v\nCMD ["/v/bin/python", "main.py"]',
        'CMD ["python", "/srv/main.py"]',
    ],
)
def test_all_of_these_start_the_same_program(tmp_path: Path, lines: str) -> None:
    found = start(tmp_path, lines)
    assert (found.script, found.trouble, found.doubt) == ("/srv/main.py", "", "")
    assert found.program in ("/usr/local/bin/python", "/v/bin/python") and found.line > 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('CMD ["serve-it", "main.py"]', "serve-it is not in the image"),
        ('CMD ["python main.py"]', "one word of an exec form"),
        ('CMD ["./plain.sh"]', "not executable"),
        ('CMD ["./broken.sh"]', "cannot read ./broken.sh"),
        ('CMD ["sh", "broken.sh"]', "cannot read broken.sh"),
        ('CMD ["sh", "./gone.sh"]', "which is not in the image"),
        ('CMD ["./lacks.sh"]', "before anything else runs, flyway"),
        ('CMD ["env", "A=1"]', "env is not told what to start"),
        ('CMD ["uv", "run"]', "uv is not in the image"),
        ('CMD ["systemctl", "start", "nginx"]', "systemd"),
        ('CMD ["service", "nginx", "start"]', "in the background"),
        ("RUN groupadd x\nENTRYPOINT []\nCMD []", "what to start"),
    ],
)
def test_what_would_not_start_says_why(tmp_path: Path, lines: str, words: str) -> None:
    found = start(tmp_path, lines)
    assert found.trouble and words in found.trouble and not found.script


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('CMD ["./round.sh"]', "one program starts another"),
        ('CMD ["sh", "-c", "$RUN"]', "a variable decides"),
        ('CMD ["app.wasm"]', "another runtime"),
    ],
)
def test_what_cannot_be_told_is_in_doubt(tmp_path: Path, lines: str, words: str) -> None:
    found = start(tmp_path, lines)
    assert words in found.doubt and not found.trouble


def test_a_script_of_python_is_run_by_the_python_of_its_first_line(tmp_path: Path) -> None:
    found = start(tmp_path, 'CMD ["./tool", "--x"]')
    assert (found.script, found.arguments, found.search[0]) == ("/srv/tool", ("--x",), "/srv")


def test_a_base_that_nobody_knows_may_have_an_entry_point(tmp_path: Path) -> None:
    head = "FROM example.com/own:1\nCOPY . /srv\n"
    assert "entry point" in start(tmp_path, 'CMD ["python", "main.py"]', head).doubt
    assert start(tmp_path, 'ENTRYPOINT ["python", "/srv/main.py"]', head).script == "/srv/main.py"


def test_without_a_shell_there_is_no_shell_form(tmp_path: Path) -> None:
    head = "FROM gcr.io/distroless/python3-debian12\nCOPY . /srv\nENTRYPOINT []\n"
    assert "/bin/sh" in start(tmp_path, "CMD python3 /srv/main.py", head).trouble


def test_what_an_environment_of_conda_or_a_project_holds(tmp_path: Path) -> None:
    head = "FROM continuumio/miniconda3:24.1.2-0\nWORKDIR /srv\nCOPY . .\n"
    made = start(
        tmp_path, 'RUN conda create -n web python=3.11\nCMD ["conda", "run", "-n", "web", "python", "main.py"]', head
    )
    assert made.script == "/srv/main.py" and made.program == "/opt/conda/envs/web/bin/python" and made.python == "3.11"


def test_the_project_s_environment_is_the_one_that_uv_runs_in(tmp_path: Path) -> None:
    lines = 'RUN pip install uv && uv venv\nCMD ["uv", "run", "--no-sync", "python", "main.py"]'
    assert start(tmp_path, lines).program == "/srv/.venv/bin/python"
    other = start(tmp_path, 'RUN pip install uv\nCMD ["uv", "run", "main.py"]')
    assert "makes its environment when the container starts" in other.doubt
