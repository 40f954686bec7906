"""RUN, in each of its forms."""

from __future__ import annotations

import posixpath
import re
from collections import ChainMap
from collections.abc import Mapping

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.stages import BuildStage, mounts
from smoke.static.model import script
from smoke.static.model.building import Building, Made
from smoke.static.model.copyorder import CopyOrder
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.from_stage import lend
from smoke.static.model.install import Install
from smoke.static.model.stage import Stage
from smoke.static.model.steps import refusal
from smoke.static.model.versioned import REPOSITORY, brings_repository


def run(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> None:
    """RUN, with the files that it mounts at hand while it runs."""
    state, lent, unsure = made.state, [], []
    before = dict(made.state.files.entries)
    for options in mounts(instruction):
        if "/apt" in options.get("target", ""):
            state.lists = None  # what a cache holds is known to who builds
        if options["type"] == "bind" and not options.get("from") and options.get("target"):
            place = state.path(options["target"])
            lent.append(place)
            source = options.get("source", ".")
            if brings_repository([source]):
                state.settings[REPOSITORY] = "perhaps"
            held = build.context.sources(source)
            into = bool(held) and build.context.tree.is_directory(held[0])
            order = CopyOrder(sources=(source,), place=place, into=into, user=0, mode=None, line=instruction.line)
            build.context.copy(state.files, order)
        elif (other := _other(build, options, stage)) is not None:
            place = state.path(options["target"])
            lent.append(place)
            lend(made, other.state, options.get("source", "/"), place, instruction.line)
        elif (target := _target(options)) and state.path(target) not in state.files.doubts:
            unsure.append(state.path(target))
            state.files.suspect(unsure[-1], f"line {instruction.line} mounts something there", DoubtCause.MOUNT)
    earlier = [*state.installs]
    _run(build, made, instruction)
    for place in _forgotten(build, made, instruction, stage):
        _forget(made, place, before, earlier)
    for place in lent:
        state.files.remove(place)
        below = f"{place}/"
        for path in [each for each in state.files.doubts if each == place or each.startswith(below)]:
            del state.files.doubts[path]
        state.installs = [each for each in state.installs if not f"{each.directory}/".startswith(below)]
        state.files.entries |= {path: each for path, each in before.items() if f"{path}/".startswith(below)}
    for place in unsure:
        state.files.doubts.pop(place, None)


def _forgotten(build: Building, made: Made, instruction: Instruction, stage: BuildStage) -> list[str]:
    """Where a RUN mounts a cache, or memory, that no later one mounts again: what it leaves there is lost."""
    later = [
        options.get("target", "")
        for each in stage.instructions
        if each.keyword == "RUN" and each.line > instruction.line
        for options in mounts(each)
    ]
    own = [each for each in mounts(instruction) if each["type"] in ("cache", "tmpfs")]
    targets = [each["target"] for each in own if each.get("target") and "$" not in each["target"]]
    return [made.state.path(target) for target in targets if target not in later]


def _forget(made: Made, place: str, before: dict[str, PathEntry], earlier: list[Install]) -> None:
    state, below = made.state, f"{place.rstrip('/')}/"
    state.installs = [each for each in state.installs if each in earlier or not f"{each.directory}/".startswith(below)]
    state.venvs = {
        path: venv for path, venv in state.venvs.items() if not f"{path}/".startswith(below) or path in before
    }
    for path in [each for each in state.files.entries if each.startswith(below) and each not in before]:
        state.files.remove(path)


def _other(build: Building, options: dict[str, str], stage: BuildStage) -> Made | None:
    """The stage that a mount lends something of."""
    reference = options.get("from", "")
    if options["type"] != "bind" or not options.get("target") or not reference or "$" in options["target"]:
        return None
    found = build.stages.named(reference, stage.index)
    return build.done.get(found.index) if found is not None else None


def _target(options: dict[str, str]) -> str:
    """Where a mount is whose content is known to who builds."""
    if options["type"] == "secret":
        name = options.get("id") or posixpath.basename(options.get("source", ""))
        return options.get("target") or (f"/run/secrets/{name}" if name else "")
    return options.get("target", "")


def _run(build: Building, made: Made, instruction: Instruction) -> None:
    """The words of a RUN: in exec form, for the shell, or of here-documents."""
    state, line = made.state, instruction.line
    values = made.variables.values()
    # ARGs before FROM that this stage does not declare again come to nothing; an unknown base may set their names.
    unseen = made.variables.declared.keys() - values.keys() if made.base is not None else set()
    values = ChainMap(dict(values), dict.fromkeys(unseen, ""))
    if instruction.exec_form:
        words = list(instruction.words)
        if words and (message := refusal(state, words, line)):
            state.fail(line, message, words[0])
        script.words(state, words, line, values)
        return
    shell = made.shell[0] if made.shell else "/bin/sh"
    found = state.surroundings().find(shell)
    without = made.base is not None and not made.base.shell and found.doubt.cause is DoubtCause.BASE
    if not found.place and (not found.doubt or without):
        state.fail(line, f"RUN needs {shell}, which this stage does not have")
        return
    if posixpath.basename(shell) not in ("sh", "bash", "ash", "dash"):
        script.words(state, [*made.shell, instruction.text], line, values)
        return
    state.shell = posixpath.basename(shell)
    if any(re.fullmatch(r"-[a-z]*[li][a-z]*|--login|--rcfile", word) for word in made.shell[1:]):
        state.shell = f"login {state.shell}"
    errexit = any(word.startswith("-") and "e" in word[1:] for word in made.shell[1:])
    text = instruction.text
    if not instruction.heredocs:
        script.run(state, text, line, values, errexit=errexit)
        return
    first = instruction.heredocs[0]
    if re.fullmatch(r"\d*<<-?\s*\S+", text.strip()):
        _of_document(state, first.content, line, values, errexit)
        return
    lines = [text, *(line for each in instruction.heredocs for line in (each.content.rstrip("\n"), each.name))]
    script.run(state, "\n".join(lines) + "\n", line, values, errexit=errexit)


def _of_document(state: Stage, body: str, line: int, values: Mapping[str, str], errexit: bool) -> None:
    """A RUN that is a here-document alone: a program, for the shell or for what its first line names."""
    interpreter = re.match(r"#!\s*(\S+)(?:[ \t]+(\S+))?", body)
    name = posixpath.basename((interpreter[2] or interpreter[1]) if interpreter else "sh")
    if name in ("sh", "bash", "ash", "dash"):
        script.run(state, body, line, values, errexit=errexit)
        return
    script.words(state, [name, "-"], line, values)
    if name.startswith("python"):
        from smoke.static.model.rewriting import rewrite_by_code  # noqa: PLC0415 - few trees hand Python code

        rewrite_by_code(state, body)
