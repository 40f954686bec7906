"""`dockerfile.lint.*`: the rules of `docker build --check`, by their own names. None of them stops a build."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.compose.image_name import hub_repository
from smoke.static.dockerfile.ignore import ignore_of
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage
from smoke.static.dockerfile.variables import PREDEFINED, platform_arguments
from smoke.static.model.build_failure import Lack
from smoke.static.model.image import Image
from smoke.static.regex import regex
from smoke.static.scope import Scope

_NOTE, _WARNING = Severity.INFO, Severity.WARNING
_LATER = "It builds today; a later BuildKit may refuse it."
_READ = "Whoever reads the file is misled."


_NAMES: dict[str, str] = {}
"""BuildKit's names of the rules, which its comments use, by our own ids."""


def _rule(name: str, severity: Severity, title: str, why: str, remedy: str) -> Check:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.replace("JSON", "Json")).lower()
    _NAMES[f"dockerfile.lint.{words}"] = name
    return Check(f"dockerfile.lint.{words}", severity, title, why, remedy)


STAGE_CASE = _rule("StageNameCasing", _NOTE, "stage names are in small letters", _READ, "Write the stage's name small.")
FROM_CASE = _rule("FromAsCasing", _NOTE, "FROM and AS are written alike", _READ, "Write AS as FROM is written.")
CONTINUATION = _rule(
    "NoEmptyContinuation", _WARNING, "no continued line is empty", _LATER, "Take the empty line out, or put # there."
)
CASE = _rule(
    "ConsistentInstructionCasing", _NOTE, "instructions are written alike", _READ, "Write all of them in capitals."
)
DUPLICATE = _rule(
    "DuplicateStageName", _WARNING, "each stage has a name of its own", "Only the last one is meant.", "Rename one."
)
RESERVED = _rule(
    "ReservedStageName",
    _WARNING,
    "no stage is named scratch or context",
    "The name means something else.",
    "Rename it.",
)
JSON_FORM = _rule(
    "JSONArgsRecommended",
    _NOTE,
    "ENTRYPOINT and CMD are in exec form",
    "A shell stands between the engine and the program, which gets no SIGTERM.",
    'Write ["program", "argument"], or exec in front of the program.',
)
MAINTAINER = _rule(
    "MaintainerDeprecated", _NOTE, "MAINTAINER is not used", _LATER, "Write LABEL org.opencontainers.image.authors=."
)
FROM_ARGUMENT = _rule(
    "UndefinedArgInFrom", _WARNING, "FROM uses declared ARGs", "The variable is empty.", "Declare the ARG before FROM."
)
WORKDIR = _rule(
    "WorkdirRelativePath",
    _WARNING,
    "the first WORKDIR is absolute",
    "Where it leads depends on the base image.",
    "Begin it with /.",
)
VARIABLE = _rule(
    "UndefinedVar",
    _WARNING,
    "variables are defined before they are used",
    "The variable is empty.",
    "Declare the ARG or ENV in this stage, before it is used.",
)
MULTIPLE = _rule(
    "MultipleInstructionsDisallowed",
    _WARNING,
    "CMD, ENTRYPOINT and HEALTHCHECK are there once in a stage",
    "Only the last one counts.",
    "Take the others out.",
)
LEGACY = _rule(
    "LegacyKeyValueFormat", _NOTE, "ENV and LABEL are written NAME=VALUE", _READ, "Write an = between name and value."
)
BASE_PLATFORM = _rule(
    "InvalidBaseImagePlatform",
    _WARNING,
    "the base's platform is the one that is built",
    "The image runs emulated, or not at all.",
    "Take a base for the platform, or one for all of them.",
)
REDUNDANT = _rule(
    "RedundantTargetPlatform", _NOTE, "FROM does not repeat the default platform", _READ, "Take --platform out."
)
SECRETS = _rule(
    "SecretsUsedInArgOrEnv",
    _WARNING,
    "no ARG or ENV holds a secret",
    "Its value can be read from the image or its history.",
    "Use RUN --mount=type=secret, or give it when the container starts.",
)
DEFAULT_ARGUMENT = _rule(
    "InvalidDefaultArgInFrom",
    _WARNING,
    "defaults of ARGs make a name that FROM can use",
    "Without build arguments the build stops.",
    "Give the ARG a default.",
)
CONSTANT_PLATFORM = _rule(
    "FromPlatformFlagConstDisallowed",
    _NOTE,
    "FROM pins no platform by a constant",
    "The image is for one platform only, whatever is asked for.",
    "Use $BUILDPLATFORM or $TARGETPLATFORM, or name the stage after the platform.",
)
IGNORED = _rule(
    "CopyIgnoredFile",
    _WARNING,
    "nothing is copied that .dockerignore leaves out",
    "The file is not in the context.",
    "Correct .dockerignore.",
)
DESCRIPTION = _rule(
    "InvalidDefinitionDescription",
    _NOTE,
    "comments above ARG and FROM describe them by name",
    _READ,
    "Begin the comment with the name, or leave a line free below it.",
)
PROTOCOL = _rule("ExposeProtoCasing", _NOTE, "protocols in EXPOSE are written small", _READ, "Write it small.")
EXPOSED = _rule(
    "ExposeInvalidFormat", _WARNING, "EXPOSE names container ports alone", _LATER, "Name the container's port alone."
)
CHECKS = (
    *(STAGE_CASE, FROM_CASE, CONTINUATION, CASE, DUPLICATE, RESERVED, JSON_FORM, MAINTAINER, FROM_ARGUMENT, WORKDIR),
    *(VARIABLE, MULTIPLE, LEGACY, BASE_PLATFORM, REDUNDANT, SECRETS, DEFAULT_ARGUMENT, CONSTANT_PLATFORM, IGNORED),
    *(DESCRIPTION, PROTOCOL, EXPOSED),
)
_SECRET = regex(
    r"(?:^|_)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_NO_SECRET = regex(r"(?:^|_)(?:public|file|version)(?:_|$)", re.IGNORECASE)
_CHECK = regex(r"check\s*=\s*(\S+)", re.IGNORECASE)
_EVERYTHING = frozenset({"*", "**", "**/*"})
"""Patterns that leave nothing of a context."""
_IN_SHELL = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "ONBUILD", "HEALTHCHECK", "MAINTAINER"})
"""Instructions whose variables a shell replaces, if anyone."""
_GIVEN = frozenset(platform_arguments("a/b")) | PREDEFINED | {"PATH"}
Told = Iterator[tuple[Check, Instruction, str]]


