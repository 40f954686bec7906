"""The text for a terminal and the Markdown report: failures first, with what to do, and the rest folded."""

from __future__ import annotations

from msgspec.structs import replace

from smoke.finding import Evidence, Severity, Verdict
from smoke.judgment import Judgment
from smoke.reports import FORMATS
from smoke.reports.terminal import MAX_EVIDENCE, MAX_REASONS, summary
from tests.smoke.reports.sample import REMEDY, WHY, finding, sample


def test_failures_come_first_with_why_and_what_to_do_and_the_count_last() -> None:
    text = FORMATS["text"](sample())
    first, *_, last = text.splitlines()
    assert first.split()[0] in ("FAIL", "ERROR") and f"why: {WHY}" in text and f"do: {REMEDY}" in text
    assert "note  dockerfile.stages [shop]: message" in text and "skip  1 checks: message of entrypoint.app" in text
    assert "grep -r 'a|b' .: 3 lines in 2 files" in text
    assert last == "UNABLE Shop <1>: 1 passed, 1 critical, 1 warnings, 1 notes, 1 skipped, 1 excused, 1 errors"


def test_a_skip_that_fails_by_strictness_is_told_on_its_own() -> None:
    assert "skip  entrypoint.app [shop]: message" in FORMATS["text"](sample(strict=True))


def test_many_places_and_reasons_are_counted() -> None:
    places = tuple(Evidence(f"f{number}", number, "x") for number in range(1, MAX_EVIDENCE + 3))
    many = replace(finding("a.b", Verdict.FAIL), evidence=places)
    skips = tuple(finding("a.c", Verdict.SKIP, message=f"reason {number}") for number in range(MAX_REASONS + 2))
    text = FORMATS["text"](Judgment(title="t", services=(), findings=(many, *skips)))
    assert "and 2 more places" in text and "and 2 more reasons: --report markdown has them all" in text
    same = (finding("a.d", Verdict.FAIL, Severity.INFO),) * 3
    assert FORMATS["text"](Judgment(title="t", services=(), findings=same)).count("note ") == 1


def test_a_service_of_which_nothing_is_known_is_undecided() -> None:
    judgment = Judgment(title="t", services=("shop",), findings=(finding("entrypoint.exists", Verdict.SKIP),))
    assert summary(judgment) == "UNDECIDED t: 0 passed, 1 skipped, undecided: shop"


def test_markdown_has_every_part_whatever_was_found() -> None:
    page = FORMATS["markdown"](sample())
    parts = [line for line in page.splitlines() if line.startswith("## ")]
    assert len(parts) == 8 and "**Nothing can be concluded:**" in page
    assert "\\<1\\>" in page and "`` COPY a|b <c> `d`" in page, "what is Markdown's own is escaped or code"
    assert "| `grep -r 'a\\|b' .` | 3 | 2 |" in page
    good = FORMATS["markdown"](Judgment(title="t", services=(), findings=()))
    assert "**Go on:**" in good and "No service was found." in good and "Every check could be made." in good
    assert "Build the images" in good and "Mend what failed" in page
