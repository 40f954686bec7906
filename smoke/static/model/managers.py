"""What package managers and installers refuse: apt without its lists, pip where the system's Python is not its own."""

from __future__ import annotations

import itertools
import posixpath
import re
import tomllib
from collections.abc import Iterator
from functools import partial

from smoke.static.model.described import files_named
from smoke.static.model.node import npm_refusal
from smoke.static.model.pins import refused_pin
from smoke.static.model.projecting import poetry_project, poetry_refusal, uv_refusal
from smoke.static.model.releases import lacks_package
from smoke.static.model.stage import Stage
from smoke.static.model.wheels import NOT_TO_BE_HAD, unfit, without_wheel

_APT_ASKS_NOT = frozenset(
    ["bzip2", "dumb-init", "gosu", "less", "make", "procps", "sudo", "tini", "tzdata", "unzip", "xz-utils", "zip"]
)
"""Packages that need no other one that a slim image lacks: apt does not ask before it installs them."""
_BUSYBOX_ONLY = {"adduser": frozenset("DSH"), "addgroup": frozenset("S")}
"""Letters of options that Busybox's commands know and Debian's do not."""
_ALPINE_ONLY = frozenset(
    [
        *["build-base", "postgresql-dev", "postgresql-libs", "mariadb-dev", "mariadb-connector-c", "py3-pip"],
        *["mariadb-connector-c-dev", "openssl-dev", "jpeg-dev", "zlib-dev", "freetype-dev"],
        *["openldap-dev", "su-exec", "shadow", "readline-dev", "sqlite-dev", "bzip2-dev", "xz-dev"],
        *["openjpeg-dev", "tiff-dev", "lcms2-dev", "gcompat", "libc6-compat", "gdal-dev", "geos-dev", "alpine-sdk"],
        *["py3-setuptools", "py3-wheel", "libmagic", "pkgconf-dev", "cyrus-sasl-dev", "yaml-dev", "unixodbc-openssl"],
    ]
)
_DEBIAN_ONLY = frozenset(
    [
        *["build-essential", "libssl-dev", "default-libmysqlclient-dev", "libxslt1-dev", "zlib1g-dev", "python3-venv"],
        *["libgl1-mesa-glx", "libglib2.0-0", "libsm6", "libxext6", "libgomp1", "libmagic1", "python3-pip", "locales"],
        *["software-properties-common", "apt-transport-https", "libc6-dev", "libpq5", "libmariadb-dev", "xz-utils"],
        *["libldap2-dev", "libsasl2-dev", "uuid-dev", "libgl1", "libreadline-dev", "libbz2-dev", "liblzma-dev"],
        *["libsqlite3-dev", "libncurses5-dev", "libncurses-dev", "libjpeg62-turbo-dev", "dnsutils", "libcairo2"],
        *[
            "libpango-1.0-0",
            "libxml2-utils",
            "libyaml-dev",
            "netcat",
            "procps-ng-dev",
            "libjpeg62-turbo",
            "libgnutls28-dev",
        ],
    ]
)
"""Packages of one distribution that the other has under another name (packages.debian.org, pkgs.alpinelinux.org)."""
_LOCKED = {"uv": "uv.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
_VENV_PACKAGES = re.compile(r"python3(?:\.\d+)?-(?:venv|full)|pipx|.*(?:poetry|tox|virtualenv).*")
_SOURCE_ONLY = frozenset(
    [
        *["dbus-python", "dlib", "evdev", "fasttext", "gssapi", "mod-wsgi", "mysqlclient", "psycopg2", "pyaudio"],
        *["pycairo", "pycrypto", "pycups", "pygobject", "pygraphviz", "pysqlcipher3", "python-ldap", "spidev"],
        *["rpi-gpio", "smbus", "systemd-python", "uwsgi"],
    ]
)
"""Distributions that have no wheel for Linux on PyPI (November 2026): they are compiled where they are installed."""
_OTHER_INDEX = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
_MAX_FILE = 1 << 20
MAX_LINES = 5_000


def refusal(stage: Stage, name: str, rest: list[str]) -> str:
    """Why a package manager or installer surely refuses; empty when nothing speaks against it."""
    shown = name
    if re.fullmatch(r"python3?(?:\.\d+)?", name) and rest[:1] == ["-m"]:
        shown, name, rest = f"{name} -m {' '.join(rest[1:2])}", " ".join(rest[1:2]), rest[2:]
        if name == "venv":
            return _venv(stage, rest, shown.partition(" ")[0])
    if name in ("apt-get", "apt", "apk"):
        return _apk(stage, rest) if name == "apk" else _apt(stage, name, rest)
    if name == "npm":
        locked = stage.npm_locked
        return npm_refusal(rest, partial(_text_of, stage), partial(_is_there, stage), locked=locked)
    if name in _BUSYBOX_ONLY:
        return _busybox_option(stage, name, rest)
    if re.fullmatch(r"pip[\d.]*", name):
        return _pip(stage, rest, shown)
    message = (
        (poetry_refusal(stage, rest) or poetry_project(stage, rest))
        if name == "poetry"
        else uv_refusal(stage, rest)
        if name == "uv"
        else ""
    )
    return message or (_lock(stage, name, rest) if name in _LOCKED else "")


def _is_there(stage: Stage, operand: str) -> bool | None:
    place = stage.path(operand)
    if stage.files.find(place) is not None:
        return True
    return None if stage.files.doubt(place) else False


def _text_of(stage: Stage, operand: str) -> str | None:
    entry = stage.files.find(stage.path(operand))
    if entry is None or not entry.source or stage.read is None:
        return None
    return stage.read(entry.source)[:_MAX_FILE].decode("utf-8", "replace")


def _foreign(word: str, names: frozenset[str]) -> bool:
    return re.split(r"[=<>~@:]", word, maxsplit=1)[0] in names


def _apt(stage: Stage, name: str, rest: list[str]) -> str:
    if "install" not in rest or any(word.startswith(("--download-only", "--simulate", "--dry-run")) for word in rest):
        return ""
    wanted = [word for word in rest if not word.startswith("-") and word != "install"]
    named = [word for word in wanted if not word.startswith(("/", "./", "$")) and "=" not in word[:1]]
    yes = any(re.fullmatch(r"-[a-z]*y[a-z]*|-[a-z]*qq[a-z]*|--yes|--assume-yes|--quiet=2", word) for word in rest)
    told = any(path.startswith("/etc/apt/apt.conf") for path in stage.files.entries)
    if told or any("Assume-Yes" in word for word in rest) or stage.fed:
        yes = True
    if not yes and stage.system == "debian" and any(word not in _APT_ASKS_NOT for word in named):
        return f"{name} install asks before it goes on, and nobody answers: it takes -y"
    if stage.system == "debian" and (odd := next((word for word in named if _foreign(word, _ALPINE_ONLY)), "")):
        return f"{name} install: there is no package {odd} in Debian: that is Alpine's name"
    if not _other_sources(stage) and (gone := next(filter(None, (lacks_package(stage.release, e) for e in named)), "")):
        return f"{name} install: {gone}"
    if stage.lists is False and named:
        return f"{name} install knows no package yet: the image comes without lists, and no {name} update came before"
    return ""


def _other_sources(stage: Stage) -> bool:
    """Whether apt may have been told of more than its release's own archive."""
    return stage.other_sources or any(
        path.startswith("/etc/apt/sources.list") and entry.line for path, entry in stage.files.entries.items()
    )


def _apk(stage: Stage, rest: list[str]) -> str:
    odd = next((word for word in rest if _foreign(word, _DEBIAN_ONLY)), "")
    if not odd or "add" not in rest or stage.system != "alpine":
        return ""
    return f"apk add: there is no package {odd} in Alpine: that is Debian's name"


def _busybox_option(stage: Stage, name: str, rest: list[str]) -> str:
    if stage.system != "debian":
        return ""
    for word in rest:
        if re.fullmatch(r"-[A-Za-z]+", word) and (odd := _BUSYBOX_ONLY[name] & {*word[1:]}):
            return f"{name} of Debian has no option -{min(odd)}: that is Busybox's"
    return ""


def _venv(stage: Stage, rest: list[str], name: str) -> str:
    """Debian's own Python has no ensurepip unless its package is there."""
    if stage.system != "debian" or not stage.managed or "--without-pip" in rest or _own(stage, name) is None:
        return ""
    if any(_VENV_PACKAGES.fullmatch(package) for package in stage.packages):
        return ""
    return f"{name} -m venv: Debian's Python has no ensurepip without the package python3-venv"


def _own(stage: Stage, name: str) -> str | None:
    """Where a program is, if it is the distribution's own."""
    found = stage.surroundings().find(name)
    return found.place if found.place.startswith("/usr/bin/") else None


def _pip(stage: Stage, rest: list[str], shown: str) -> str:
    if rest[:1] != ["install"]:
        return ""
    return _managed(stage, rest[1:], shown) or _homeless(stage, rest[1:], shown) or _requested(stage, rest[1:], shown)


def _homeless(stage: Stage, rest: list[str], shown: str) -> str:
    """A number that is no user's has / for a home: pip may write neither there nor where root installs."""
    number = stage.number(stage.user) if stage.user else None
    known = stage.users_known and stage.user.partition(":")[0].isdigit() and number not in stage.numbers.values()
    elsewhere = ("-t", "--target", "--prefix", "--root", "--python", "--dry-run")
    if not number or not known or stage.venvs or any(word.partition("=")[0] in elsewhere for word in rest):
        return ""
    if any(each in stage.environment for each in ("HOME", "PYTHONUSERBASE", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")):
        return ""
    site = stage.files.find(stage.sites[0]) if stage.sites else None
    open_ = site is None or site.mode is None or bool(site.mode & 0o022) or site.user not in (None, 0)
    if open_ or _own_root(stage):
        return ""
    return f"{shown} install: user {number} may not write to {stage.sites[0]}, and has no home directory"


def _own_root(stage: Stage) -> bool:
    """Whether a step may have given the root directory, which is then the home, to others."""
    held = stage.files.entries.get("/")
    return held is not None and (held.user not in (None, 0) or held.mode is None or bool(held.mode & 0o022))


def _managed(stage: Stage, rest: list[str], shown: str) -> str:
    """PEP 668: the system's own Python is left alone unless pip is told otherwise."""
    if not stage.managed or stage.managed_free or not _marks_its_python(stage):
        return ""
    if stage.environment.get("PIP_BREAK_SYSTEM_PACKAGES", "").lower() in ("1", "true", "yes", "on"):
        return ""
    free = ("--break-system-packages", "-t", "--target", "--prefix", "--root", "--python", "--dry-run")
    if any(word.partition("=")[0] in free or re.match(r"-t.", word) for word in rest):
        return ""
    if _own(stage, shown.partition(" ")[0]) is None:
        return ""
    return f"{shown} install: the system's Python is externally managed (PEP 668), so pip refuses"


def _marks_its_python(stage: Stage) -> bool:
    minor = re.fullmatch(r"3\.(\d+)", stage.package_python)
    if minor is None or stage.python != stage.package_python:
        return False
    return int(minor[1]) >= {"debian": 11, "alpine": 12}.get(stage.system, 99)


def _requested(stage: Stage, rest: list[str], shown: str) -> str:
    """What is wrong with what pip is asked for."""
    elsewhere = any(word.partition("=")[0] in _OTHER_INDEX for word in rest)
    elsewhere = elsewhere or "PIP_EXTRA_INDEX_URL" in stage.environment
    troubles = (*_of_files(stage, rest, elsewhere), *_of_words(stage, rest, elsewhere))
    return f"{shown}: {troubles[0]}" if troubles else ""


def _of_files(stage: Stage, rest: list[str], elsewhere: bool) -> Iterator[str]:
    """What is wrong with the requirement and constraint files."""
    pins: dict[str, str] = {}
    limits: dict[str, str] = {}
    hashed, bare = "--require-hashes" if "--require-hashes" in rest else "", ""
    for option, file in itertools.pairwise(rest):
        if option not in ("-r", "--requirement", "-c", "--constraint"):
            continue
        for line, absent in _lines(stage, file, 0):
            if absent:
                yield absent
            elif option.startswith(("-c", "--c")):
                _twice(limits, line)
            else:
                hashed, bare = (line, bare) if "--hash" in line else (hashed, bare or line)
                yield from filter(None, (_needs(stage, line, elsewhere), _twice(pins, line)))
    for name in sorted(pins.keys() & limits.keys()):
        if pins[name] != limits[name]:
            yield f"{name} is pinned to {pins[name]}, and its constraint to {limits[name]}"
    if hashed and bare and not re.match(r"-e|\.|/|[\w.-]+ @ ", bare):
        yield f"with one hash all need one, and {bare[:60]} has none"


def _of_words(stage: Stage, rest: list[str], elsewhere: bool) -> Iterator[str]:
    """What is wrong with requirements and directories that are given as such."""
    before = ""
    for word in rest:
        trouble = ""
        if before in ("-e", "--editable") or (
            re.fullmatch(r"\.{1,2}(?:/[\w./-]*)?(?:\[[\w, -]*\])?", word) and _stands_alone(before)
        ):
            trouble = _project(stage, word)
        elif not word.startswith("-") and _stands_alone(before):
            wheel = posixpath.basename(word) if word.endswith(".whl") else ""
            told = any(each.startswith(("--platform", "--python-version", "--target", "-t")) for each in rest)
            unfitting = unfit(wheel, stage.python, stage.libc) if wheel and not told else ""
            trouble = _no_house(stage, word) or unfitting or _needs(stage, word, elsewhere)
        elif (house := _house_of(before, word)) and "--no-index" in rest:
            trouble = _no_house(stage, f"{house.rstrip('/')}/*.whl")
        if trouble:
            yield trouble
        before = word


def _house_of(before: str, word: str) -> str:
    """The directory of an option --find-links; empty for other words."""
    return word if before in ("-f", "--find-links") else word.removeprefix("--find-links=") if "links=" in word else ""


def _no_house(stage: Stage, word: str) -> str:
    """Why there are no wheels of that pattern: the directory is not there."""
    directory = posixpath.dirname(word)
    if not word.endswith((".whl", "/*")) or not directory or any(letter in directory for letter in "*?[$`{~:"):
        return ""
    place = stage.path(directory)
    absent = stage.files.find(place) is None and not stage.files.doubt(place)
    return f"there is no {place} at this step" if absent else ""


def _stands_alone(before: str) -> bool:
    """Whether what follows a word is not the value of an option."""
    return not before.startswith("-") or before in ("-U", "-q", "-v", "-I") or before.startswith("--no-")


def _needs(stage: Stage, requirement: str, elsewhere: bool) -> str:
    """What a requirement takes that the stage lacks: git to fetch it, or a compiler to make it."""
    lost = re.match(r"[\w.-]+(?:\[[^\]]*\])?\s*@\s*file://(/[^\s;#]+)", requirement)
    if lost is not None and _absent(stage, lost[1]):
        return f"{requirement[:80]} names a file of another machine: there is no {lost[1]} at this step"
    if "git+" in requirement and stage.lacks("git"):
        return f"{requirement.split(' --', maxsplit=1)[0][:80]} needs git, which is not in the image"
    return "" if elsewhere else _uncompiled(stage, requirement)


def _uncompiled(stage: Stage, requirement: str) -> str:
    """Why a distribution cannot be compiled; empty for those that need not be."""
    match = re.match(r"([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:[=<>!~].*)?$", requirement)
    name = re.sub(r"[-_.]+", "-", match[1]).lower() if match and ";" not in requirement else ""
    if name in NOT_TO_BE_HAD:
        return f"{name} {NOT_TO_BE_HAD[name]}"
    if clause := refused_pin(name, requirement.strip(), stage.python, stage.libc):
        return clause
    compiler = not all(stage.lacks(each) for each in ("gcc", "cc", "clang"))
    if name and not stage.managed and (clause := without_wheel(name, requirement, stage.python, compiler=compiler)):
        return clause
    if name not in _SOURCE_ONLY or compiler:
        return ""
    return f"{name} has no wheel for Linux, and there is no compiler to make one"


def _twice(pins: dict[str, str], line: str) -> str:
    match = re.match(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([\w.!+]+)\s*(?:--hash.*|#.*)?$", line)
    if match is None or ";" in line:
        return ""
    name = re.sub(r"[-_.]+", "-", match[1]).lower()
    held = pins.setdefault(name, match[2])
    return "" if held == match[2] else f"{name} is pinned to {held} and to {match[2]}"


def _lines(stage: Stage, operand: str, depth: int) -> Iterator[tuple[str, str]]:
    """The requirements of a file and of those that it includes; or what is surely not there."""
    if any(letter in operand for letter in "*?[$`{~") or "://" in operand or operand == "-" or depth > 10:
        return
    place = stage.path(operand)
    entry = stage.files.find(place)
    if entry is None:
        if not stage.files.doubt(place):
            yield "", f"there is no {place} at this step"
        return
    if not entry.source or stage.read is None:
        return
    text = stage.read(entry.source)[:_MAX_FILE].decode("utf-8", "replace")
    for line in re.sub(r"\\\r?\n", " ", text).splitlines()[:MAX_LINES]:
        plain = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if match := re.match(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", plain):
            inner = match[1] if "://" in match[1] else posixpath.join(posixpath.dirname(place), match[1])
            held = match[1] if "://" in match[1] else posixpath.join(posixpath.dirname(entry.source), match[1])
            if not stage.read(posixpath.normpath(held)):
                continue  # dependencies.declared tells of what the tree itself lacks
            for text_of, absent in _lines(stage, inner, depth + 1):
                if absent or not plain.startswith(("-c", "--c")):
                    yield text_of, absent
        elif plain and not plain.startswith("--"):
            yield plain, ""


def _project(stage: Stage, operand: str) -> str:  # noqa: PLR0911 - a case a reason
    """Why a directory cannot be installed: it describes no project, or one for another Python."""
    path = stage.path(operand.partition("[")[0])
    if "$" in path or "://" in operand or "+" in operand:
        return ""
    markers = [f"{path}/{name}" for name in ("pyproject.toml", "setup.py", "setup.cfg")]
    if all(_absent(stage, each) for each in markers):
        return f"{path} has neither a pyproject.toml nor a setup.py at this step"
    entry = stage.files.find(markers[0])
    if entry is None or not entry.source or stage.read is None or not stage.python:
        return ""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - it takes its time to load

    try:
        told = tomllib.loads(stage.read(entry.source).decode())
        project = told.get("project", {})
        lacking = [each for each in files_named(told) if _absent(stage, posixpath.join(path, each))]
        wanted = SpecifierSet(project.get("requires-python", ""))
    except (ValueError, InvalidSpecifier, AttributeError, TypeError):
        return ""
    if lacking:
        return f"the pyproject.toml names {lacking[0]}, which is not in {path} at this step"
    # Any release of the minor version may be the one.
    if any(wanted.contains(f"{stage.python}.{patch}", prereleases=True) for patch in (0, 1, 5, 9, 20)):
        return ""
    return f"the project asks for Python {wanted}, and this stage has {stage.python}"


def _absent(stage: Stage, path: str) -> bool:
    place = posixpath.normpath(path)
    return stage.files.find(place) is None and not stage.files.doubt(place)


def _lock(stage: Stage, name: str, rest: list[str]) -> str:
    """Tools that are told to go by a lock file which is not there."""
    action = next((word for word in rest if not word.startswith("-")), "")
    strict = {
        "uv": action == "sync" and bool({"--frozen", "--locked"} & {*rest}),
        "pdm": action == "sync",
        "pipenv": action == "sync" or (action == "install" and bool({"--deploy", "--ignore-pipfile"} & {*rest})),
    }[name]
    if not strict or any(word.partition("=")[0] in ("--project", "--directory", "-p", "--script") for word in rest):
        return ""
    above = stage.workdir
    while True:
        place = posixpath.join(above, _LOCKED[name])
        if stage.files.find(place) is not None or stage.files.doubt(place):
            return ""
        if above == "/" or name == "pdm":
            return f"{name} {action} goes by its lock file, and there is no {stage.path(_LOCKED[name])} at this step"
        above = posixpath.dirname(above)
