"""A commit of the checkout, laid out in a folder, so that its own simulator can be asked."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SWEPT = (0, 10)
"""Exit statuses of a sweep that was made as a whole: all passed, or some did not."""


class RevisionError(Exception):
    """A commit cannot be found or asked; one sentence."""


def commit_of(name: str, checkout: Path) -> str:
    """The whole hash of what a name stands for in a checkout; raises `RevisionError`."""
    found = _git(checkout, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found is None:
        raise RevisionError(f"{name} is neither a folder nor a commit of the checkout at {checkout}")
    return found.decode().strip()


@contextmanager
def laid_out(commit: str, checkout: Path) -> Iterator[Path]:
    """The tree of a commit in a folder of its own, which is gone afterwards; raises `RevisionError`."""
    with tempfile.TemporaryDirectory(prefix="lucid-revision-") as name:
        folder = Path(name)
        archive = folder / "tree.tar"
        top = (_git(checkout, "rev-parse", "--show-toplevel") or b"").decode().strip()
        if _git(Path(top), "archive", "--output", str(archive), commit) is None:
            raise RevisionError(f"git cannot lay out {commit[:12]}")
        with tarfile.open(archive) as tree:
            tree.extractall(folder / "tree", filter="data")
        if not (folder / "tree/lucid/__main__.py").is_file():
            raise RevisionError(f"{commit[:12]} holds no lucid that can be run")
        yield folder / "tree"


def sweep(tree: Path, words: Sequence[str], out: Path) -> None:
    """Make a sweep by the code of a tree, into a folder, where the user stands; raises `RevisionError`.

    What it says on the way is said, its table is not.
    """
    # Without -P, Python would look for lucid first where the user stands.
    command = [sys.executable, "-P", "-m", "lucid", "sim", "sweep", *words, "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.terminate()  # it keeps what it has
            process.wait()
            raise
    if status not in SWEPT:
        raise RevisionError(f"the sweep by that commit ended with status {status}: {' '.join(command[3:])}")


def _git(folder: Path, *words: str) -> bytes | None:
    """What git says in a folder, or None where it fails."""
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise RevisionError("git is not installed") from None
    except subprocess.CalledProcessError:
        return None
