"""Requirements that PyTorch's own index does not have, where no other one is asked."""

from __future__ import annotations

import pytest

from smoke.static.model.managers.pytorch_index import not_held
from tests.smoke.static.model.staged import stage

INDEX = "--index-url https://download.pytorch.org/whl/cpu"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (f"{INDEX} torch flask", "flask"),
        ("-i https://download.pytorch.org/whl/cu124 torch==2.4 'x'[a] transformers>=4", "transformers"),
        (f"-r reqs.txt {INDEX}", "fastapi"),
        ("-r own.txt", "gunicorn"),
        ("--index-url=https://download.pytorch.org/whl --no-cache-dir uvicorn[standard]", "uvicorn"),
    ],
)
def test_what_it_lacks(words: str, name: str) -> None:
    files = {
        "reqs.txt": "torch==2.4.0\nfastapi==0.112\n",
        "own.txt": "--index-url https://download.pytorch.org/whl/cpu\ntorch\ngunicorn\n",
    }
    assert not_held(stage(files=files), words.split()).endswith(f"does not have {name}")


@pytest.mark.parametrize(
    "words",
    [
        f"{INDEX} torch torchvision numpy Pillow typing_extensions",
        f"{INDEX} --extra-index-url https://packages.example.org/simple torch flask",
        f"{INDEX} -r more.txt",
        f"{INDEX} ./flask.whl .",
        f"{INDEX} flask;python_version<'3.8'",
        "--index-url https://example.org/simple flask",
        f"{INDEX} --timeout 60 torch",
        "flask",
    ],
)
def test_what_it_may_have(words: str) -> None:
    files = {"more.txt": "--extra-index-url https://packages.example.org/simple\ntorch\nflask\n"}
    assert not_held(stage(files=files), words.split()) == ""


def test_variables() -> None:
    made = stage()
    made.environment["PIP_INDEX_URL"] = "https://download.pytorch.org/whl/cpu"
    assert "does not have flask" in not_held(made, ["flask"])
    made.environment["PIP_EXTRA_INDEX_URL"] = "https://packages.example.org/simple"
    assert not_held(made, ["flask"]) == ""
