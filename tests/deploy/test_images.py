"""Images on their way to a host: what an archive holds, what of it is sent, and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from images.build import IMAGES
from lucid.deploy import images, release, settings
from lucid.deploy.host import DeployError
from tests.deploy.fakehost import write_images


def test_the_images_of_the_compose_file_are_those_that_are_sent() -> None:
    compose = (Path(__file__).parents[2] / "images/compose.yaml").read_text()
    assert all(f"image: {name}\n" in compose for name in release.current())
    assert list(IMAGES.values()) == release.current()
    for extra in settings.EXTRAS:
        assert f"profiles: [{extra}]" in compose
    assert all(f"${{{name}" in compose for names in settings.EXTRAS.values() for name in names)
    assert ":latest}" not in compose


def test_an_archive_of_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive")
    with pytest.raises(DeployError, match="docker save"):
        images.in_archive(tmp_path / "x.tar")
    found = images.in_archive(write_images(tmp_path / "y.tar", "one"))
    assert list(found) == release.current()
    assert {each.platform for each in found.values()} == {"linux/arm64"}


@pytest.mark.parametrize("kind", ["links-in-a-circle", "link-to-itself", "nested-json", "large-manifest", "no-object"])
def test_a_hostile_archive_is_refused_in_one_sentence(tmp_path: Path, kind: str) -> None:
    files = {"manifest.json": json.dumps([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["a"]}]).encode()}
    links: dict[str, str] = {}
    match kind:
        case "links-in-a-circle":
            links = {"c.json": "d.json", "d.json": "c.json"}
        case "link-to-itself":
            files, links = {}, {"manifest.json": "manifest.json"}
        case "nested-json":
            files["manifest.json"] = b"[" * 200_000
        case "large-manifest":
            files["manifest.json"] = b" " * (images.MAX_JSON + 1)
        case _:
            files["c.json"] = b"[1]"
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            images._add(tar, name, io.BytesIO(data))
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    with pytest.raises(DeployError, match="docker save"):
        images.in_archive(path)


def test_layers_that_lead_in_a_circle_are_refused_as_they_are_sent(tmp_path: Path) -> None:
    path = write_images(tmp_path / "x.tar", "one")
    with tarfile.open(path, "a") as tar:
        for name, target in (("a", "b"), ("b", "a")):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    entries = [{"Config": "a", "RepoTags": ["x:1"], "Layers": []}]
    with (
        tarfile.open(path) as tar,
        gzip.GzipFile(fileobj=io.BytesIO(), mode="wb") as packer,
        pytest.raises(DeployError, match="docker save"),
    ):
        images._copy(tar, entries, ["x:1"], packer)


def test_what_is_sent_is_what_the_host_lacks_and_can_run() -> None:
    ours = {name: images.LocalImage(f"sha256:{number}", "linux/arm64") for number, name in enumerate(release.current())}
    laptop = {
        **ours,
        "mongo:7": images.LocalImage("sha256:m", "linux/amd64"),
        "secret:1": images.LocalImage("sha256:s", "x/y"),
    }
    there = {name: each.identity for name, each in ours.items()}

    def chosen(held: dict[str, images.LocalImage], before: dict[str, str], native: str = "linux/arm64") -> list[str]:
        return images.chosen(held, before, "mongo:7", native, "here")

    assert chosen(laptop, {}) == release.current()
    assert chosen(laptop, {}, "linux/amd64") == [*release.current(), "mongo:7"]
    assert chosen(laptop, {"mongo:7": "sha256:other"}, "linux/amd64") == release.current()
    assert chosen(laptop, {**there, release.current()[0]: "sha256:old"}) == release.current()[:1]
    assert chosen({}, there) == []
    with pytest.raises(DeployError, match="neither here nor"):
        chosen({}, {})
    with pytest.raises(DeployError, match="linux/amd64"):
        chosen({**ours, release.current()[0]: images.LocalImage("sha256:0", "linux/amd64")}, {})


@pytest.mark.parametrize("blobs", [False, True], ids=["docker-24", "docker-25"])
def test_of_an_archive_only_what_was_asked_for_is_sent(tmp_path: Path, blobs: bool) -> None:
    names = [*release.current(), "mongo:7"]
    path = write_images(tmp_path / "x.tar", "one", names=names, blobs=blobs)
    written = io.BytesIO()
    with images._opened(path) as tar, gzip.GzipFile(fileobj=written, mode="wb") as packer:
        images._copy(tar, images._entries(tar, path), names[:2], packer)
    (tmp_path / "y.tar").write_bytes(gzip.decompress(written.getvalue()))
    assert images.in_archive(tmp_path / "y.tar") == {
        name: found for name, found in images.in_archive(path).items() if name in names[:2]
    }
    with tarfile.open(tmp_path / "y.tar") as tar:
        assert len(tar.getnames()) == 2 * 2 + 1
