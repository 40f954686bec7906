"""The same foreign tree in hardened containers of a real engine, and that nothing of it is left."""

from __future__ import annotations

import gc
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker.errors  # type: ignore[import-untyped]
import httpx
import pytest

from smoke.finding import Finding
from smoke.judgment import Judgment
from smoke.live.containers import ContainerNode, _archive, _number, connect
from smoke.live.failure import LiveError, NotPossible
from smoke.live.nodejudge import live
from smoke.live.plain import product_of
from smoke.manifestfile import read_manifest
from tests.smoke.live.shop import FRONT, MANIFEST, write_shop

BASE = "lucid.invalid/python:3.11-slim"
IMAGE = "lucid-test.invalid/shop:latest"
CONTAINED = MANIFEST.replace("port = 9001", f'image = "{IMAGE}"\nuser = "65532:65532"\nport = 9001')
DOCKERFILE = f"""\
FROM {BASE}
COPY server.py /
COPY --chown=65532:65532 data /data
CMD ["python3", "/server.py"]
"""


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """A real engine that has the stand-in of a Python image."""
    if "DOCKER_HOST" not in os.environ:
        pytest.skip("DOCKER_HOST names no engine; nox -s images runs this with one")
    client = connect(local=True)
    try:
        client.images.get(BASE)
    except docker.errors.ImageNotFound:
        pytest.skip(f"{BASE} is not there: python -m images.build --standin")
    before = {each.name for each in client.networks.list()}
    yield client
    assert {each.name for each in client.networks.list()} <= before
    assert not client.containers.list(all=True, filters={"ancestor": IMAGE})
    client.images.remove(IMAGE, force=True)
    client.close()


def tried(engine: docker.DockerClient, root: Path, manifest: str) -> Judgment:
    write_shop(root, manifest, {"Dockerfile": DOCKERFILE, "data/empty": ""})
    engine.images.build(path=str(root), tag=IMAGE, rm=True)
    read = read_manifest(root / "smoke.toml")
    return live(product_of(root, read, {}), title=read.title, containers=True)


def failed(judgment: Judgment) -> list[Finding]:
    return judgment.of("critical", "error", "warning")


def test_two_services_find_each_other_and_are_hardened(engine: docker.DockerClient, tmp_path: Path) -> None:
    front = FRONT.replace("port = 9002", f'image = "{IMAGE}"\nuser = "65532:65532"\nport = 9002')
    judgment = tried(engine, tmp_path, CONTAINED + front.replace('DATA = "{data}"', 'DATA = "/tmp"'))
    # A program that is the first of its container is deaf to SIGTERM unless it says otherwise: that is found.
    assert {each.check for each in failed(judgment)} <= {"live.lifecycle"}, failed(judgment)
    said = {(each.check, each.subject, each.message) for each in judgment.of("passed")}
    assert ("live.api", "front", "GET /shop answers 200") in said
    assert {subject for check, subject, _ in said if check == "live.hardened"} == {"shop", "front"}


def test_what_can_not_write_where_it_must_is_found(engine: docker.DockerClient, tmp_path: Path) -> None:
    locks = CONTAINED.replace('writes = ["/data"]\n', "").replace('NAME = "shop"', 'NAME = "shop", ODD = "locks"')
    judgment = tried(engine, tmp_path, locks.replace('DATA = "{data}"', 'DATA = "/srv"'))
    assert any("shop has ended" in each.message for each in failed(judgment)), failed(judgment)


def test_a_small_disk_is_filled_and_freed(engine: docker.DockerClient, tmp_path: Path) -> None:
    write_shop(tmp_path / "tree", CONTAINED, {"Dockerfile": DOCKERFILE, "data/empty": ""})
    engine.images.build(path=str(tmp_path / "tree"), tag=IMAGE, rm=True)
    product = product_of(tmp_path / "tree", read_manifest(tmp_path / "tree" / "smoke.toml"), {})
    (tmp_path / "node").mkdir()
    with ContainerNode(tmp_path / "node", connect(local=True), product, disk_mb=2) as node:
        node.start("shop")
        node.await_health(["shop"], "healthy", 60)
        assert node.filling is not None and node.data("shop") == "/data"
        try:
            node.filling("shop", True)
        except NotPossible:
            pytest.skip("this engine does not hold a volume to its size")
        assert not ordered(node.url("shop"))
        node.filling("shop", False)
        assert ordered(node.url("shop"))


def ordered(url: str) -> bool:
    try:
        return httpx.post(f"{url}/orders", content=b"tea" * 4096, timeout=10).status_code == 201
    except httpx.HTTPError:
        return False


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the SDK leaves it open when it cannot connect
def test_an_engine_that_is_not_there_or_elsewhere_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    with pytest.raises(LiveError, match="no container engine answers at unix:///no/such/socket"):
        connect()
    gc.collect()
    monkeypatch.setenv("DOCKER_HOST", "ssh://pi.invalid")
    with pytest.raises(LiveError, match="the engine is on another machine"):
        connect(local=True)


def test_files_of_a_container_are_its_user_s_alone() -> None:
    with tarfile.open(fileobj=io.BytesIO(_archive({"shop/key": b"secret"}, _number("65532:65532")))) as tar:
        folder, file = tar.getmembers()
        assert (folder.name, folder.isdir(), folder.uid, folder.mode) == ("shop", True, 65532, 0o755)
        opened = tar.extractfile(file)
        assert opened is not None and opened.read() == b"secret"
        assert (file.name, file.uid, file.gid, file.mode) == ("shop/key", 65532, 65532, 0o600)
    assert _number("nobody") == 0 == _number("")
