"""Builds the four images for arm64 with an engine at hand: `python -m images.build [--standin]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from images.laboratory.engine import DEFAULT_FOLDER, DockerEngine, EngineError, down, up
from images.laboratory.packages import PackageError
from images.laboratory.standin import BASE, BUILDER, make_base, make_builder
from lucid.deploy import release
from lucid.deploy.release import LATEST
from smoke.finding import Finding, Verdict
from smoke.image.build import Builder, BuildError, build_again, docker
from smoke.image.normal import EPOCH_S, NormalImage, normalize, write
from smoke.manifestfile import read_manifest
from smoke.static.model.build import images as images_of
from smoke.static.model.image import Image as Model
from smoke.tree import Tree

ROOT = Path(__file__).resolve().parents[1]
IMAGES = {service: f"{name}:{LATEST}" for service, name in release.IMAGES.items()}


def load_standin(engine: DockerEngine) -> None:
    """Give the engine the look-alike base and builder. Raises `EngineError`."""
    with TemporaryDirectory(prefix="lucid-standin-") as folder:
        try:
            for make in (make_base, make_builder):
                engine.docker("load", "--quiet", "--input", str(make(Path(folder))))
        except PackageError as error:
            raise EngineError(str(error)) from None


def builder(engine: DockerEngine, standin: bool) -> Builder:
    """How this project's images are built: without network where the base is at hand."""
    arguments = {"REVISION": _revision(), "SOURCE_DATE_EPOCH": str(EPOCH_S)}
    if standin:
        arguments |= {"BASE": BASE, "BUILDER": BUILDER}
    return Builder(partial(docker, environment=engine.environment), arguments, "none" if standin else "")


def build(builder: Builder) -> list[NormalImage]:
    """Build all four images, and leave the times of it out. Raises `BuildError`."""
    for image in models():
        assert image.service.image is not None, "each of them has a name"
        builder.build(image, ROOT, image.service.image)
    with TemporaryDirectory(prefix="lucid-normal-") as folder:
        saved, written = Path(folder) / "saved.tar", Path(folder) / "written.tar"
        (Path(folder) / "layers").mkdir()
        builder.docker("save", "--output", str(saved), *IMAGES.values())
        images = normalize(saved, Path(folder) / "layers")
        saved.unlink()
        write(images, written)
        builder.docker("load", "--quiet", "--input", str(written))
    return images


def models() -> tuple[Model, ...]:
    """The four images as the manifest and their Dockerfiles say that they will be."""
    return images_of(Tree(ROOT), read_manifest(ROOT / "smoke.toml"))


def build_twice(builder: Builder) -> list[Finding]:
    """Build each once more, of a copy of the tree, with nothing of the first build at hand."""
    return [*build_again(builder, models(), Tree(ROOT))]


def _revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Build all four and print their sizes; exit status 2 when they cannot be built."""
    parser = argparse.ArgumentParser(prog="images.build", description="Build the four images for arm64.")
    parser.add_argument("--standin", action="store_true", help="on a look-alike base made of Debian's packages")
    parser.add_argument("--twice", action="store_true", help="build again from a copy: exit status 1 if ids differ")
    parser.add_argument("--engine", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="folder of the engine")
    parser.add_argument("--keep", action="store_true", help="leave an engine that was started for this running")
    options = parser.parse_args()
    ran = options.engine.exists()
    try:
        began = time.monotonic()
        engine = up(options.engine)
        if options.standin:
            load_standin(engine)
        building = builder(engine, options.standin)
        for image in build(building):
            size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", image.name))
            print(f"{image.name}: {size / 1e6:.0f} MB, {image.identity}")
        print(f"after {time.monotonic() - began:.0f} s")
        if options.twice:
            findings = build_twice(building)
            for finding in findings:
                print(f"{finding.verdict} {finding.subject}: {finding.message}")
            print(f"after {time.monotonic() - began:.0f} s")
            return 1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0
    except (EngineError, BuildError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    finally:
        if not ran and not options.keep:
            down(options.engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