def run(scope: Scope) -> Iterator[Finding]:
    """See `Scope`. Rules that hold are not told one by one."""
    seen: set[str] = set()
    for image in scope.images:
        if image.parsed.errors or image.dockerfile in seen or not image.stages.stages:
            continue
        seen.add(image.dockerfile)
        everywhere = _asked([f"check={image.parsed.directives.get('check', '')}"])
        for check, instruction, message in _broken(scope, image):
            here = _asked(instruction.comments)
            skipped, wanted = (everywhere[key] | here[key] for key in ("skip", "experimental"))
            asked = wanted if check is DESCRIPTION else skipped  # that rule is an experiment: off, unless it is wanted
            if bool(asked & {"all", _NAMES[check.id]}) is (check is DESCRIPTION):
                at = [Evidence(image.dockerfile, instruction.line, excerpt(instruction.excerpt()))]
                yield check.fail(message, image.service.name, at)


def _asked(comments: Iterable[str]) -> dict[str, set[str]]:
    """What `check=` skips, and which experimental rules it wants: at the top, or above an instruction, for it alone."""
    found: dict[str, set[str]] = {"skip": set(), "experimental": set()}
    option = next((match for comment in comments if (match := _CHECK.match(comment))), None)
    for part in option[1].split(";") if option else ():
        key, _, value = part.partition("=")
        found.setdefault(key, set()).update(value.split(","))
    return found


def _broken(scope: Scope, image: Image) -> Told:
    for rule in _RULES:
        yield from rule(image)
    rules = ignore_of(scope.tree, image.context or "", image.dockerfile).rules
    if any(each.keeps for each in rules) or not _EVERYTHING & {each.pattern for each in rules}:
        return
    for instruction in image.parsed.instructions:
        if instruction.keyword in ("COPY", "ADD") and not instruction.flag("from") and "." in instruction.words[:-1]:
            yield IGNORED, instruction, "the whole context is left out by .dockerignore"


