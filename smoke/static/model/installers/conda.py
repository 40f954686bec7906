"""conda, mamba and micromamba: environments from what they are asked for, or from their files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import MadeFor
from smoke.static.model.installers.conda_prefix import prefix_of, root_prefix
from smoke.static.model.installers.record import record
from smoke.static.model.installers.venvs import venv_site
from smoke.static.model.installers.wanted import InstallRequest, read_flags, tree_file
from smoke.static.model.stage import Stage
from smoke.static.model.venv import Venv
from smoke.static.python.conda import Environment, read_environment
from smoke.static.python.distributions import modules, normalized

_VALUES = frozenset(
    [
        *["-n", "--name", "-p", "--prefix", "-f", "--file", "-c", "--channel", "--solver", "--platform", "--subdir"],
        *["--repodata-fn", "-r", "--root-prefix", "--rc-file", "--categories", "--category"],
    ]
)


def conda(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    """Follow a command of conda's."""
    words = [word for word in rest if word not in ("-y", "--yes", "-q", "--quiet", "-v")]
    action = " ".join(words[: 2 if words[:1] == ["env"] else 1])
    if action not in ("env create", "env update", "create", "install"):
        return
    flags, values, operands = read_flags(words[len(action.split()) :], _VALUES)
    files = [*values.get("-f", []), *values.get("--file", [])]
    if action.startswith("env"):
        files = files or [each for each in operands if each.endswith((".yml", ".yaml"))] or ["environment.yml"]
        operands = []
    asked = _asked(stage, files, operands, line)
    place = _place(stage, values, asked, action, given)
    if not place:
        _unknown(stage, line, asked.doubt)
        return
    _install(stage, asked, place, line, "--no-deps" in flags, files)


def _asked(stage: Stage, files: Sequence[str], specs: Sequence[str], line: int) -> Environment:
    asked = Environment()
    for file in files:
        source = tree_file(stage, file)
        if not source or stage.read is None:
            asked.doubt = asked.doubt or f"what {file} of line {line} holds is not known"
            continue
        found = read_environment(source, stage.read(source).decode("utf-8", "replace"))
        asked.name, asked.prefix = asked.name or found.name, asked.prefix or found.prefix
        asked.python, asked.has_python = asked.python or found.python, asked.has_python or found.has_python
        asked.distributions += found.distributions
        asked.files += [posixpath.join(posixpath.dirname(stage.path(file)), each) for each in found.files]
        asked.whole, asked.doubt = found.whole, asked.doubt or found.doubt
    for spec in specs:
        asked.add(spec)
    return asked


def _place(stage: Stage, values: dict[str, list[str]], asked: Environment, action: str, given: dict[str, str]) -> str:
    """Where the environment is, by the options, the file or what is active."""
    if any("$" in each for name in ("-n", "--name", "-p", "--prefix") for each in values.get(name, [])):
        return ""
    told = prefix_of(stage, values) or asked.prefix
    if not told and asked.name and action != "install":
        told = prefix_of(stage, {"-n": [asked.name]})
    if not told and action in ("install", "env update"):
        active = given.get("CONDA_DEFAULT_ENV", "") or asked.name
        told = prefix_of(stage, {"-n": [active]}) if active else root_prefix(stage)
    return told


def _unknown(stage: Stage, line: int, doubt: str) -> None:
    wanted = InstallRequest(doubt=doubt or f"what conda installs in line {line} is not followed")
    record(stage, wanted, line)
    for each in ("/opt", "/usr/local/bin"):
        stage.files.suspect(each, f"conda installed packages in line {line}", DoubtCause.PACKAGES)


def _install(
    stage: Stage, asked: Environment, place: str, line: int, no_dependencies: bool, files: Sequence[str]
) -> None:
    held = stage.venvs.get(place)
    version = asked.python or (held.version if held is not None else "")
    short = f"python{version or '3'}"
    venv = Venv(place, f"{place}/bin/{short}", version)
    stage.venvs[place] = venv
    wanted = InstallRequest(made=MadeFor(version, stage.libc, stage.machine), doubt=asked.doubt)
    wanted.given, wanted.directory = list(asked.distributions), venv_site(venv)
    wanted.no_dependencies = no_dependencies or asked.whole
    for each in asked.files:
        source = tree_file(stage, each)
        wanted.requirements.append(source)
        wanted.doubt = wanted.doubt or ("" if source else f"{each} of line {line} is not a file of the tree")
    if place == root_prefix(stage) and stage.files.find(f"{place}/bin/conda") is not None:
        wanted.doubt = wanted.doubt or "what conda's own environment holds is not known"
    record(stage, wanted, line)
    for name in ("python", "python3", short, *(("pip", "pip3") if version else ())):
        stage.files.add(f"{place}/bin/{name}", PathEntry("file", mode=0o755, line=line))
    foreign = [each for each in asked.distributions if modules(_name(each)) is None]
    if foreign or asked.doubt or not asked.has_python:
        why = f"what {_name(foreign[0]) if foreign else 'conda'} of line {line} brings is not known"
        stage.files.suspect(f"{place}/bin", why, DoubtCause.PACKAGES)
        stage.files.suspect(f"{place}/lib", why, DoubtCause.PACKAGES)


def _name(requirement: str) -> str:
    return normalized(requirement.partition("[")[0].partition("=")[0].partition("<")[0].partition(">")[0].strip())
