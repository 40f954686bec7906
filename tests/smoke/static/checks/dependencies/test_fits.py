"""Compiled distributions fit where they were made for: each builder with each final image, and with pure ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from smoke.finding import Verdict
from tests.smoke.cases import critical, judge_files

BUILDERS = ("3.11-slim", "3.12-slim", "3.11-alpine", "3.12-alpine")
FINALS = ("3.12-slim", "3.12-alpine", "3.11-bookworm")
DOCKERFILE = """\
FROM {first}python:{builder} AS build
RUN pip install --target /deps {distribution}
FROM {last}python:{final}
COPY --from=build /deps /deps
ENV PYTHONPATH=/deps
COPY main.py /srv/
CMD ["python", "/srv/main.py"]
"""


def made_for(tag: str) -> tuple[str, str]:
    """Minor version and C library of an official image."""
    version, _, variant = tag.partition("-")
    return version, "musl" if variant == "alpine" else "glibc"


def outcome(
    folder: Path, distribution: str, builder: str, final: str, first: str = "", last: str = ""
) -> tuple[bool, Verdict]:
    """Whether the tree fails, and what the check of what fits says."""
    text = DOCKERFILE.format(first=first, last=last, builder=builder, final=final, distribution=distribution)
    judgment = judge_files(
        folder,
        {"Dockerfile": text, "main.py": f"import time\n\nimport {distribution}\n\nwhile True:\n    time.sleep(1)\n"},
    )
    assert {each.check for each in critical(judgment)} <= {"dependencies.fits"}, critical(judgment)
    [said] = {each.verdict for each in judgment.findings if each.check == "dependencies.fits"}
    return bool(judgment.status), said


@pytest.mark.parametrize(("builder", "final"), [*product(BUILDERS, FINALS)])
def test_what_is_compiled_fits_its_own_python_and_library_alone(tmp_path: Path, builder: str, final: str) -> None:
    fits = made_for(builder) == made_for(final)
    wanted = (False, Verdict.PASS) if fits else (True, Verdict.FAIL)
    assert outcome(tmp_path, "msgspec", builder, final) == wanted


@pytest.mark.parametrize(("builder", "final"), [*product(BUILDERS, FINALS)])
def test_what_is_pure_fits_everywhere(tmp_path: Path, builder: str, final: str) -> None:
    assert outcome(tmp_path, "h11", builder, final) == (False, Verdict.PASS)


def test_what_is_compiled_for_another_processor_does_not_fit(tmp_path: Path) -> None:
    given = ("3.12-slim", "3.12-slim", "--platform=linux/amd64 ", "--platform=linux/arm64 ")
    assert outcome(tmp_path / "compiled", "msgspec", *given) == (True, Verdict.FAIL)
    assert outcome(tmp_path / "pure", "h11", *given) == (False, Verdict.PASS)


def test_what_nobody_knows_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    assert outcome(tmp_path, "nobodyknowsit", "3.11-slim", "3.12-slim") == (False, Verdict.SKIP)
