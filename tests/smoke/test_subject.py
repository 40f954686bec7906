"""A tree is held to the manifest that is given, or to its own, or to an empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifestfile import FILE_NAME, ManifestError
from smoke.subject import find_subject


def test_a_manifest_that_is_given_goes_before_the_tree_s_own(tmp_path: Path) -> None:
    assert (find_subject(tmp_path, None).manifest.title, find_subject(tmp_path, None).manifest_name) == ("", "")
    (tmp_path / FILE_NAME).write_text('title = "own"\n')
    own = find_subject(tmp_path, None)
    assert (own.manifest.title, own.manifest_name, own.root) == ("own", FILE_NAME, tmp_path)
    other = tmp_path / "other.toml"
    other.write_text('title = "given"\n')
    given = find_subject(tmp_path, other)
    assert (given.manifest.title, given.manifest_name) == ("given", "other.toml")


def test_what_is_no_directory_or_no_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not a directory"):
        find_subject(tmp_path / "gone", None)
    with pytest.raises(ManifestError):
        find_subject(tmp_path, tmp_path / "gone.toml")
    (tmp_path / FILE_NAME).write_text("title = 7\n")
    with pytest.raises(ManifestError):
        find_subject(tmp_path, None)
