"""Builds the four images for arm64 with an engine at hand: `python -m images.build [--standin]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from images.engine import DEFAULT_FOLDER, Engine, EngineError, down, up
from images.packages import PackageError
from images.standin import BASE, BUILDER, make_base, make_builder

ROOT = Path(__file__).resolve().parents[1]
IMAGES = {
    "engine": "pickme/lucid-blockchain-engine:latest-arm64",
    "anchoring": "pickme/lucid-session-anchoring:latest-arm64",
    "manager": "pickme/lucid-block-manager:latest-arm64",
    "data": "pickme/lucid-data-chain:latest-arm64",
}
EPOCH_S = "0"


def load_standin(engine: Engine) -> None:
    """Give the engine the look-alike base and builder. Raises `EngineError`."""
    with TemporaryDirectory(prefix="lucid-standin-") as folder:
        try:
            for make in (make_base, make_builder):
                engine.docker("load", "--quiet", "--input", str(make(Path(folder))))
        except PackageError as error:
            raise EngineError(str(error)) from None


def build(engine: Engine, service: str, standin: bool) -> int:
    """Build one image, without network where the base is at hand; returns its size in bytes. Raises `EngineError`."""
    arguments = ["--build-arg", f"REVISION={_revision()}", "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH_S}"]
    if standin:
        arguments += ["--network", "none", "--build-arg", f"BASE={BASE}", "--build-arg", f"BUILDER={BUILDER}"]
    engine.docker(
        *("build", "--quiet", "--platform", "linux/arm64", *arguments),
        *("--file", str(ROOT / f"images/Dockerfile.{service}"), "--tag", IMAGES[service], str(ROOT)),
    )
    return int(engine.docker("image", "inspect", "--format", "{{.Size}}", IMAGES[service]))


def _revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Build all four and print their sizes; exit status 2 when they can't be built."""
    parser = argparse.ArgumentParser(prog="images.build", description="Build the four images for arm64.")
    parser.add_argument("--standin", action="store_true", help="on a look-alike base made of Debian's packages")
    parser.add_argument("--engine", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="folder of the engine")
    parser.add_argument("--keep", action="store_true", help="leave an engine that was started for this running")
    options = parser.parse_args()
    ran = options.engine.exists()
    try:
        began = time.monotonic()
        engine = up(options.engine)
        if options.standin:
            load_standin(engine)
        for service, name in IMAGES.items():
            size = build(engine, service, options.standin)
            print(f"{name}: {size / 1e6:.0f} MB after {time.monotonic() - began:.0f} s")
    except EngineError as error:
        print(f"images: {error}", file=sys.stderr)
        return 2
    finally:
        if not ran and not options.keep:
            down(options.engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
