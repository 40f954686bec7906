"""Which wheels pip takes: for the stage that it runs in, or for what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Verdict
from smoke.static.model.targets import Target
from smoke.static.treejudge import judge
from smoke.subject import find_subject
from tests.smoke.cases import write_files

ARM = "six-1.17.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
START = 'CMD ["python", "-c", "print(1)"]\n'
TOLD = "--platform manylinux2014_aarch64 --platform=manylinux_2_28_aarch64 --python-version 3.11 --target /deps"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("six-1.17.0-py2.py3-none-any.whl", ""),
        ("six-1.17.0-cp311-cp311-manylinux_2_17_x86_64.whl", ""),
        ("six-1.17.0-cp38-abi3-manylinux_2_17_x86_64.whl", ""),
        (ARM, "is for aarch64, and this stage is built for x86_64"),
        ("six-1.17.0-cp312-cp312-manylinux_2_17_x86_64.whl", "is for Python 3.12, and this stage has 3.11"),
        ("six-1.17.0-cp312-abi3-manylinux_2_17_x86_64.whl", "is for Python 3.12, and this stage has 3.11"),
        ("six-1.17.0-cp311-cp311-musllinux_1_2_x86_64.whl", "is for musl, and this stage has glibc"),
        ("six-1.17.0-cp311-cp311-win_amd64.whl", "is for another system than Linux"),
        ("six-1.17.0.tar.gz", ""),
    ],
)
def test_a_wheel_says_in_its_name_what_it_is_for(file: str, says: str) -> None:
    assert says in Target(python="3.11", libc="glibc", machine="x86_64").unfit(file)
    assert bool(says) == bool(Target(python="3.11", libc="glibc", machine="x86_64").unfit(file))
    if not says.startswith("is for another"):
        assert Target(python="", libc="", machine="").unfit(file) == "", "what is not known refuses nothing"


@pytest.mark.parametrize(
    ("file", "options", "says"),
    [
        (ARM, "", "is for aarch64, and this stage is built for x86_64"),
        (ARM, TOLD, ""),
        (ARM, TOLD.replace("3.11", "3.12"), "is for Python 3.11, and pip is asked for 3.12"),
        (ARM, TOLD.replace("3.11", "312"), "is for Python 3.11, and pip is asked for 3.12"),
        (ARM, TOLD.replace("manylinux", "musllinux"), "is for glibc, and pip is asked for musl"),
        (ARM.replace("aarch64", "x86_64"), TOLD, "is for x86_64, and pip is asked for aarch64"),
        (ARM, TOLD.replace("2014_aarch64", "2014_x86_64"), ""),
    ],
)
def test_pip_may_be_told_what_to_choose_for(tmp_path: Path, file: str, options: str, says: str) -> None:
    for number, asked in enumerate(("--no-index --find-links wheels -r requirements.txt", f"wheels/{file}")):
        run = f"RUN pip install --only-binary=:all: {options} {asked}"
        lines = ["FROM --platform=linux/amd64 python:3.11-slim", "WORKDIR /srv", "COPY . .", run]
        files = {f"wheels/{file}": "", "requirements.txt": "six==1.17.0\n", "Dockerfile": "\n".join([*lines, START])}
        findings = judge(find_subject(write_files(tmp_path / str(number), files), None)).findings
        steps = [each.message for each in findings if each.check == "dockerfile.steps" and each.verdict is Verdict.FAIL]
        assert len(steps) == bool(says) and all(says in each for each in steps)
