"""The model against what a real engine makes: files, settings, and whether the container starts."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from json import loads
from pathlib import Path

import pytest

from smoke.manifest import Base
from smoke.manifestfile import read_manifest
from smoke.static.model.build import images
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image
from smoke.subject import find_subject
from smoke.tree import Tree
from tests.smoke.cases import Case, critical, judge_files, read_cases

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BUILDER = "lucid.invalid/python:3.11-slim"
DISTROLESS = "lucid.invalid/distroless/python3-debian12:nonroot"
TAG = "lucid-test.invalid/reality"
CASES = read_cases(HERE / "reality.txt", {"main.py": 'print("up")\n'})
START_S = 60.0
_PATH = ("/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_OF_CONTAINERS = frozenset(
    [
        *["/.dockerenv", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/dev/console", "/dev/pts"],
        *["/dev/shm", "/dev", "/proc", "/sys"],
    ]
)
"""What the engine itself puts into a container."""


@dataclass(frozen=True)
class Found:
    """A path of a real image."""

    kind: str
    mode: int
    user: int
    target: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Built:
    """A real image."""

    files: dict[str, Found]
    settings: dict[str, object]


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    told = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, env=told, timeout=120)
    assert not check or done.returncode == 0, done.stderr[-2_000:]
    return done


def inspected(name: str) -> Built:
    """What is in an image, streamed out of a container that is never started."""
    container = docker("create", name, "/never").stdout.strip()
    try:
        with subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export:
            assert export.stdout is not None
            with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
                files = dict(_members(tar))
            while export.stdout.read(1 << 20):  # the padding behind the archive's end
                pass
        assert export.returncode == 0
    finally:
        docker("rm", container)
    return Built(files, loads(docker("inspect", "--format", "{{json .Config}}", name).stdout))


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, Found]]:
    for member in tar:
        kind = "directory" if member.isdir() else "link" if member.issym() else "file"
        opened = tar.extractfile(member) if member.isreg() and member.size < 100_000 else None
        content = opened.read() if opened is not None else b""
        yield f"/{member.name.strip('/')}", Found(kind, member.mode & 0o7777, member.uid, member.linkname, content)


@cache
def base(name: str) -> Built:
    """The stand-in that an image is built on."""
    return inspected(name)


def known(name: str) -> Base:
    """The builder as a manifest would tell of it: all programs that it has."""
    programs = (
        path
        for path, found in base(name).files.items()
        if found.kind != "directory" and _on_path(path) and found.mode & 0o111
    )
    return Base(
        image=name,
        python="3.11",
        command=("python3",),
        path=_PATH,
        sites=("/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"),
        executables=tuple(sorted(programs)),
        shell=True,
        complete=True,
        libc="glibc",
    )


def _on_path(path: str) -> bool:
    return path.rpartition("/")[0] in _PATH


def described(manifest: Base) -> str:
    """A base as a table of smoke.toml."""
    words = ", ".join(f'"{each}"' for each in manifest.executables)
    return (
        f'[[base]]\nimage = "{BUILDER}"\npython = "3.11"\ncommand = ["python3"]\npath = {list(_PATH)}\n'
        f'sites = {list(manifest.sites)}\nexecutables = [{words}]\nshell = true\ncomplete = true\nlibc = "glibc"\n'
        f'[[base]]\nimage = "{DISTROLESS}"\npython = "3.11"\nentrypoint = ["/usr/bin/python3.11"]\nuser = "65532"\n'
        'path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]\n'
        'executables = ["/usr/bin/python3.11", "/usr/bin/python3", "/usr/bin/python"]\ncomplete = true\n'
        'distroless = true\nlibc = "glibc"\nworkdir = "/home/nonroot"\n'
        'sites = ["/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"]\n'
    )


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    if "DOCKER_HOST" not in os.environ:
        pytest.skip("DOCKER_HOST names no engine; nox -s images runs this with one")
    if docker("image", "inspect", BUILDER, DISTROLESS, check=False).returncode:
        pytest.skip("the engine has no stand-in of the bases: python -m images.build --standin")


def differences(image: Image, built: Built, below: Built, tree: Tree) -> list[str]:
    """Where the prediction and the image are not the same."""
    found = []
    for path, entry in image.files.entries.items():
        real = built.files.get(path)
        if not entry.line:
            continue  # the base's own
        if real is None or real.kind != entry.kind:
            found.append(f"{path}: a {entry.kind} is predicted, and there is {real and real.kind}")
        elif entry.kind == "link" and entry.target != real.target:
            found.append(f"{path}: leads to {real.target}, not {entry.target}")
        elif entry.kind != "link" and entry.mode is not None and entry.mode != real.mode:
            found.append(f"{path}: mode {real.mode:o}, not {entry.mode:o}")
        elif entry.user is not None and entry.user != real.user:
            found.append(f"{path}: user {real.user}, not {entry.user}")
        elif entry.kind == "file" and entry.source and real.content and tree.data(entry.source) != real.content:
            found.append(f"{path}: is not {entry.source}")
    for path, real in built.files.items():
        if below.files.get(path) == real or path in _OF_CONTAINERS or path in image.files.entries:
            continue
        if path not in below.files and not image.files.doubt(path):
            found.append(f"{path}: a {real.kind} is there that is not predicted")
    return found


def settings(image: Image, built: Built) -> list[tuple[str, object, object]]:
    """Settings that are not as predicted, each with the prediction and what is."""
    config = built.settings
    environment = dict(each.partition("=")[::2] for each in config.get("Env") or ())  # type: ignore[attr-defined]
    words = (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))  # type: ignore[misc]
    if image.start.words[:1] == ("/bin/sh",) and not config.get("Entrypoint"):
        words = tuple(config.get("Cmd") or ())  # type: ignore[arg-type]
    pairs = (
        ("PATH", image.environment.get("PATH"), environment.get("PATH")),
        ("user", image.user, config.get("User") or "0"),
        ("workdir", image.workdir, config.get("WorkingDir") or "/"),
        ("start", image.start.words, words),
    )
    return [each for each in pairs if each[1] != each[2]]


def starts(name: str) -> str:
    """Whether its container starts: empty, or what the engine or the program says."""
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", name],
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S,
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {(done.stderr or done.stdout)[-300:]}"


SIDES = [(case, side) for case in CASES for side in ("healthy", "broken") if side == "healthy" or case.broken]


@pytest.mark.parametrize(("case", "side"), SIDES, ids=[f"{case.name} {side}" for case, side in SIDES])
def test_what_is_predicted_is_what_is_built_and_starts(tmp_path: Path, case: Case, side: str) -> None:
    files = {**case.healthy, **(case.broken if side == "broken" else {}), "smoke.toml": described(known(BUILDER))}
    judgment = judge_files(tmp_path, files)
    alarms = [(each.check, each.message) for each in critical(judgment)]
    tree = Tree(tmp_path)
    (image,) = images(tree, find_subject(tmp_path, None).manifest)
    done = docker("build", "--quiet", "--network", "none", "--tag", TAG, str(tmp_path), check=False)
    if done.returncode:
        assert alarms, f"it does not build: {done.stderr[-500:]}"
    else:
        built = inspected(TAG)
        on = BUILDER if image.base is not None and not image.base.distroless else DISTROLESS
        if not image.failures and not image.missing and not image.refused:
            assert differences(image, built, base(on), tree) == []
            assert settings(image, built) == []
        said = starts(TAG)
        assert bool(said) == bool(alarms), (said, alarms)
    assert bool(alarms) == (side == "broken"), alarms
    assert side == "healthy" or any(check.startswith(case.check) for check, _ in alarms), alarms


SERVICES = [each.name for each in read_manifest(ROOT / "smoke.toml").services]


@pytest.mark.parametrize("name", SERVICES)
def test_the_four_images_are_as_predicted(name: str) -> None:
    tree = Tree(ROOT)
    image = next(each for each in images(tree, read_manifest(ROOT / "smoke.toml")) if each.service.name == name)
    assert image.service.image is not None
    if docker("image", "inspect", image.service.image, check=False).returncode:
        pytest.skip(f"{image.service.image} is not built: python -m images.build --standin")
    built = inspected(image.service.image)
    revision = built.settings["Labels"]["org.opencontainers.image.revision"]  # type: ignore[index]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if head.stdout.strip() not in ("", revision):
        pytest.skip(f"it was built of {revision}: python -m images.build --standin")
    assert differences(image, built, base(DISTROLESS), tree) == []
    assert settings(image, built) == []
    assert all(doubt.cause is not DoubtCause.UNKNOWN_BASE for doubt in image.files.doubts.values())
