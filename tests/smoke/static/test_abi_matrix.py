"""What a builder makes and the image that it is copied to: Python, C library and processor, in every combination.

A compiled distribution fits only where all three are the same; a pure one fits wherever it is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.smoke.cases import critical, judge_files
from tests.smoke.corpus.files import POLICY

PYTHONS = ("3.11", "3.12", "3.13")
LIBCS = ("slim", "alpine")
PLATFORMS = ("linux/amd64", "linux/arm64")
WORDS = {"slim": "glibc", "alpine": "musl", "linux/amd64": "x86_64", "linux/arm64": "aarch64"}


@dataclass(frozen=True)
class Abi:
    """What a stage is made of."""

    python: str
    libc: str
    platform: str

    def stage(self) -> str:
        """Its FROM."""
        return f"FROM --platform={self.platform} python:{self.python}-{self.libc}"

    def __str__(self) -> str:
        return f"{self.python}-{self.libc}-{self.platform[6:]}"


ABIS = [Abi(*each) for each in product(PYTHONS, LIBCS, PLATFORMS)]


def others(abi: Abi) -> dict[str, Abi]:
    """Builders that differ in one thing each, and in all of them."""
    another = PYTHONS[PYTHONS.index(abi.python) - 1]
    libc = LIBCS[1 - LIBCS.index(abi.libc)]
    platform = PLATFORMS[1 - PLATFORMS.index(abi.platform)]
    return {
        "python": Abi(another, abi.libc, abi.platform),
        "libc": Abi(abi.python, libc, abi.platform),
        "platform": Abi(abi.python, abi.libc, platform),
        "all": Abi(another, libc, platform),
    }


def tree(builder: Abi, final: Abi, distribution: str) -> dict[str, str]:
    """A distribution that one stage installs into a directory, and another stage uses."""
    dockerfile = (
        f"{builder.stage()} AS made\nRUN pip install --target /libs {distribution}\n{final.stage()}\n"
        'COPY --from=made /libs /libs\nENV PYTHONPATH=/libs\nWORKDIR /srv\nCOPY main.py .\nCMD ["python3", "main.py"]\n'
    )
    return {"Dockerfile": dockerfile, "main.py": f"import {distribution}\n\nprint({distribution})\n", **MANIFEST}


MANIFEST = {"smoke.toml": POLICY}
MIXED = [(final, kind) for final in ABIS for kind in ("python", "libc", "platform", "all")]


def test_there_are_twelve() -> None:
    assert len({str(abi) for abi in ABIS}) == 12


@pytest.mark.parametrize("abi", ABIS, ids=str)
def test_what_is_made_for_the_same_is_no_fault(tmp_path: Path, abi: Abi) -> None:
    judgment = judge_files(tmp_path, tree(abi, abi, "pydantic"))
    assert judgment.status == 0 and not critical(judgment)
    assert any(each.check == "dependencies.fits" and each.verdict == "pass" for each in judgment.findings)


@pytest.mark.parametrize(("final", "kind"), MIXED, ids=[f"{final}-{kind}" for final, kind in MIXED])
def test_what_is_made_for_another_is_told_with_what_it_is_made_for(tmp_path: Path, final: Abi, kind: str) -> None:
    builder = others(final)[kind]
    found = critical(judge_files(tmp_path, tree(builder, final, "pydantic")))
    assert {each.check for each in found} == {"dependencies.fits"}, [(each.check, each.message) for each in found]
    told = " ".join(each.message for each in found)
    expected = {
        "python": [f"Python {builder.python}"],
        "libc": [WORDS[builder.libc]],
        "platform": [WORDS[builder.platform]],
    }
    named = [word for words in expected.values() for word in words] if kind == "all" else expected[kind]
    assert any(word in told for word in named), told


@pytest.mark.parametrize("final", ABIS, ids=str)
def test_what_is_pure_fits_wherever_it_was_made(tmp_path: Path, final: Abi) -> None:
    judgment = judge_files(tmp_path, tree(others(final)["all"], final, "requests"))
    assert judgment.status == 0, [(each.check, each.message) for each in critical(judgment)]
