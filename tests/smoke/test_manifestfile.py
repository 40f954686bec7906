"""The file of a manifest: what is taken, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifestfile import MAX_BYTES, MAX_LINE, ManifestError, parse_manifest, read_manifest

SERVICE = '[[service]]\nname = "a"\ndockerfile = "Dockerfile"\n'


def test_a_file_is_read_and_its_profile_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "smoke.toml"
    path.write_text(f'profile = "step12"\n{SERVICE}')
    manifest = read_manifest(path)
    assert manifest.policy.distroless and manifest.services[0].user == manifest.policy.user


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 7", "title"),
        ("[[", "one.toml: "),
        ("other = 1", "other"),
        (SERVICE + SERVICE, "two services are named a"),
        (SERVICE.replace('Dockerfile"', '../Dockerfile"'), "leaves the root"),
        ("x" * (MAX_LINE + 1), "line 1 is longer"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text.encode(), "one.toml")
    assert says in str(caught.value) and str(caught.value).startswith("one.toml: ")


def test_one_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        read_manifest(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ManifestError, match="larger than"):
        read_manifest(tmp_path / "large.toml")