def _names(image: Image) -> Told:
    """FROM lines: names, casing, platforms."""
    names: set[str] = set()
    for stage in image.stages.stages:
        opening = stage.opening
        if len(opening.words) == 3:
            given, word = opening.words[2], opening.words[1]
            if given != given.lower():
                yield STAGE_CASE, opening, f"the stage name {given} is not in small letters"
            if opening.written in ("FROM", "from") and word != ("AS" if opening.written == "FROM" else "as"):
                yield FROM_CASE, opening, f"{opening.written} and {word} are not written alike"
            if stage.name in ("scratch", "context"):
                yield RESERVED, opening, f"a stage cannot well be named {stage.name}"
            if stage.name in names:
                yield DUPLICATE, opening, f"there are two stages {stage.name}"
            names.add(stage.name)
        unset = (*stage.unset, *stage.platform.unset)
        undeclared = [name for name in dict.fromkeys(unset) if name not in _global(image) and name not in _GIVEN]
        if undeclared:
            yield FROM_ARGUMENT, opening, f"nothing declares {', '.join(undeclared)} before FROM"
        yield from _platforms(image, stage)


def _platforms(image: Image, stage: BuildStage) -> Told:
    flag = stage.opening.flag("platform") or ""
    if re.fullmatch(r"\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})", flag):
        yield REDUNDANT, stage.opening, "--platform=$TARGETPLATFORM is the default"
    elif flag and "$" not in flag:
        aliased = stage.name and any(part in stage.name for part in flag.split("/"))
        if not aliased:
            yield CONSTANT_PLATFORM, stage.opening, f"--platform={flag} is a constant"
    built, told = image.service.platform, re.search(r"\b(amd64|arm64v8|arm32v7)/", stage.reference)
    if built and told and {"arm64v8": "arm64", "arm32v7": "arm/v7"}.get(told[1], told[1]) not in built:
        yield BASE_PLATFORM, stage.opening, f"{stage.reference} is for {told[1]}, and {built} is built"


def _defaults(image: Image) -> Told:
    """FROM with the defaults of its ARGs alone."""
    variables = image.stages.variables
    for instruction in image.parsed.instructions:
        if instruction.keyword == "FROM":
            reference = instruction.words[0] if instruction.words else ""
            needs = re.findall(r"\$\{?(\w+)\}?(?![\w:-])", reference)
            bare = [name for name in needs if f"{{{name}:-" not in reference and name in _global(image)]
            empty = [name for name in bare if not _global(image)[name] and name not in variables.given]
            if empty and not re.sub(r"\$\{?\w+\}?", "", reference).strip(":@/"):
                yield DEFAULT_ARGUMENT, instruction, f"without a value for {', '.join(empty)} there is no base"


def _global(image: Image) -> dict[str, str]:
    found: dict[str, str] = {}
    for instruction in image.parsed.instructions:
        if instruction.keyword == "FROM":
            break
        for word in instruction.words:
            name, _, value = word.partition("=")
            found[name] = value
    return found


def _casing(image: Image) -> Told:
    written = [each.written for each in image.parsed.instructions]
    small = sum(word == word.lower() for word in written)
    wanted = str.lower if small > sum(word == word.upper() for word in written) else str.upper
    for instruction in image.parsed.instructions:
        if instruction.written != wanted(instruction.written):
            yield CASE, instruction, f"{instruction.written} is not written like the others"


def _single(image: Image) -> Told:
    """Rules of one instruction each."""
    for instruction in image.parsed.instructions:
        keyword, words = instruction.keyword, instruction.words
        if instruction.hollow:
            yield CONTINUATION, instruction, f"a continued line of {keyword} is empty"
        if keyword == "MAINTAINER":
            yield MAINTAINER, instruction, "MAINTAINER is deprecated"
        elif keyword in ("ENV", "LABEL") and words and "=" not in words[0]:
            yield LEGACY, instruction, f"{keyword} {words[0]} has no ="
        elif keyword == "EXPOSE":
            yield from _ports(instruction)
        if keyword in ("ENV", "ARG"):
            paths = {word.partition("=")[0] for word in words if word.partition("=")[2].startswith("/")}
            for name in _defined(instruction):  # a path to a secret is none
                if _SECRET.search(name) and not _NO_SECRET.search(name) and name not in paths:
                    yield SECRETS, instruction, f"{keyword} {name} looks like a secret"
        yield from _described(instruction)


