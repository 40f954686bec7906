"""What installers of Python distributions leave behind: pip, uv, poetry, pipenv, pdm, conda; virtual environments.

Each makes `Install`s: what was asked for, where it went, and which Python it was made for. What they bring is worked
out later, from the tree's requirement and lock files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from smoke.static.model.filesystem import Cause, Entry
from smoke.static.model.image import Install, Lock, MadeFor, Project, Venv

if TYPE_CHECKING:
    from smoke.static.model.commands import Stage

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
    ]
)
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
_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.\d+)?)?")
_PIP = re.compile(r"pip[\d.]*")


def libc_of(reference: str) -> str:
    """The C library that an image's programs are linked with, by its reference; empty when that can't be told."""
    if "alpine" in reference or re.search(r"(?:^|/)busybox\b|musl", reference):
        return "musl"
    known = r"(?:^|/)(?:python|debian|ubuntu|distroless|pypy|node|buildpack-deps|rust|golang|fedora|amazonlinux)\b"
    known_tag = r"(?:slim|bookworm|bullseye|trixie|buster|jammy|noble|focal|debian\d*)"
    return "glibc" if re.search(known, reference) or re.search(known_tag, reference) else ""


def follow(stage: Stage, words: Sequence[str], line: int, given: dict[str, str]) -> bool:
    """Follow a command that is an installer; says whether it was one. `given`: its environment."""
    name, rest = posixpath.basename(words[0]), list(words[1:])
    if _PIP.fullmatch(name):
        pip(stage, rest, line, words[0], given)
    elif name in _INSTALLERS:
        _INSTALLERS[name](stage, rest, line, given)
    elif name == "virtualenv":
        _virtualenv(stage, rest, line)
    elif _PYTHON.fullmatch(words[0]) and (module := _module(rest)) is not None:
        place = rest.index(module)
        arguments = rest[place + 1 :]
        if module == "pip":
            pip(stage, arguments, line, words[0], given)
        elif module in ("venv", "virtualenv"):
            _virtualenv(stage, arguments, line, words[0])
        elif module in _INSTALLERS:
            _INSTALLERS[module](stage, arguments, line, given)
        else:
            return False
    else:
        return False
    return True


def known(name: str) -> bool:
    """Whether a program is an installer, or a Python that runs one."""
    return bool(_PIP.fullmatch(name) or _PYTHON.fullmatch(name)) or name in _INSTALLERS or name == "virtualenv"


def _module(rest: list[str]) -> str | None:
    """The module that a Python is told to run with -m."""
    for place, word in enumerate(rest):
        if re.fullmatch(r"-[a-zA-Z]*m", word) and place + 1 < len(rest):
            return rest[place + 1]
        if (joined := re.fullmatch(r"-m(\w+)", word)) is not None:
            rest[place : place + 1] = ["-m", joined[1]]
            return joined[1]
        if not word.startswith("-"):
            return None
    return None


# -- virtual environments -------------------------------------------------------------------------------------------


def _virtualenv(stage: Stage, rest: Sequence[str], line: int, program: str = "") -> None:
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
    stage: Stage, path: str, line: int, program: str = "", system: bool = False, managed: bool = False
) -> Venv:
    """A virtual environment, with the stage's own Python (or the one named) behind it."""
    named = re.search(r"(3\.\d+)(?:\.\d+)?$", program)
    version = named[1] if named else stage.python
    held = next((each for each in stage.venvs.values() if program.startswith(f"{each.made}/bin/")), None)
    interpreter = "" if held is None else held.interpreter
    if program.startswith("/") and held is None and not managed:
        interpreter = program
    short = f"python{version or '3'}"
    interpreter = interpreter or next((each for each in _search(stage, short) if stage.files.find(each)), "")
    if managed or (not interpreter and not stage.python and not _search_doubt(stage, short)):
        interpreter, managed = f"{_uv_home(stage)}/cpython-{version or '3'}/bin/{short}", True
        stage.files.add(interpreter, Entry("file", mode=0o755, line=line))
    interpreter = interpreter or f"/usr/bin/{short}"
    venv = Venv(path, interpreter, version or "", system, managed)
    if not version:
        stage.files.suspect(f"{path}/bin", f"the Python of line {line} is of a version that isn't known", Cause.COMMAND)
        stage.files.suspect(f"{path}/lib", f"the Python of line {line} is of a version that isn't known", Cause.COMMAND)
    stage.venvs[path] = venv
    for name in ("python", "python3", short):
        stage.files.add(f"{path}/bin/{name}", Entry("link", target=interpreter, line=line))
    stage.files.add(f"{path}/bin/activate", Entry("file", mode=0o644, line=line))
    for name in ("pip", "pip3"):
        stage.files.add(f"{path}/bin/{name}", Entry("file", mode=0o755, line=line))
    stage.files.add(f"{path}/lib/python{version or '3'}/site-packages", Entry("directory", mode=0o755, line=line))
    return venv


