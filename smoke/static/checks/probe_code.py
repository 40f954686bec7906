"""Health checks that are Python: what their code imports and the image does not have."""

from __future__ import annotations

import posixpath
import shlex

from smoke.static.checks.dependencies.doubts import doubt_of
from smoke.static.model.given_code import imported_by
from smoke.static.model.installers.venvs import venv_site
from smoke.static.model.interpreted import PYTHON
from smoke.static.python.importer import Meaning
from smoke.static.python.installed import Presence
from smoke.static.python.program import LoadedProgram
from smoke.static.python.standard import has_module

_FAILING: tuple[list[str], ...] = (["||", "exit", "1"], ["||", "exit"], ["||", "kill", "1"], [])
"""What may stand behind a command without hiding that it failed."""


def plain_words(words: tuple[str, ...], *, shell_form: bool) -> tuple[str, ...]:
    """The words of the one command that decides; none where a shell makes more of them."""
    if not shell_form:
        return words
    try:
        split = shlex.split(" ".join(words))
    except ValueError:
        return ()
    end = next((place for place, word in enumerate(split) if word in ("||", "&&", "|", ";", ">", "<")), len(split))
    return tuple(split[:end]) if split[end:] in _FAILING else ()


def lost_import(program: LoadedProgram, words: tuple[str, ...], *, shell_form: bool) -> str:
    """What a check by `python -c`, or by a file of the tree, imports and its image does not have; empty when nothing
    speaks against it."""
    plain = plain_words(words, shell_form=shell_form)
    if len(plain) < 2 or not PYTHON.fullmatch(posixpath.basename(plain[0])):
        return ""
    if program.graph.entry is None or not _of_one_python(program, plain[0]):
        return ""
    beside = "" if plain[1] == "-c" else posixpath.dirname(_place(program, plain[1]))
    for module in imported_by(plain[2]) or [] if plain[1] == "-c" and len(plain) == 3 else _of_file(program, plain[1]):
        top = module.partition(".")[0]
        own = program.importer.find(top).kind is not Meaning.OUTSIDE or _stands(program, beside, top)
        if own or has_module(top, None) or program.installed.has(module).presence is not Presence.ABSENT:
            continue
        if not doubt_of(program, top):
            return f"it imports {top}, and nothing that this image installs brings it"
    return ""


def _place(program: LoadedProgram, script: str) -> str:
    return posixpath.normpath(posixpath.join(program.image.workdir, script))


def _of_file(program: LoadedProgram, script: str) -> list[str]:
    """The modules that a file of the tree surely imports as it runs; none where it is no such file."""
    entry = None if script.startswith("-") else program.image.files.find(_place(program, script))
    if entry is None or not entry.source.endswith(".py"):
        return []
    return imported_by(program.installed.tree.text(entry.source), shell=False) or []


def _stands(program: LoadedProgram, directory: str, name: str) -> bool:
    """Whether a module of this name may stand in the directory of the script, where it is looked for first."""
    files = program.image.files
    paths = [f"{directory}/{name}{end}" for end in ("", ".py")] if directory else []
    return any(files.find(each) is not None or files.doubt(each) for each in paths)


def _of_one_python(program: LoadedProgram, name: str) -> bool:
    """Whether the check runs the Python that the program is started with."""
    image = program.image
    place = image.surroundings().find(name).place
    venv = image.venvs.get(posixpath.dirname(posixpath.dirname(place)))
    sites = {venv_site(each) for each in image.venvs.values()} & {*image.start.search}
    return bool(place) and (not sites if venv is None else venv_site(venv) in sites)
