"""A MongoDB of this machine's own mongod, as an image, where the official one cannot be pulled."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from images.laboratory.engine import DockerEngine, EngineError
from images.laboratory.layer import add, archive, directory_item, file_item, merge, merged_usr
from images.laboratory.packages import PackageError, fetch_closure, native_architecture

MONGODB = "lucid.invalid/mongo:7"


MONGODB_PACKAGES = ["libcurl4", "libgcc-s1", "libssl3", "liblzma5", "libc6", "libstdc++6"]


def make_mongodb(folder: Path, mongod: Path) -> Path:
    """A MongoDB image of a mongod of this machine, as an archive in `folder`. Raises `PackageError`."""
    items = merge(fetch_closure(MONGODB_PACKAGES, native_architecture(), folder / "mongodb"))
    program = file_item("./usr/bin/mongod", mongod.read_bytes())
    program.info.mode = 0o755
    add(items, program)
    add(items, directory_item("./data", 0, 0o755))
    add(items, directory_item("./data/db", 0, 0o755))
    settings = {"Entrypoint": ["/usr/bin/mongod"], "Env": ["PATH=/usr/bin:/bin"]}
    return archive(folder / "mongodb.tar", MONGODB, native_architecture(), merged_usr(items), settings)


def load_mongodb(engine: DockerEngine, mongod: str) -> None:
    """Give the engine a MongoDB of a mongod on this machine. Raises `EngineError`."""
    program = shutil.which(mongod)
    if program is None:
        raise EngineError(f"there is no program {mongod}")
    with TemporaryDirectory(prefix="lucid-mongodb-") as work:
        try:
            made = make_mongodb(Path(work), Path(program))
        except PackageError as error:
            raise EngineError(str(error)) from None
        engine.docker("load", "--quiet", "--input", str(made))