def _uv_home(stage: Stage) -> str:
    return stage.environment.get("UV_PYTHON_INSTALL_DIR") or posixpath.join(
        stage.home() or "/root", ".local/share/uv/python"
    )


def _search(stage: Stage, name: str) -> list[str]:
    return [posixpath.join(each, name) for each in stage.environment.get("PATH", "").split(":") if each]


def _search_doubt(stage: Stage, name: str) -> str:
    """Why there may be a program of that name on the PATH although none is known."""
    reasons = (stage.files.doubt(each) for each in _search(stage, name))
    return next((each for each in reasons if each and each.cause is not Cause.BASE), "")


def venv_site(venv: Venv, place: str = "") -> str:
    """Where a virtual environment has its distributions."""
    return f"{place or venv.made}/lib/python{venv.version or '3'}/site-packages"


# -- pip ------------------------------------------------------------------------------------------------------------


@dataclass
class _Wanted:
    """What an installer is told."""

    requirements: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    directory: str = ""
    scripts: str = ""
    doubt: str = ""
    made: MadeFor = field(default_factory=MadeFor)
    user: bool = False
    system: bool = False
    no_dependencies: bool = False
    python: str = ""
    groups: list[str] = field(default_factory=list)
    house: str = ""
    """Where wheels are put that are not installed."""


def pip(stage: Stage, rest: Sequence[str], line: int, program: str, given: dict[str, str], uv: bool = False) -> None:
    """`pip install` and its kin; also `uv pip`."""
    rest = _after_options(rest)
    if not rest or rest[0] not in ("install", "wheel", "download", "sync"):
        if rest and rest[0] == "uninstall":
            gone = {_distribution(word) for word in rest[1:] if not word.startswith("-")}
            stage.installs = [_without(each, gone) for each in stage.installs]
        return
    wanted = _Wanted(made=made_for(stage, program))
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
    if rest[0] in ("wheel", "download"):
        wanted.directory = wanted.house or stage.workdir
        _record(stage, wanted, line, house=True)
        return
    if (
        not wanted.requirements
        and not wanted.projects
        and not wanted.groups
        and all(_distribution(each) in _TOOLS for each in wanted.given)
    ):
        _tools(stage, wanted, line, program)
        return
    _place(stage, wanted, program, given, uv)
    _record(stage, wanted, line, lock=_dependency_groups(stage, wanted, line) if wanted.groups else None)


def _dependency_groups(stage: Stage, wanted: _Wanted, line: int) -> Lock | None:
    """Dependency groups of the pyproject.toml in the working directory, or in the one that they name."""
    places = {group.rpartition(":")[0] for group in wanted.groups}
    source = _tree_directory(stage, stage.path(posixpath.dirname(places.pop()) or ".")) if len(places) == 1 else None
    if source is None:
        wanted.doubt = wanted.doubt or f"the dependency groups of line {line} are not followed"
        return None
    return Lock("pip", "", source, groups=tuple(group.rpartition(":")[2] for group in wanted.groups), main=False)