def _ports(instruction: Instruction) -> Told:
    for word in instruction.words:
        port, _, protocol = word.rpartition(":")[2].partition("/")
        if protocol and protocol != protocol.lower():
            yield PROTOCOL, instruction, f"the protocol of {word} is not written small"
        if ":" in word and "$" not in word and port:
            yield EXPOSED, instruction, f"{word} names more than a container's port"


def _defined(instruction: Instruction) -> list[str]:
    words = instruction.words
    if instruction.keyword == "ENV" and words and "=" not in words[0]:
        return [words[0]]
    return [word.partition("=")[0] for word in words]


def _described(instruction: Instruction) -> Told:
    keyword, words = instruction.keyword, instruction.words
    names = _defined(instruction) if keyword == "ARG" else [words[2].lower()] if len(words) == 3 else []
    said = instruction.comments[-1].partition(" ")[0] if instruction.comments else ""
    if keyword in ("ARG", "FROM") and names and said and said not in names:
        yield DESCRIPTION, instruction, f"the comment above does not begin with {names[0]}"


def _stages(image: Image) -> Told:
    """Rules of a stage: what is there twice, where it works, which variables it knows."""
    known: dict[int, set[str] | None] = {}
    shells: set[int] = set()
    """Stages that name a shell themselves: they want one."""
    absolute: dict[int, bool] = {}
    for stage in image.stages.stages:
        inherited = _of_base(stage.reference) if stage.parent is None else known[stage.parent]
        names = {*_GIVEN, *(inherited or ())}
        placed = stage.parent is not None and absolute[stage.parent]
        counts = Counter(each.keyword for each in stage.instructions)
        last = {each.keyword: each for each in stage.instructions}
        if stage.parent in shells:
            shells.add(stage.index)
        for instruction in stage.instructions:
            keyword = instruction.keyword
            once = keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK")
            if once and counts[keyword] > 1 and instruction is not last[keyword]:
                yield (
                    MULTIPLE,
                    instruction,
                    f"there are {counts[keyword]} {keyword} in this stage: only the last counts",
                )
            if keyword == "SHELL":
                shells.add(stage.index)
            elif keyword in ("CMD", "ENTRYPOINT") and not instruction.exec_form and stage.index not in shells:
                yield JSON_FORM, instruction, f"{keyword} is in shell form"
            if keyword == "WORKDIR":
                if not placed and not re.match(r"[/$]|\w:", instruction.text.strip("\"'")):
                    yield WORKDIR, instruction, f"WORKDIR {instruction.text} is relative"
                placed = True
            elif keyword not in _IN_SHELL:
                unknown = [name for name in _used(instruction) if name not in names]
                if unknown and inherited is not None:
                    yield VARIABLE, instruction, f"nothing has set {', '.join(unknown)} here"
            if keyword in ("ARG", "ENV"):
                names |= {*_defined(instruction)}
        known[stage.index], absolute[stage.index] = (None if inherited is None else names), placed


_OF_BASES = {
    "python": {"LANG", "GPG_KEY", "PYTHON_VERSION", "PYTHON_SHA256", "PYTHON_PIP_VERSION", "PYTHON_SETUPTOOLS_VERSION"},
    "node": {"NODE_VERSION", "YARN_VERSION"},
    **{name: set[str]() for name in ("debian", "ubuntu", "alpine", "busybox", "scratch")},
}
"""What official images set."""


def _of_base(reference: str) -> set[str] | None:
    """The variables that an outside base sets; none when they are not known."""
    if "gcr.io/distroless/" in reference:
        return {"SSL_CERT_FILE", "LANG"}
    return _OF_BASES.get(hub_repository(reference))


def _used(instruction: Instruction) -> list[str]:
    """Variables that an instruction uses without saying what else would do."""
    text = re.sub(r"'[^']*'|\\\$", "", f"{instruction.text} {' '.join(value for _, value in instruction.flags)}")
    if instruction.keyword == "ARG":
        text = " ".join(word.partition("=")[2] for word in instruction.words)
    found = re.findall(r"\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)\}", text)
    return list(dict.fromkeys(one or other for one, other in found))


def _copied(image: Image) -> Told:
    for missing in image.missing:
        if missing.lack is Lack.IGNORED:
            for instruction in image.parsed.instructions:
                if instruction.line == missing.line:
                    yield IGNORED, instruction, f"{missing.source} is left out by .dockerignore"


_RULES: tuple[Callable[[Image], Told], ...] = (_names, _defaults, _casing, _single, _stages, _copied)
