"""Words have one form. Spelling is for typos (`_typos.toml`), prose for proselint; neither knows what is here."""

from __future__ import annotations

import re
import subprocess

from docs.site import TREE

CONTRACTION = re.compile(r"\b(?:ca|do|does|did|is|are|was|were|wo|would|could|should|has|have|had)n't\b", re.IGNORECASE)
READ = ("*.md", "*.py", "*.toml", "*.yml", "*.hcl", "*.html", "*.js", "*.css", "images/Dockerfile.*")
NOT_OURS = ("tests/smoke/corpus/", "smoke/static/python/tables/", "tests/docs/test_words.py")


def test_nothing_is_contracted() -> None:
    """`cannot`, `does not`: one form in messages, docstrings and documents, and quick to read for everyone."""
    listed = subprocess.run(["git", "ls-files", *READ], cwd=TREE, capture_output=True, text=True, check=True).stdout
    files = [name for name in listed.splitlines() if not name.startswith(NOT_OURS)]
    assert len(files) > 500
    found = [
        f"{name}:{number}: {word}"
        for name in files
        for number, line in enumerate((TREE / name).read_text("utf-8").splitlines(), 1)
        for word in CONTRACTION.findall(line)
    ]
    assert not found