def _after_options(rest: Sequence[str]) -> list[str]:
    words = list(rest)
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("--python", "--cache-dir", "--proxy", "--log") else words[1:]
    return words


def _without(install: Install, names: set[str]) -> Install:
    return replace(
        install, distributions=tuple(each for each in install.distributions if _distribution(each) not in names)
    )


def _tools(stage: Stage, wanted: _Wanted, line: int, program: str) -> None:
    """A tool that is installed puts its program where the others' go."""
    directory = wanted.directory or _own_site(stage, program)
    scripts = wanted.scripts or (_scripts(directory) if directory else "")
    for each in wanted.given:
        name = _distribution(each)
        if scripts and name in ("uv", "poetry", "pdm", "pipenv", "virtualenv", "hatch", "pipx"):
            stage.files.add(posixpath.join(scripts, name), Entry("file", mode=0o755, line=line))
    if directory and any(_distribution(each) in ("setuptools", "wheel", "pip", "virtualenv") for each in wanted.given):
        wanted.directory = directory
        _record(stage, wanted, line)


def _distribution(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~;@ ]", requirement)[0]).lower()


def _option(stage: Stage, wanted: _Wanted, name: str, value: str, line: int) -> None:  # noqa: PLR0912 - a case an option
    version = f"python{wanted.made.python or stage.python}"
    match name:
        case "-r" | "--requirement" | "--requirements":
            source = _tree_file(stage, value)
            if value.endswith("pyproject.toml") and source:
                wanted.projects.append(Project(posixpath.dirname(source), "", (), alone=True))
            else:
                wanted.requirements.append(source)
                wanted.doubt = wanted.doubt or ("" if source else f"{value} of line {line} is no file of the tree")
        case "-t" | "--target":
            wanted.directory = stage.path(value)
            wanted.scripts = posixpath.join(wanted.directory, "bin")
        case "--prefix" | "--root" if stage.python:
            below = stage.path(value)
            system = "/usr/local" if name == "--root" else ""
            wanted.directory = f"{below}{system}/lib/{version}/site-packages"
            wanted.scripts = f"{below}{system}/bin"
        case "--prefix" | "--root":
            wanted.doubt = wanted.doubt or "the version of Python that installs is not known"
        case "--user":
            wanted.user = True
        case "--system":
            wanted.system = True
        case "--no-deps":
            wanted.no_dependencies = True
        case "-w" | "--wheel-dir" | "-d" | "--dest":
            wanted.house = stage.path(value)
        case "--platform" | "--python-platform":
            wanted.made = _platform(wanted.made, value)
        case "--python-version":
            digits = re.fullmatch(r"(3)\.?(\d{1,2})(?:\.\d+)?", value)
            wanted.made = replace(wanted.made, python=f"3.{digits[2]}" if digits else "")
        case "--abi":
            digits = re.fullmatch(r"cp3(\d{1,2})t?", value)
            wanted.made = replace(wanted.made, python=f"3.{digits[1]}") if digits else wanted.made
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


def _given(stage: Stage, wanted: _Wanted, text: str, line: int, *, editable: bool) -> None:
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
        wanted.doubt = wanted.doubt or f"{text} of line {line} can't be followed"
        return
    path = stage.path(plain)
    if plain.endswith((".whl", ".tar.gz", "/*")) or "*" in plain:
        _from_house(stage, wanted, path, plain, line)
        return
    source = _tree_directory(stage, path)
    if source is None:
        wanted.doubt = wanted.doubt or f"{text} of line {line} is no directory of the tree"
        return
    wanted.projects.append(Project(source, path, extras, editable))


