"""Where an installation goes: by the options, the environment and the user."""

from __future__ import annotations

import posixpath

from msgspec.structs import replace

from smoke.static.model.installers.venvs import search, venv_of, venv_site
from smoke.static.model.installers.wanted import InstallRequest
from smoke.static.model.stage import Stage


def place(stage: Stage, wanted: InstallRequest, program: str, given: dict[str, str], uv: bool) -> None:
    """Where it goes, by the options and the environment."""
    if not wanted.directory and given.get("PIP_TARGET") and not uv:
        wanted.directory = stage.path(given["PIP_TARGET"])
        wanted.scripts = posixpath.join(wanted.directory, "bin")
    if wanted.directory or wanted.unplaced:
        return
    if uv:
        place_uv(stage, wanted, given)
    elif wanted.python:
        venv = stage.venvs.get(stage.path(wanted.python).removesuffix("/bin/python"))
        wanted.directory = venv_site(venv) if venv is not None else ""
    elif wanted.user or given.get("PIP_USER", "").lower() in ("1", "true", "yes"):
        place_user(stage, wanted)
    else:
        wanted.directory = own_site(stage, program)
        number = stage.number(stage.user)
        if number != 0 and venv_of(stage, program) is None and stage.user:
            # pip falls back to the user's own directory where it may not write.
            place_user(stage, wanted)


def place_user(stage: Stage, wanted: InstallRequest) -> None:
    base = stage.environment.get("PYTHONUSERBASE") or (f"{stage.home()}/.local" if stage.home() else "")
    if base and stage.python:
        wanted.directory = f"{base}/lib/python{stage.python}/site-packages"
        wanted.scripts = f"{base}/bin"
    else:
        wanted.directory = ""
        wanted.doubt = wanted.doubt or "the version of Python that installs, or its home directory, is not known"


def place_uv(stage: Stage, wanted: InstallRequest, given: dict[str, str]) -> None:
    system = wanted.system or given.get("UV_SYSTEM_PYTHON", "").lower() in ("1", "true")
    if wanted.python and "/" in wanted.python:
        home = posixpath.dirname(posixpath.dirname(stage.path(wanted.python)))
        venv = stage.venvs.get(home) or stage.venvs.get(stage.path(wanted.python))
        wanted.directory = venv_site(venv) if venv else (stage.sites[0] if stage.sites else "")
    elif system:
        wanted.directory = stage.sites[0] if stage.sites else ""
    else:
        active = given.get("VIRTUAL_ENV", "")
        above, places = stage.workdir, [active] if active else []
        while True:
            places.append(posixpath.join(above, ".venv"))
            if above == "/":
                break
            above = posixpath.dirname(above)
        venv = next((stage.venvs[each] for each in places if each in stage.venvs), None)
        if venv is None:
            # With a venv's own directory first on the PATH, uv takes that Python's environment.
            venv = venv_of(stage, "python")
        wanted.directory = venv_site(venv) if venv else ""
        wanted.doubt = wanted.doubt or ("" if venv else "uv finds no virtual environment that is known here")
        if venv is not None:
            wanted.made = replace(wanted.made, python=venv.version or wanted.made.python)


def own_site(stage: Stage, program: str) -> str:
    """Where the pip or Python of that name installs to when nothing else is said."""
    venv = venv_of(stage, program)
    return venv_site(venv) if venv is not None else stage.sites[0] if stage.sites else ""


def scripts_of(directory: str) -> str:
    """Where the programs of what is installed in a directory go."""
    if not directory.endswith("-packages"):
        return posixpath.join(directory, "bin")
    above = posixpath.normpath(posixpath.join(directory, "../../.."))
    if directory.startswith("/usr/lib/python3/dist-packages"):
        return "/usr/bin"
    return posixpath.join(above, "bin")


def _interpreter(stage: Stage, directory: str) -> str:
    """The Python that the first line of installed programs names."""
    for path, venv in stage.venvs.items():
        if directory.startswith(f"{path}/"):
            return f"{venv.made}/bin/python"
    short = f"python{stage.python}" if stage.python else "python3"
    return next((each for name in (short, "python3") for each in search(stage, name) if stage.files.find(each)), "")


def kept_apart(stage: Stage, wanted: InstallRequest, folder: str) -> None:
    """An environment that a tool keeps in its own directory, where only the tool itself starts anything."""
    known = stage.home() and stage.python and "virtualenvs" not in stage.environment.get("PATH", "")
    if known and not any("VIRTUALENVS_PATH" in name or name == "WORKON_HOME" for name in stage.environment):
        wanted.directory = f"{stage.home()}/.cache/{folder}/project/lib/python{stage.python}/site-packages"
    else:
        wanted.doubt = "the tool keeps its environment in a directory of its own, which is not known here"
