"""`pip` and `uv pip`: their options and operands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec.structs import replace

from smoke.static.model.filesystem import PathEntry
from smoke.static.model.install import Install, InstalledProject, Lock, MadeFor
from smoke.static.model.installers.houses import take_own
from smoke.static.model.installers.places import own_site, place, scripts_of
from smoke.static.model.installers.record import record
from smoke.static.model.installers.wanted import InstallRequest, made_for, tree_directory, tree_file
from smoke.static.model.stage import Stage

_PIP_VALUES = frozenset(
    [
        "-r",
        "--requirement",
        "-c",
        "--constraint",
        "-t",
        "--target",
        "--prefix",
        "--root",
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "--platform",
        "--python-version",
        "--implementation",
        "--abi",
        "--only-binary",
        "--no-binary",
        "--timeout",
        "--retries",
        "--cache-dir",
        "--trusted-host",
        "--src",
        "--progress-bar",
        "--report",
        "--log",
        "-e",
        "--editable",
        "--upgrade-strategy",
        "--root-user-action",
        "--python",
        "--config-settings",
        "-C",
        "--proxy",
        "--cert",
        "--default-timeout",
        "--use-feature",
        "-w",
        "--wheel-dir",
        "-d",
        "--dest",
        "-p",
        "--python-platform",
        "--index",
        "--default-index",
        "--exclude-newer",
        "--link-mode",
        "--resolution",
        "--prerelease",
        "--index-strategy",
        "--keyring-provider",
        "--group",
        "--extra",
        "--override",
        "--constraints",
        "--requirements",
        "-b",
        "--build-constraint",
        "--torch-backend",
        "--config-setting",
        "--no-build-isolation-package",
        "--refresh-package",
        "--upgrade-package",
        "-P",
        "--reinstall-package",
        "--allow-insecure-host",
        "--directory",
        "--project",
        "--color",
        "--upgrade-group",
        "--source",
        "--source-dir",
        "--source-directory",
        "--destination-dir",
        "--destination-directory",
        "--build-option",
        "--global-option",
        "--pypi-url",
        "--log-file",
        "--local-log",
        "--exists-action",
        "--client-cert",
        "--use-deprecated",
    ]
)
_ONE_PROGRAM = ("uv", "poetry", "pdm", "pipenv", "virtualenv", "hatch", "pipx")
_TOOLS = frozenset(
    [
        "pip",
        "setuptools",
        "wheel",
        "uv",
        "build",
        "poetry",
        "pdm",
        "pipenv",
        "virtualenv",
        "hatch",
        "pip-tools",
        "poetry-core",
        "poetry-plugin-export",
        "pipx",
        "hatchling",
        "cython",
    ]
)
"""Distributions that build or fetch the others: nothing is imported of them as a service starts."""


def pip(stage: Stage, rest: Sequence[str], line: int, program: str, given: dict[str, str], uv: bool = False) -> None:
    """`pip install` and its kin; also `uv pip`."""
    rest = _after_options(rest)
    if not rest or rest[0] not in ("install", "wheel", "download", "sync"):
        if rest and rest[0] == "uninstall":
            gone = {distribution_of(word) for word in rest[1:] if not word.startswith("-")}
            stage.installs = [_without(each, gone) for each in stage.installs]
        return
    wanted = InstallRequest(made=made_for(stage, program))
    words = iter(rest[1:])
    for word in words:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        short = re.match(r"-([rcetfidw])(.+)", word)
        if short is not None and not word.startswith("--"):
            name, equals, value = f"-{short[1]}", "=", short[2]
        if name in _PIP_VALUES and not equals:
            value = next(words, "")
        _option(stage, wanted, name, value, line)
    if rest[0] == "sync":
        for each in list(wanted.given):
            wanted.given.remove(each)
            _option(stage, wanted, "-r", each, line)
    take_own(stage, wanted)
    houses = [each for each in stage.installs if each.house and each.directory in wanted.sources]
    if wanted.no_index and houses and all(each.no_dependencies for each in houses):
        wanted.no_dependencies = True  # there is nothing else to take them from
    if rest[0] in ("wheel", "download"):
        wanted.directory = wanted.house or stage.workdir
        record(stage, wanted, line, house=True)
        return
    if (
        not wanted.requirements
        and not wanted.projects
        and not wanted.groups
        and not wanted.doubt
        and all(distribution_of(each) in _TOOLS for each in wanted.given)
    ):
        stage.settings |= {f"tool {distribution_of(each)}": each for each in wanted.given}
        _tools(stage, wanted, line, program)
        return
    place(stage, wanted, program, given, uv)
    record(stage, wanted, line, lock=_dependency_groups(stage, wanted, line) if wanted.groups else None)


def _dependency_groups(stage: Stage, wanted: InstallRequest, line: int) -> Lock | None:
    """Dependency groups of the pyproject.toml in the working directory, or in the one that they name."""
    places = {group.rpartition(":")[0] for group in wanted.groups}
    source = tree_directory(stage, stage.path(posixpath.dirname(places.pop()) or ".")) if len(places) == 1 else None
    if source is None:
        wanted.doubt = wanted.doubt or f"the dependency groups of line {line} are not followed"
        return None
    return Lock("pip", "", source, groups=tuple(group.rpartition(":")[2] for group in wanted.groups), main=False)


def _after_options(rest: Sequence[str]) -> list[str]:
    words = list(rest)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in _PIP_VALUES else words[1:]
    return words


def _without(install: Install, names: set[str]) -> Install:
    return replace(
        install, distributions=tuple(each for each in install.distributions if distribution_of(each) not in names)
    )


def _tools(stage: Stage, wanted: InstallRequest, line: int, program: str) -> None:
    """A tool that is installed puts its program where the others' go."""
    directory = wanted.directory or own_site(stage, program)
    scripts = wanted.scripts or (scripts_of(directory) if directory else "")
    for each in wanted.given:
        name = distribution_of(each)
        if name not in (*_ONE_PROGRAM, "setuptools", "wheel", "pip"):
            stage.slim = False  # it brings programs that no list here has
        if scripts and name in _ONE_PROGRAM:
            stage.files.add(posixpath.join(scripts, name), PathEntry("file", mode=0o755, line=line))
    if directory and any(
        distribution_of(each) in ("setuptools", "wheel", "pip", "virtualenv") for each in wanted.given
    ):
        wanted.directory = directory
        record(stage, wanted, line)