def _from_house(stage: Stage, wanted: _Wanted, path: str, plain: str, line: int) -> None:
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
    wanted.given += [name for name in found if "*" in plain or name == posixpath.basename(plain)]
    if not houses and not found:
        wanted.doubt = wanted.doubt or f"what {plain} of line {line} is, is not known"


def _tree_directory(stage: Stage, path: str) -> str | None:
    """The directory of the tree that a directory of the stage was copied from."""
    for marker in ("pyproject.toml", "setup.py", "setup.cfg"):
        entry = stage.files.find(posixpath.join(path, marker))
        if entry is not None and entry.source:
            return posixpath.dirname(entry.source)
    return None


def _tree_file(stage: Stage, path: str) -> str:
    entry = stage.files.find(stage.path(path))
    return entry.source if entry is not None and entry.kind == "file" else ""


def made_for(stage: Stage, program: str = "") -> MadeFor:
    """What an installation in this stage is made for unless it is told otherwise."""
    venv = _venv_of(stage, program)
    python = venv.version if venv is not None else ""
    named = re.search(r"(3\.\d+)$", posixpath.basename(program))
    python = python or (named[1] if named else "") or stage.python
    return MadeFor(python, stage.libc, stage.machine)


def _venv_of(stage: Stage, program: str) -> Venv | None:
    """The virtual environment whose program of that name is meant."""
    for place in [stage.path(program)] if "/" in program else _search(stage, program or "python"):
        venv = stage.venvs.get(posixpath.dirname(posixpath.dirname(place)))
        if venv is not None:
            return venv
        if stage.files.entries.get(place) is not None:
            return None
    return None


def _place(stage: Stage, wanted: _Wanted, program: str, given: dict[str, str], uv: bool) -> None:
    """Where it goes, by the options and the environment."""
    if not wanted.directory and given.get("PIP_TARGET") and not uv:
        wanted.directory = stage.path(given["PIP_TARGET"])
        wanted.scripts = posixpath.join(wanted.directory, "bin")
    if wanted.directory or wanted.doubt.startswith("the version of Python"):
        return
    if uv:
        _place_uv(stage, wanted, given)
    elif wanted.python:
        venv = stage.venvs.get(stage.path(wanted.python).removesuffix("/bin/python"))
        wanted.directory = venv_site(venv) if venv is not None else ""
    elif wanted.user or given.get("PIP_USER", "").lower() in ("1", "true", "yes"):
        _place_user(stage, wanted)
    else:
        wanted.directory = _own_site(stage, program)
        number = stage.number(stage.user)
        if number != 0 and _venv_of(stage, program) is None and stage.user:
            # pip falls back to the user's own directory where it may not write.
            _place_user(stage, wanted)


def _place_user(stage: Stage, wanted: _Wanted) -> None:
    base = stage.environment.get("PYTHONUSERBASE") or (f"{stage.home()}/.local" if stage.home() else "")
    if base and stage.python:
        wanted.directory = f"{base}/lib/python{stage.python}/site-packages"
        wanted.scripts = f"{base}/bin"
    else:
        wanted.directory = ""
        wanted.doubt = wanted.doubt or "the version of Python that installs, or its home directory, is not known"


def _place_uv(stage: Stage, wanted: _Wanted, given: dict[str, str]) -> None:
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
            venv = _venv_of(stage, "python")
        wanted.directory = venv_site(venv) if venv else ""
        wanted.doubt = wanted.doubt or ("" if venv else "uv finds no virtual environment that is known here")
        if venv is not None:
            wanted.made = replace(wanted.made, python=venv.version or wanted.made.python)


def _own_site(stage: Stage, program: str) -> str:
    """Where the pip or Python of that name installs to when nothing else is said."""
    venv = _venv_of(stage, program)
    return venv_site(venv) if venv is not None else stage.sites[0] if stage.sites else ""


def _scripts(directory: str) -> str:
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
    return next((each for name in (short, "python3") for each in _search(stage, name) if stage.files.find(each)), "")


