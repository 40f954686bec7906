"""What package managers and installers refuse, by the words that they are given."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import partial

from smoke.static.model.managers.distributions import BUSYBOX_ONLY, apk_refusal, apt_refusal, busybox_refusal
from smoke.static.model.managers.listed import MAX_FILE, MAX_LINES
from smoke.static.model.managers.npm import npm_refusal
from smoke.static.model.stage import Stage


def refusal(stage: Stage, program: str, rest: list[str]) -> str:
    """Why a package manager or installer surely refuses; empty when nothing speaks against it."""
    shown = name = posixpath.basename(program)
    if re.fullmatch(r"python3?(?:\.\d+)?", name) and rest[:1] == ["-m"]:
        shown, name, rest = f"{name} -m {' '.join(rest[1:2])}", " ".join(rest[1:2]), rest[2:]
        if name == "venv":
            from smoke.static.model.managers.own_python import venv_refusal  # noqa: PLC0415 - loaded as it is named

            return venv_refusal(stage, rest, program)
    if name in ("apt-get", "apt", "apk"):
        return apk_refusal(stage, rest) if name == "apk" else apt_refusal(stage, name, rest)
    if name in ("npm", "make"):
        read, exists = partial(_text_of, stage), partial(_is_there, stage)
        npm = name == "npm"
        return npm_refusal(rest, read, exists, locked=stage.npm_locked) if npm else _no_rule(rest, read, exists)
    if name in BUSYBOX_ONLY:
        return busybox_refusal(stage, name, rest)
    if re.fullmatch(r"pip[\d.]*", name):
        from smoke.static.model.managers.pip import pip_refusal  # noqa: PLC0415 - loaded as a command names it

        return pip_refusal(stage, rest, shown, program)
    return _of_project(stage, name, rest) if name in ("poetry", "uv", "pdm", "pipenv") else ""


def _of_project(stage: Stage, name: str, rest: list[str]) -> str:
    """What the managers of whole projects refuse. Who reads them is loaded as a command names them: few trees do."""
    from smoke.static.model.managers.locked import lock_refusal  # noqa: PLC0415 - see above
    from smoke.static.model.managers.stale_lock import stale_refusal  # noqa: PLC0415

    message = ""
    if name == "poetry":
        from smoke.static.model.managers.poetry import poetry_project, poetry_refusal  # noqa: PLC0415

        message = poetry_refusal(stage, rest) or poetry_project(stage, rest)
    elif name == "uv":
        from smoke.static.model.managers.uv import uv_refusal  # noqa: PLC0415

        message = uv_refusal(stage, rest) or _uv_index(stage, rest)
    return message or (lock_refusal(stage, name, rest) if name != "poetry" else "") or stale_refusal(stage, name, rest)


def _no_rule(rest: list[str], read: Callable[[str], str | None], exists: Callable[[str], bool | None]) -> str:
    """A target that the Makefile of the working directory does not have."""
    text = read("Makefile") if exists("GNUmakefile") is False and exists("makefile") is False else None
    if text is None or any(word in text for word in ("include ", "$(eval", "$(call", "define ")):
        return ""
    if any(re.match(r"-[CfIj]|--(?:file|directory|makefile)", word) for word in rest):
        return ""
    lines = [line for line in text.splitlines()[:MAX_LINES] if line[:1] not in ("", "#", "\t", " ")]
    heads = [head for line in lines for head, colon, _ in [line.partition(":")] if colon and "=" not in head]
    targets = {word for head in heads for word in head.split()}
    if any("$" in each or "%" in each for each in targets):
        return ""
    for word in rest:
        if re.fullmatch(r"[A-Za-z][\w.-]*", word) and word not in targets and exists(word) is False:
            return f"make: the Makefile has no target {word}"
    return ""


def _uv_index(stage: Stage, rest: list[str]) -> str:
    from smoke.static.model.managers.pytorch_index import not_held  # noqa: PLC0415 - as above

    why = not_held(stage, rest[2:]) if rest[:2] == ["pip", "install"] else ""
    return f"uv pip install: {why}" if why else ""


def _is_there(stage: Stage, operand: str) -> bool | None:
    place = stage.path(operand)
    if stage.files.find(place) is not None:
        return True
    return None if stage.files.doubt(place) else False


def _text_of(stage: Stage, operand: str) -> str | None:
    entry = stage.files.find(stage.path(operand))
    if entry is None or not entry.source or stage.read is None:
        return None
    return stage.read(entry.source)[:MAX_FILE].decode("utf-8", "replace")
