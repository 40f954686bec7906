"""What pip refuses of what it is asked for: its files, its words, and where it would write."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from smoke.static.model.managers.listed import other_pin, requirement_lines
from smoke.static.model.managers.own_python import managed_refusal
from smoke.static.model.managers.project import project_refusal
from smoke.static.model.managers.pytorch_index import not_held
from smoke.static.model.managers.requirement import unmet
from smoke.static.model.stage import Stage
from smoke.static.model.targets import Target, target_of

_OTHER_INDEX = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
_FILES = ("-r", "--requirement", "-c", "--constraint")
_FLAGS = (
    *("-U", "--upgrade", "-q", "-qq", "--quiet", "-v", "--verbose", "-I", "--ignore-installed", "--user", "--pre"),
    *(
        "--force-reinstall",
        "--require-hashes",
        "--compile",
        "--prefer-binary",
        "--break-system-packages",
        "--use-pep517",
    ),
)
"""Options of pip that take no value."""


def pip_refusal(stage: Stage, rest: list[str], shown: str, program: str = "") -> str:
    """`program`: what runs pip, as it is named."""
    if rest[:1] != ["install"]:
        return ""
    return (
        managed_refusal(stage, rest[1:], shown, program)
        or _homeless(stage, rest[1:], shown)
        or _requested(stage, rest[1:], shown)
    )


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


def _requested(stage: Stage, rest: list[str], shown: str) -> str:
    """What is wrong with what pip is asked for."""
    if option := next((word for word, after in itertools.pairwise([*rest, ""]) if word in _FILES and not after), ""):
        return f"{shown}: {option} is given no file: what stands behind it comes to nothing"
    elsewhere = any(word.partition("=")[0] in _OTHER_INDEX for word in rest)
    elsewhere = elsewhere or "PIP_EXTRA_INDEX_URL" in stage.environment
    troubles = (*_of_files(stage, rest, elsewhere), *_of_words(stage, rest, elsewhere))
    troubles = (*troubles, *filter(None, [not_held(stage, rest), _nowhere(stage, rest)]))
    return f"{shown}: {troubles[0]}" if troubles else ""


def _nowhere(stage: Stage, rest: list[str]) -> str:
    """`--no-index` without a directory of wheels, where nothing was installed before that could be asked for again."""
    offered = any("links" in word or word.startswith("-f") or "/" in word or word.endswith(".whl") for word in rest)
    held = any(not each.house for each in stage.installs)
    if "--no-index" not in rest or offered or held or stage.packages or "PIP_FIND_LINKS" in stage.environment:
        return ""
    files = [file for option, file in itertools.pairwise(rest) if option in ("-r", "--requirement")]
    asked = [line for file in files for line, absent in requirement_lines(stage, file, 0) if not absent]
    asked += [
        word for before, word in itertools.pairwise(["", *rest]) if re.match(r"\w", word) and _stands_alone(before)
    ]
    plain = [each for each in asked if re.match(r"[A-Za-z][\w.-]*(?:\[[\w, -]*\])?\s*(?:[=<>!~].*)?$", each)]
    known = bool(plain) and len(plain) == len(asked) and not {"pip", "setuptools", "wheel"} & {*plain}
    return "--no-index leaves it nowhere to look: it takes --find-links DIRECTORY" if known and stage.slim else ""


def _of_files(stage: Stage, rest: list[str], elsewhere: bool) -> Iterator[str]:
    """What is wrong with the requirement and constraint files."""
    pins: dict[str, str] = {}
    limits: dict[str, str] = {}
    hashed, bare = "--require-hashes" if "--require-hashes" in rest else "", ""
    for option, file in itertools.pairwise(rest):
        if option not in _FILES:
            continue
        for line, absent in requirement_lines(stage, file, 0):
            if absent:
                yield absent
            elif option.startswith(("-c", "--c")):
                other_pin(limits, line)
            else:
                hashed, bare = (line, bare) if "--hash" in line else (hashed, bare or line)
                own = re.fullmatch(r"(?:(?:-e|--editable)[ =]\s*)?(?:file:)?(\.(?:\[[\w, -]+\])?)", line)
                yield from filter(None, [project_refusal(stage, own[1]) if own is not None else ""])
                yield from filter(None, (unmet(stage, line, elsewhere), other_pin(pins, line)))
    for name in sorted(pins.keys() & limits.keys()):
        if pins[name] != limits[name]:
            yield f"{name} is pinned to {pins[name]}, and its constraint to {limits[name]}"
    if hashed and bare and not re.match(r"-e|\.|/|[\w.-]+ @ ", bare):
        yield f"with one hash all need one, and {bare[:60]} has none"


def _of_words(stage: Stage, rest: list[str], elsewhere: bool) -> Iterator[str]:
    """What is wrong with requirements and directories that are given as such."""
    before, target = "", target_of(stage, rest)
    for word in rest:
        trouble = ""
        if before in ("-e", "--editable") or (
            re.fullmatch(r"\.{1,2}(?:/[\w./-]*)?(?:\[[\w, -]*\])?(?<!\.whl)", word) and _stands_alone(before)
        ):
            trouble = project_refusal(stage, word)
        elif not word.startswith("-") and _stands_alone(before):
            trouble = _no_house(stage, word) or _unfitting(stage, word, target) or unmet(stage, word, elsewhere)
        elif (house := _house_of(before, word)) and "--no-index" in rest:
            trouble = _no_house(stage, f"{house.rstrip('/')}/*.whl") or _none_fits(stage, house, rest, target)
        if trouble:
            yield trouble
        before = word


def _unfitting(stage: Stage, word: str, target: Target) -> str:
    """Why pip refuses a wheel, or one of those of a pattern: it is made for something else."""
    if not word.endswith((".whl", "/*")) or "$" in word:
        return ""
    names = [posixpath.basename(each) for each in stage.files.glob(stage.path(word))] if "*" in word else [word]
    return next(filter(None, (target.unfit(posixpath.basename(each)) for each in names)), "")


def _none_fits(stage: Stage, house: str, rest: list[str], target: Target) -> str:
    """Why pip finds nothing that fits in the one directory that it may look into, for one of the names it is given."""
    place = stage.path(house)
    if "$" in house or stage.files.doubt(place) or sum("-links" in word or word == "-f" for word in rest) > 1:
        return ""
    wheels = [name for name in stage.files.names(place) if name.endswith(".whl")]
    if any(name.endswith((".tar.gz", ".zip")) for name in stage.files.names(place)):
        return ""
    files = [file for option, file in itertools.pairwise(rest) if option in ("-r", "--requirement")]
    lines = [line for file in files for line, absent in requirement_lines(stage, file, 0) if not absent]
    for line in (each for each in lines if ";" not in each):
        name = re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower()
        own = [each for each in wheels if re.sub(r"[-_.]+", "-", each.partition("-")[0]).lower() == name]
        reasons = [target.unfit(each) for each in own]
        if own and all(reasons):
            return f"{name}: {reasons[0]}"
    return ""


def _house_of(before: str, word: str) -> str:
    """The directory of an option --find-links; empty for other words."""
    return word if before in ("-f", "--find-links") else word.removeprefix("--find-links=") if "links=" in word else ""


def _no_house(stage: Stage, word: str) -> str:
    """Why there are no wheels of that pattern: the directory is not there, or the one wheel is not."""
    directory, name = posixpath.split(word)
    if not word.endswith((".whl", "/*")) or not directory or any(letter in directory for letter in "*?[$`{~:"):
        return ""
    one = not any(letter in name for letter in "*?[$`{~:")
    place = stage.path(word if one else directory)
    if stage.files.find(place) is None and not stage.files.doubt(place):
        return f"there is no {place} at this step"
    held = one or any(each.house and each.directory == place for each in stage.installs)
    if held or stage.files.names(place) or stage.files.doubt(posixpath.join(place, "any")):
        return ""
    return f"there is nothing in {place} at this step"


def _stands_alone(before: str) -> bool:
    """Whether what follows a word is not the value of an option."""
    flag = before in _FLAGS or before.startswith("--no-") or "=" in before
    return flag or not before.startswith("-")
