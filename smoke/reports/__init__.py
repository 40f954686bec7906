"""Writers of reports: the same findings for people, for CI and for machines."""

from __future__ import annotations

from collections.abc import Callable

from smoke.judgement import Judgement
from smoke.reports import github, job, json, junit, markdown, sarif, tap, terminal

FORMATS: dict[str, Callable[[Judgement], str]] = {
    "github": github.write,
    "job": job.write,
    "json": json.write,
    "junit": junit.write,
    "markdown": markdown.write,
    "sarif": sarif.write,
    "tap": tap.write,
    "text": terminal.write,
}
"""Each format's writer by its name."""
