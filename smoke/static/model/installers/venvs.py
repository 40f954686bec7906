"""Virtual environments as a stage makes them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.stage import Stage
from smoke.static.model.venv import Venv


def follow_virtualenv(stage: Stage, rest: Sequence[str], line: int, program: str = "") -> None:
    words = iter(rest)
    wanted = ""
    for word in words:
        if word in ("-p", "--python"):
            wanted = next(words, "")
        elif word.startswith("--python="):
            wanted = word.partition("=")[2]
        elif word in ("--prompt", "--app-data", "--seeder"):
            next(words, "")
        elif not word.startswith("-"):
            make_venv(stage, stage.path(word), line, wanted or program, "--system-site-packages" in rest)


def make_venv(
    stage: Stage,
    path: str,
    line: int,
    program: str = "",
    system: bool = False,
    managed: bool = False,
    *,
    seeded: bool = True,
) -> Venv:
    """A virtual environment, with the stage's own Python (or the one named) behind it; `seeded`: with pip in it."""
    named = re.search(r"(3\.\d+)(?:\.\d+)?$", program)
    held = next((each for each in stage.venvs.values() if program.startswith(f"{each.made}/bin/")), None)
    version = named[1] if named else stage.python if held is None else held.version
    interpreter = "" if held is None else held.interpreter
    if program.startswith("/") and held is None and not managed:
        interpreter = program
    short = f"python{version or '3'}"
    interpreter = interpreter or next((each for each in search(stage, short) if stage.files.find(each)), "")
    if managed or (not interpreter and not stage.python and not search_doubt(stage, short)):
        interpreter, managed = f"{_uv_home(stage)}/cpython-{version or '3'}/bin/{short}", True
        stage.files.add(interpreter, PathEntry("file", mode=0o755, line=line))
    interpreter = interpreter or f"/usr/bin/{short}"
    venv = Venv(made=path, interpreter=interpreter, version=version or "", system=system, managed=managed)
    if not version:
        stage.files.suspect(
            f"{path}/bin", f"the Python of line {line} is of a version that is not known", DoubtCause.COMMAND
        )
        stage.files.suspect(
            f"{path}/lib", f"the Python of line {line} is of a version that is not known", DoubtCause.COMMAND
        )
    stage.venvs[path] = venv
    for name in ("python", "python3", short):
        stage.files.add(f"{path}/bin/{name}", PathEntry("link", target=interpreter, line=line))
    stage.files.add(f"{path}/bin/activate", PathEntry("file", mode=0o644, line=line))
    for name in ("pip", "pip3") if seeded else ():
        stage.files.add(f"{path}/bin/{name}", PathEntry("file", mode=0o755, line=line))
    stage.files.add(f"{path}/lib/python{version or '3'}/site-packages", PathEntry("directory", mode=0o755, line=line))
    return venv


def _uv_home(stage: Stage) -> str:
    return stage.environment.get("UV_PYTHON_INSTALL_DIR") or posixpath.join(
        stage.home() or "/root", ".local/share/uv/python"
    )


def search(stage: Stage, name: str) -> list[str]:
    return [posixpath.join(each, name) for each in stage.environment.get("PATH", "").split(":") if each]


def search_doubt(stage: Stage, name: str) -> str:
    """Why there may be a program of that name on the PATH although none is known."""
    reasons = (stage.files.doubt(each) for each in search(stage, name))
    return next((each for each in reasons if each and each.cause is not DoubtCause.BASE), "")


def venv_site(venv: Venv, place: str = "") -> str:
    """Where a virtual environment has its distributions."""
    return f"{place or venv.made}/lib/python{venv.version or '3'}/site-packages"


def venv_of(stage: Stage, program: str) -> Venv | None:
    """The virtual environment whose program of that name is meant."""
    for place in [stage.path(program)] if "/" in program else search(stage, program or "python"):
        venv = stage.venvs.get(posixpath.dirname(posixpath.dirname(place)))
        if venv is not None and not _lacks_pip(stage, place):
            return venv
        if stage.files.entries.get(place) is not None:
            return None
    return None


def _lacks_pip(stage: Stage, place: str) -> bool:
    """Whether a place is that of a pip which its environment surely does not have: uv makes them without."""
    named = posixpath.basename(place) in ("pip", "pip3")
    return named and stage.files.find(place) is None and not stage.files.doubt(place)
