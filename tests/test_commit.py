"""The commit of this code: of a checkout, of a package, of neither."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lucid.commit import RECORD, commit


def test_a_checkout_says_its_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=Test", "-c", "user.email=test@example.org", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    assert commit(tmp_path) == "", "there is none yet"
    (tmp_path / "file").touch()
    git("add", "file")
    git("commit", "-qm", "First")
    made = git("rev-parse", "--short=12", "HEAD")
    assert commit(tmp_path) == made
    (tmp_path / "file").write_text("changed")
    assert commit(tmp_path) == made + "+"


def test_a_package_says_the_commit_that_it_was_built_from(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""
    (tmp_path / RECORD).parent.mkdir()
    (tmp_path / RECORD).write_text("0123456789ab\n")
    assert commit(tmp_path) == "0123456789ab"
