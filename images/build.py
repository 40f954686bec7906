"""Builds the four images for arm64 with an engine at hand: `python -m images.build [--standin]`."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from images.engine import DEFAULT_FOLDER, Engine, EngineError, down, up
from images.normal import EPOCH_S, Image, first_difference, normalise, write
from images.packages import PackageError
from images.standin import BASE, BUILDER, make_base, make_builder
from lucid.deploy import release
from lucid.deploy.release import LATEST

ROOT = Path(__file__).resolve().parents[1]
IMAGES = {service: f"{name}:{LATEST}" for service, name in release.IMAGES.items()}


def load_standin(engine: Engine) -> None:
    """Give the engine the look-alike base and builder. Raises `EngineError`."""
    with TemporaryDirectory(prefix="lucid-standin-") as folder:
        try:
            for make in (make_base, make_builder):
                engine.docker("load", "--quiet", "--input", str(make(Path(folder))))
        except PackageError as error:
            raise EngineError(str(error)) from None


def build(engine: Engine, root: Path, standin: bool, cached: bool = True) -> list[Image]:
    """Build all four images from a tree, without network where the base is at hand, and leave the times of it out.

    Raises `EngineError`.
    """
    arguments = ["--build-arg", f"REVISION={_revision()}", "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH_S}"]
    if standin:
        arguments += ["--network", "none", "--build-arg", f"BASE={BASE}", "--build-arg", f"BUILDER={BUILDER}"]
    if not cached:
        arguments.append("--no-cache")
    for number, (service, name) in enumerate(IMAGES.items()):
        # The four share their layers: one build anew makes them for all.
        given = [each for each in arguments if each != "--no-cache" or number == 0]
        engine.docker(
            *("build", "--quiet", "--platform", "linux/arm64", *given),
            *("--file", str(root / f"images/Dockerfile.{service}"), "--tag", name, str(root)),
        )
    with TemporaryDirectory(prefix="lucid-normal-") as folder:
        saved, written = Path(folder) / "saved.tar", Path(folder) / "written.tar"
        (Path(folder) / "layers").mkdir()
        engine.docker("save", "--output", str(saved), *IMAGES.values())
        images = normalise(saved, Path(folder) / "layers")
        saved.unlink()
        write(images, written)
        engine.docker("load", "--quiet", "--input", str(written))
    return images


def build_twice(engine: Engine, standin: bool) -> str | None:
    """Build from a copy of the tree too, whose files are younger, with nothing of the first build at hand.

    Returns what differs, if anything does. Raises `EngineError`.
    """
    first = build(engine, ROOT, standin)
    with TemporaryDirectory(prefix="lucid-again-") as folder:
        again = Path(folder) / "tree"
        for name in ("lucid", "images", "wheels"):
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, again / name, copy_function=shutil.copyfile, ignore=unwanted)
        shutil.copyfile(ROOT / ".dockerignore", again / ".dockerignore")
        second = build(engine, again, standin, cached=False)
    for one, other in zip(first, second, strict=True):
        if (difference := first_difference(one, other)) is not None:
            return f"{one.name}: two builds differ in {difference}"
    return None


def _revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Build all four and print their sizes; exit status 2 when they can't be built."""
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
        images = build(engine, ROOT, options.standin)
        for image in images:
            size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", image.name))
            print(f"{image.name}: {size / 1e6:.0f} MB, {image.identity}")
        print(f"after {time.monotonic() - began:.0f} s")
        if options.twice:
            difference = build_twice(engine, options.standin)
            print(difference or f"built anew from a copy: the same ids, after {time.monotonic() - began:.0f} s")
            return 1 if difference else 0
    except EngineError as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    finally:
        if not ran and not options.keep:
            down(options.engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