def _record(stage: Stage, wanted: _Wanted, line: int, *, house: bool = False, lock: Lock | None = None) -> None:
    """Put an installation on record, and its directories into the file system."""
    directory = wanted.directory
    scripts = wanted.scripts or (_scripts(directory) if directory and not house else "")
    doubt = wanted.doubt or ("" if directory else "where it is installed is not known")
    if directory:
        installed(stage, directory, scripts, line)
    stage.installs.append(
        Install(
            line,
            tuple(source for source in wanted.requirements if source),
            tuple(wanted.given),
            directory,
            None,
            doubt,
            projects=tuple(wanted.projects),
            lock=lock,
            made=wanted.made,
            scripts=scripts,
            interpreter="" if house else _interpreter(stage, directory),
            house=house,
            no_dependencies=wanted.no_dependencies,
        )
    )
    if directory and not house:
        for project in wanted.projects:
            if not project.alone:
                _lay_out(stage, project, directory, line)


def installed(stage: Stage, directory: str, scripts: str, line: int) -> None:
    """The directories of an installation, in doubt: what is in them is judged by what was asked for."""
    reason = f"what pip installed in line {line} is known by its requirements alone"
    for each in (directory, scripts):
        if each:
            stage.files.add(each, Entry("directory", user=stage.number(stage.user), mode=0o755, line=line))
            stage.files.suspect(each, reason, Cause.DISTRIBUTIONS)


_NO_PACKAGES = frozenset(
    ["tests", "test", "docs", "doc", "examples", "example", "scripts", "build", "dist", "tools", "src"]
)


def _lay_out(stage: Stage, project: Project, directory: str, line: int) -> None:
    """The modules of a project where its installation puts them; an editable one is a link to its sources."""
    root = project.place
    for base in (f"{root}/src", root):
        found = [
            name
            for name in stage.files.names(base)
            if name not in _NO_PACKAGES
            and not name.startswith(".")
            and (
                stage.files.find(f"{base}/{name}/__init__.py")
                or (name.endswith(".py") and name not in ("setup.py", "conftest.py"))
            )
        ]
        if base == f"{root}/src":
            found = [*found, *(name for name in stage.files.names(base) if name not in found and "." not in name)]
        if not found:
            continue
        for name in found:
            if project.editable:
                stage.files.add(f"{directory}/{name}", Entry("link", target=f"{base}/{name}", line=line))
                continue
            for path, entry in list(stage.files.below(f"{base}/{name}")):
                inside = path[len(stage.files.resolve(base)) :]
                owner = stage.number(stage.user)
                mode = 0o755 if entry.kind == "directory" else 0o644
                stage.files.add(directory + inside, replace(entry, user=owner, mode=mode, line=line))
        return


# -- tools with lock files --------------------------------------------------------------------------------------------


def _flags(rest: Sequence[str], valued: frozenset[str]) -> tuple[set[str], dict[str, list[str]], list[str]]:
    flags: set[str] = set()
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    words = iter(rest)
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("-") and equals:
            values.setdefault(name, []).append(value)
        elif word in valued:
            values.setdefault(word, []).append(next(words, ""))
        elif word.startswith("-"):
            flags.add(word)
        else:
            operands.append(word)
    return flags, values, operands


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for value in values for part in re.split(r"[,\s]+", value) if part)


_UV_VALUES = frozenset(
    [
        "--extra",
        "--group",
        "--no-group",
        "--only-group",
        "--package",
        "--python",
        "-p",
        "--project",
        "--directory",
        "--no-install-package",
        "--link-mode",
        "--index-url",
        "--index",
        "--cache-dir",
        "--default-index",
        "--extra-index-url",
        "--config-setting",
        "-C",
        "--python-platform",
        "--exclude-newer",
        "--resolution",
        "--index-strategy",
        "--keyring-provider",
        "--config-file",
        "--refresh-package",
        "--upgrade-package",
        "-P",
        "--prompt",
        "--color",
    ]
)


