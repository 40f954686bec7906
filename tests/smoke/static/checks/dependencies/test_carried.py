"""Libraries that wheels of the tree need: named where the image surely lacks them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.judgment import Judgment
from tests.smoke.cases import Content, critical, judge_files
from tests.smoke.corpus.files import POLICY
from tests.smoke.static.wheelhouse import extension, wheel

pytest.importorskip("elftools")
WHEEL = "fastpq-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
FROM = "FROM python:3.12-slim\n"
END = 'COPY main.py .\nCMD ["python3", "main.py"]\n'
HOUSE = "COPY wheelhouse /wheelhouse\n"
LIBPQ = "RUN apt-get update && apt-get install -y libpq5\n"


def judged(folder: Path, install: str, library: str = "libpq.so.5", main: str = "import fastpq\n") -> Judgment:
    made = wheel({"fastpq.abi3.so": extension(folder / "made", library), "fastpq-1.0.dist-info/METADATA": b""})
    files: dict[str, Content] = {
        "Dockerfile": f"{FROM}{HOUSE}{install}{END}",
        "requirements.txt": "fastpq==1.0\n",
        "main.py": f"{main}print(1)\n",
        "smoke.toml": POLICY,
        f"wheelhouse/{WHEEL}": made,
    }
    return judge_files(folder / "tree", files)


@pytest.mark.parametrize(
    "install",
    [
        f"RUN pip install /wheelhouse/{WHEEL}\n",
        "RUN pip install /wheelhouse/*.whl\n",
        "RUN pip install --no-index --find-links /wheelhouse fastpq\n",
        "RUN pip install --find-links=/wheelhouse fastpq==1.0\n",
        "COPY requirements.txt .\nRUN pip install -f /wheelhouse -r requirements.txt\n",
    ],
)
def test_a_library_that_the_image_lacks_is_named(tmp_path: Path, install: str) -> None:
    found = critical(judged(tmp_path, install))
    assert [each.check for each in found] == ["dependencies.libraries"]
    assert found[0].message == f"wheelhouse/{WHEEL} needs libpq.so.5, which the image does not have"


@pytest.mark.parametrize(
    ("install", "library", "main"),
    [
        (f"{LIBPQ}RUN pip install /wheelhouse/*.whl\n", "libpq.so.5", "import fastpq\n"),
        ("RUN pip install --find-links /wheelhouse fastpq\n", "libpq.so.5", "import fastpq\n"),
        ("RUN pip install --find-links /wheelhouse fastpq==2.0\n", "libpq.so.5", "import fastpq\n"),
        ("RUN pip install /wheelhouse/*.whl\n", "libunheard.so.3", "import fastpq\n"),
        ("RUN pip install /wheelhouse/*.whl\n", "libz.so.1", "import fastpq\n"),
        ("RUN pip install /wheelhouse/*.whl\n", "libpq.so.5", "import json\n"),
        (
            "RUN pip install /wheelhouse/*.whl\n",
            "libpq.so.5",
            "try:\n    import fastpq\nexcept ImportError:\n    pass\n",
        ),
        ("ENV LD_LIBRARY_PATH=/opt\nRUN pip install /wheelhouse/*.whl\n", "libpq.so.5", "import fastpq\n"),
    ],
)
def test_what_is_not_surely_lacking_is_no_fault(tmp_path: Path, install: str, library: str, main: str) -> None:
    judgment = judged(tmp_path, install, library, main)
    assert not critical(judgment), [(each.check, each.message) for each in critical(judgment)]


def test_a_library_of_which_nothing_is_known_is_said_to_be_unknown(tmp_path: Path) -> None:
    judgment = judged(tmp_path, "RUN pip install /wheelhouse/*.whl\n", "libunheard.so.3")
    assert any(each.verdict == "skip" and "libunheard.so.3" in each.message for each in judgment.findings)