def distribution_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~;@ ]", requirement)[0]).lower()


_SWITCHES = {"--user": "user", "--system": "system", "--no-deps": "no_dependencies", "--no-index": "no_index"}
"""Options without a value, and the field of `InstallRequest` that each sets."""


def _made_for(made: MadeFor, option: str, value: str) -> MadeFor:
    """What an option says that distributions are installed for."""
    if option == "--python-version":
        digits = re.fullmatch(r"(3)\.?(\d{1,2})(?:\.\d+)?", value)
        return replace(made, python=f"3.{digits[2]}" if digits else "")
    if option == "--abi":
        digits = re.fullmatch(r"cp3(\d{1,2})t?", value)
        return replace(made, python=f"3.{digits[1]}") if digits else made
    return _platform(made, value)


def _option(stage: Stage, wanted: InstallRequest, name: str, value: str, line: int) -> None:  # noqa: PLR0912 - a case an option
    version = f"python{wanted.made.python or stage.python}"
    match name:
        case "-r" | "--requirement" | "--requirements":
            source = tree_file(stage, value)
            if value.endswith("pyproject.toml") and source:
                wanted.projects.append(InstalledProject(posixpath.dirname(source), "", (), alone=True))
            else:
                wanted.requirements.append(source)
                wanted.doubt = wanted.doubt or ("" if source else f"{value} of line {line} is not a file of the tree")
                _projects_in(stage, wanted, source, line)
        case "-t" | "--target":
            wanted.directory = stage.path(value)
            wanted.scripts = posixpath.join(wanted.directory, "bin")
        case "--prefix" | "--root" if stage.python:
            below = stage.path(value)
            system = "/usr/local" if name == "--root" else ""
            wanted.directory = f"{below}{system}/lib/{version}/site-packages"
            wanted.scripts = f"{below}{system}/bin"
        case "--prefix" | "--root":
            wanted.unplaced = True
            wanted.doubt = wanted.doubt or "the version of Python that installs is not known"
        case "--user" | "--system" | "--no-deps" | "--no-index":
            setattr(wanted, _SWITCHES[name], True)
        case "-f" | "--find-links":
            place = stage.path(value)
            wanted.sources.append(place)
            wanted.wheels += _wheels(stage, place, [name for name in stage.files.names(place) if name.endswith(".whl")])
        case "-w" | "--wheel-dir" | "-d" | "--dest" | "--destination-dir" | "--destination-directory":
            wanted.house = stage.path(value)
        case "--platform" | "--python-platform" | "--python-version" | "--abi":
            wanted.made = _made_for(wanted.made, name, value)
        case "-p" | "--python":
            wanted.python = value
        case "-e" | "--editable":
            _given(stage, wanted, value, line, editable=True)
        case "--group":
            wanted.groups.append(value)
        case "--extra":
            wanted.doubt = wanted.doubt or f"{name} of line {line} is not followed"
        case _ if not name.startswith("-"):
            _given(stage, wanted, name, line, editable=False)