def _uv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _UV_VALUES else rest[1:]
    action = rest[0] if rest else ""
    if action == "pip":
        pip(stage, rest[1:], line, "", given, uv=True)
    elif action == "venv":
        _uv_venv(stage, rest[1:], line, given)
    elif action == "sync":
        _uv_sync(stage, rest[1:], line, given)
    elif action == "run":
        stage.files.suspect(stage.path("."), f"uv ran something in line {line}", Cause.COMMAND)
    elif action in ("add", "tool"):
        _doubtful(stage, f"uv {action}", line)


def _uv_venv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    _, values, operands = _flags(rest, _UV_VALUES)
    path = stage.path(operands[0] if operands else given.get("UV_PROJECT_ENVIRONMENT", ".venv"))
    _uv_make(stage, path, (values.get("--python") or values.get("-p") or [given.get("UV_PYTHON", "")])[0], line, given)


def _uv_make(stage: Stage, path: str, wanted: str, line: int, given: dict[str, str]) -> Venv:
    """The environment that uv makes: with the Python that is there, or with one that it fetches."""
    version = re.search(r"3\.\d+", wanted)
    fetch = given.get("UV_PYTHON_DOWNLOADS", "").lower() not in ("never", "0", "false", "manual")
    only = given.get("UV_PYTHON_PREFERENCE", "") == "only-managed" or given.get("UV_MANAGED_PYTHON", "") in (
        "1",
        "true",
    )
    other = version is not None and bool(stage.python) and version[0] != stage.python
    missing = not stage.python and not _search_doubt(stage, "python3")
    managed = fetch and (only or other or missing) and not wanted.startswith("/")
    return make_venv(
        stage, path, line, f"python{version[0]}" if version and not wanted.startswith("/") else wanted, False, managed
    )


