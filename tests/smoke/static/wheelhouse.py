"""Small wheels with real extension modules, made by this machine's compiler."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest


def extension(folder: Path, *libraries: str) -> bytes:
    """A shared object that needs some libraries, which are made for it and then left behind."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc to make a shared object with")
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "none.c"
    source.write_text("int none;\n")
    for library in libraries:
        _compile("-o", str(folder / library), f"-Wl,-soname,{library}", str(source))
    made = folder / "made.so"
    _compile("-Wl,--no-as-needed", "-o", str(made), str(source), *(str(folder / each) for each in libraries))
    return made.read_bytes()


def _compile(*words: str) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", *words], check=True, capture_output=True)


def wheel(files: dict[str, bytes]) -> bytes:
    """A wheel of these files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return written.getvalue()