def _projects_in(stage: Stage, wanted: InstallRequest, source: str, line: int) -> None:
    """Directories of the tree that a requirement file names; they are meant from where pip is started."""
    text = stage.read(source).decode("utf-8", "replace") if source and stage.read is not None else ""
    for match in re.finditer(r"(?m)^(-e|--editable)?[ =]*(?:file:)?(\.{1,2}(?:/[\w./-]*)?(?:\[[\w, -]+\])?)\s*$", text):
        if tree_directory(stage, stage.path(match[2].partition("[")[0])) is not None:
            _given(stage, wanted, match[2], line, editable=bool(match[1]))


def _platform(made: MadeFor, text: str) -> MadeFor:
    machine = next(
        (each for each in ("x86_64", "aarch64", "armv7l", "i686") if text.endswith(each) or text.startswith(each)), ""
    )
    libc = (
        "musl"
        if "musl" in text
        else "glibc"
        if "linux" in text
        else "none"
        if re.search("win|mac|darwin", text)
        else ""
    )
    return replace(made, machine=machine or made.machine, libc=libc or made.libc, told=True)


def _given(stage: Stage, wanted: InstallRequest, text: str, line: int, *, editable: bool) -> None:
    """An operand: a requirement, a directory of the tree, a wheel, or a pattern of wheels."""
    plain, _, extra = text.partition("[")
    plain = plain.removeprefix("file://")
    extras = tuple(each.strip() for each in extra.partition("]")[0].split(",") if each.strip())
    if re.search(r"://|^git\+|@ ", text) or not (
        plain.startswith((".", "/")) or editable or "/" in plain or plain.endswith(".whl")
    ):
        wanted.given.append(text)
        return
    if "$" in plain:
        wanted.doubt = wanted.doubt or f"{text} of line {line} cannot be followed"
        return
    path = stage.path(plain)
    if plain.endswith((".whl", ".tar.gz", "/*")) or "*" in plain:
        _from_house(stage, wanted, path, plain, line)
        return
    source = tree_directory(stage, path)
    if source is None:
        wanted.doubt = wanted.doubt or f"{text} of line {line} is not a directory of the tree"
        return
    wanted.projects.append(InstalledProject(source, path, extras, editable))


def _wheels(stage: Stage, directory: str, names: Sequence[str]) -> list[str]:
    """Wheels of the tree among the files of a directory."""
    entries = [stage.files.find(posixpath.join(directory, name)) for name in names]
    return [entry.source for entry in entries if entry is not None and entry.kind == "file" and entry.source]


def _from_house(stage: Stage, wanted: InstallRequest, path: str, plain: str, line: int) -> None:
    """Wheels that an earlier command put into a directory."""
    directory = posixpath.dirname(path)
    houses = [each for each in stage.installs if each.house and each.directory == directory]
    for house in houses:
        wanted.requirements += house.requirements
        wanted.given += house.distributions
        wanted.projects += [replace(each, editable=False) for each in house.projects]
        wanted.doubt = wanted.doubt or house.doubt
        if not house.made.told:
            wanted.made = replace(wanted.made, libc=house.made.libc or wanted.made.libc)
    found = [name for name in stage.files.names(directory) if name.endswith(".whl")]
    found_here = [name for name in found if "*" in plain or name == posixpath.basename(plain)]
    wanted.given += found_here
    wanted.wheels += _wheels(stage, directory, found_here)
    if not houses and not found:
        wanted.doubt = wanted.doubt or f"what {plain} of line {line} is, is not known"