def _uv_sync(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, _ = _flags(rest, _UV_VALUES)
    base = stage.path((values.get("--project") or values.get("--directory") or ["."])[0])
    project = _tree_directory(stage, base)
    active = given.get("VIRTUAL_ENV", "") if "--active" in flags else ""
    place = stage.path(posixpath.join(base, given.get("UV_PROJECT_ENVIRONMENT") or active or ".venv"))
    wanted = _Wanted(made=made_for(stage))
    wanted.directory = stage.sites[0] if stage.sites and place in ("/usr/local", "/usr") else ""
    if not wanted.directory:
        python = (values.get("--python") or values.get("-p") or [given.get("UV_PYTHON", "")])[0]
        pin = stage.files.find(f"{base}/.python-version")
        venv = stage.venvs.get(place)
        if venv is None:
            venv = _uv_make(
                stage, place, python or stage.pins.get(pin.source if pin is not None else "", ""), line, given
            )
        wanted.directory = venv_site(venv)
        wanted.made = replace(wanted.made, python=venv.version or wanted.made.python)
    if project is None:
        wanted.doubt = f"what uv syncs in line {line} is not known: no pyproject.toml of the tree is there"
    lock = Lock(
        "uv",
        _tree_file(stage, f"{base}/uv.lock"),
        project or "",
        extras=_split(values.get("--extra", [])),
        every_extra="--all-extras" in flags,
        groups=_split([*values.get("--group", []), *values.get("--only-group", [])]),
        without=_split(values.get("--no-group", [])),
        development=not flags & {"--no-dev", "--no-default-groups"}
        and not given.get("UV_NO_DEV")
        and "--only-group" not in values,
        every_group="--all-groups" in flags,
        main="--only-group" not in values and "--only-dev" not in flags,
        package=(values.get("--package") or [""])[0],
        every_package="--all-packages" in flags,
    )
    own = project is not None and not flags & {"--no-install-project", "--no-install-workspace", "--no-install-local"}
    if own and lock.main and not lock.package:
        editable = "--no-editable" not in flags and given.get("UV_NO_EDITABLE", "").lower() not in ("1", "true")
        wanted.projects.append(Project(project or "", base, (), editable, optional=True))
    _record(stage, wanted, line, lock=lock)


_POETRY_VALUES = frozenset(["--only", "--with", "--without", "--extras", "-E", "-C", "--directory", "-P", "--project"])


def _poetry(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, operands = _flags(rest, _POETRY_VALUES)
    if operands[:1] == ["config"] and len(operands) >= 3:
        stage.settings[f"poetry.{operands[1]}"] = operands[2]
        return
    if operands[:1] == ["export"]:
        _doubtful_file(stage, rest, line)
        return
    if operands[:1] not in (["install"], ["sync"]):
        return
    base = stage.path(
        (values.get("--directory") or values.get("-C") or values.get("--project") or values.get("-P") or ["."])[0]
    )
    project = _tree_directory(stage, base)
    wanted = _Wanted(made=made_for(stage))
    create = _setting(stage, given, "virtualenvs.create", "true")
    inside = _setting(stage, given, "virtualenvs.in-project", "")
    active = stage.venvs.get(given.get("VIRTUAL_ENV", "")) or _venv_of(stage, "python")
    if active is not None:
        wanted.directory = venv_site(active)
    elif create == "false":
        wanted.directory = stage.sites[0] if stage.sites else ""
    elif inside == "true":
        place = f"{base}/.venv"
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    else:
        _kept_apart(stage, wanted, "pypoetry/virtualenvs")
    if project is None:
        wanted.doubt = wanted.doubt or f"what poetry installs in line {line} is not known"
    only = _split(values.get("--only", []))
    extras = _split([*values.get("--extras", []), *values.get("-E", [])])
    lock = Lock(
        "poetry",
        _tree_file(stage, f"{base}/poetry.lock"),
        project or "",
        extras=extras,
        every_extra="--all-extras" in flags,
        groups=_split([*values.get("--with", []), *(each for each in only if each not in ("main", "default"))]),
        without=_split(values.get("--without", [])),
        development=not only and "--no-dev" not in flags,
        main=not only or bool({"main", "default"} & {*only}),
    )
    if ("--no-root" not in flags and "--no-directory" not in flags and project is not None and not only) or (
        "--no-root" not in flags and project is not None and lock.main
    ):
        wanted.projects.append(Project(project, base, (), True, optional=True))
    _record(stage, wanted, line, lock=lock)


def _kept_apart(stage: Stage, wanted: _Wanted, folder: str) -> None:
    """An environment that a tool keeps in its own directory, where only the tool itself starts anything."""
    known = stage.home() and stage.python and "virtualenvs" not in stage.environment.get("PATH", "")
    if known and not any("VIRTUALENVS_PATH" in name or name == "WORKON_HOME" for name in stage.environment):
        wanted.directory = f"{stage.home()}/.cache/{folder}/project/lib/python{stage.python}/site-packages"
    else:
        wanted.doubt = "the tool keeps its environment in a directory of its own, which is not known here"


def _setting(stage: Stage, given: dict[str, str], name: str, default: str) -> str:
    variable = "POETRY_" + name.upper().replace(".", "_").replace("-", "_")
    text = given.get(variable) or stage.settings.get(f"poetry.{name}") or default
    return {"1": "true", "0": "false", "yes": "true", "no": "false"}.get(text.lower(), text.lower())


def _pipenv(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, _, operands = _flags(rest, frozenset(["--python", "--categories", "--pypi-mirror", "--extra-pip-args"]))
    if operands[:1] == ["requirements"]:
        _doubtful_file(stage, rest, line)
        return
    if operands[:1] not in (["install"], ["sync"]):
        return
    wanted = _Wanted(made=made_for(stage))
    wanted.given = operands[1:]
    active = stage.venvs.get(given.get("VIRTUAL_ENV", ""))
    if "--system" in flags or given.get("PIPENV_SYSTEM"):
        wanted.directory = venv_site(active) if active else stage.sites[0] if stage.sites else ""
    elif active is not None:
        wanted.directory = venv_site(active)
    elif given.get("PIPENV_VENV_IN_PROJECT", "").lower() in ("1", "true"):
        place = stage.path(".venv")
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    else:
        _kept_apart(stage, wanted, "virtualenvs")
    path = _tree_file(stage, stage.path("Pipfile.lock")) or _tree_file(stage, stage.path("Pipfile"))
    if not path:
        wanted.doubt = wanted.doubt or f"what pipenv installs in line {line} is not known"
    development = bool(flags & {"--dev", "-d"})
    _record(stage, wanted, line, lock=Lock("pipenv", path, posixpath.dirname(path), development=development))


def _pdm(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    flags, values, operands = _flags(
        rest, frozenset(["-G", "--group", "-p", "--project", "--without", "-L", "--lockfile"])
    )
    if operands[:1] == ["export"]:
        _doubtful_file(stage, rest, line)
        return
    if operands[:1] not in (["install"], ["sync"]):
        return
    wanted = _Wanted(made=made_for(stage))
    project = _tree_directory(stage, stage.path("."))
    path = _tree_file(stage, stage.path("pdm.lock"))
    if flags & {"-g", "--global"}:
        wanted.directory = stage.sites[0] if stage.sites else ""
    elif "pdm.python.use_venv" in stage.settings or given.get("PDM_USE_VENV", "").lower() in ("0", "false"):
        wanted.doubt = "pdm keeps the distributions in __pypackages__"
    else:
        place = stage.path(".venv")
        wanted.directory = venv_site(stage.venvs.get(place) or make_venv(stage, place, line))
    if project is None:
        wanted.doubt = wanted.doubt or f"what pdm installs in line {line} is not known"
    lock = Lock(
        "pdm",
        path,
        project or "",
        groups=_split([*values.get("-G", []), *values.get("--group", [])]),
        development=not flags & {"--prod", "--production", "--no-dev"},
        without=_split(values.get("--without", [])),
    )
    if not flags & {"--no-self"} and project is not None:
        wanted.projects.append(Project(project, stage.path("."), (), "--no-editable" not in flags, optional=True))
    _record(stage, wanted, line, lock=lock)


def _conda(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    """conda brings distributions, programs and Pythons of its own: all that is known is that they are there."""
    if {"install", "create", "update", "env"} & {*rest}:
        _doubtful(stage, "conda", line)
        for each in ("/opt", "/usr/local/bin"):
            stage.files.suspect(each, f"conda installed packages in line {line}", Cause.PACKAGES)


def _doubtful(stage: Stage, tool: str, line: int) -> None:
    doubt = f"what {tool} installs in line {line} is not followed"
    stage.installs.append(Install(line, doubt=doubt))
    for site in stage.sites:
        stage.files.suspect(site, doubt, Cause.COMMAND)


def _doubtful_file(stage: Stage, rest: Sequence[str], line: int) -> None:
    """A requirement file that a tool writes from its lock."""
    for place, word in enumerate(rest):
        if word in ("-o", "--output") and place + 1 < len(rest):
            stage.files.add(stage.path(rest[place + 1]), Entry("file", mode=0o644, line=line))


_INSTALLERS: dict[str, Callable[[Stage, list[str], int, dict[str, str]], None]] = {
    "uv": _uv,
    "poetry": _poetry,
    "pipenv": _pipenv,
    "pdm": _pdm,
    "conda": _conda,
    "mamba": _conda,
    "micromamba": _conda,
    "pipx": lambda stage, rest, line, given: _doubtful(stage, "pipx", line),
    "easy_install": lambda stage, rest, line, given: _doubtful(stage, "easy_install", line),
}
