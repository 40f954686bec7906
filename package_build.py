"""What a built package has that no file of the tree is: the commit it was made of and, if asked for, compiled modules.

With `LUCID_MYPYC=1` a wheel is compiled where simulated networks spend their time; it is pure Python otherwise. It
then holds the same sources beside what mypyc made of some of them, and does the same, with the same trace hashes
(`nox -s compiled`); only faster.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WANTED = "LUCID_MYPYC"
COMPILERS = ("mypy>=2.4,<3", "setuptools>=77,<81")
"""What a build in an environment of its own needs, beside what the modules import."""

COMPILE = """
import sys
from mypyc.build import mypycify
from setuptools import Distribution
from setuptools.command.build_ext import build_ext

# An option of no file, so that mypy reads none: the checks of a build are not those of the tree.
extensions = mypycify(["--config-file=", "--ignore-missing-imports", *sys.argv[1:]], opt_level="3", debug_level="0")
command = build_ext(Distribution({"name": "compiled", "ext_modules": extensions}))
command.inplace = True
command.ensure_finalized()
command.run()
"""
"""Compiles modules in place, in a process of its own: mypyc and setuptools take one build a process, where it runs."""


class CompilationFailed(Exception):
    """The modules cannot be compiled here."""


def wanted() -> bool:
    """Whether whoever builds asked for it."""
    return os.environ.get(WANTED, "") not in ("", "0")


class PackageContents(BuildHookInterface[Any]):
    """Adds to a package its commit, and to a wheel what the modules named in pyproject.toml are compiled to."""

    _folders: tuple[Path, ...] = ()

    def dependencies(self) -> list[str]:
        """See hatchling."""
        return [*COMPILERS, *self.metadata.core.dependencies, "simpy", "zstandard"] if self._compiles() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling; raises `CompilationFailed`."""
        if version != "editable":
            self._name_commit(build_data)
        if self._compiles():
            self._compile(version, build_data)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """See hatchling."""
        for folder in self._folders:
            shutil.rmtree(folder)

    def _compiles(self) -> bool:
        return self.target_name == "wheel" and wanted()

    def _name_commit(self, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        module = runpy.run_path(str(root / "lucid/commit.py"))
        found: str = module["commit"](root)
        if found and not (root / module["RECORD"]).exists():  # an unpacked source package has it as a file
            record = self._folder() / "commit.txt"
            record.write_text(found + "\n", "utf-8")
            build_data["force_include"][str(record)] = module["RECORD"]

    def _compile(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise CompilationFailed(
                f"an editable install would not notice that a compiled source changes: build a wheel, or unset {WANTED}"
            )
        made_in = self._folder()
        modules: list[str] = self.config["modules"]
        for package in dict.fromkeys(each.partition("/")[0] for each in modules):
            shutil.copytree(Path(self.root, package), made_in / package, ignore=shutil.ignore_patterns("*.so"))
        try:
            made = compile_modules(made_in, modules)
        except CompilationFailed:
            self.finalize(version, build_data, "")
            raise
        build_data["force_include"].update({str(made_in / each): each for each in made})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def _folder(self) -> Path:
        """A folder that is there while the package is built."""
        made = Path(tempfile.mkdtemp(prefix="lucid-package-"))
        self._folders = (*self._folders, made)
        return made


def compile_modules(folder: Path, modules: Sequence[str]) -> list[str]:
    """Compile modules, by their paths in a folder, in place; returns the paths of what was made.

    Raises `CompilationFailed`.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", COMPILE, *modules]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompilationFailed(f"mypyc cannot compile the modules: {(done.stderr or done.stdout).strip()[-2000:]}")
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*.so") if "build" not in each.parts)
