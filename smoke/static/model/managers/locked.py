"""Installers that are told to go by a lock file which is not there."""

from __future__ import annotations

import posixpath

from smoke.static.model.stage import Stage

LOCKED = {"uv": "uv.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}


def lock_refusal(stage: Stage, name: str, rest: list[str]) -> str:
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
        place = posixpath.join(above, LOCKED[name])
        if stage.files.find(place) is not None or stage.files.doubt(place):
            return ""
        if above == "/" or name == "pdm":
            return f"{name} {action} goes by its lock file, and there is no {stage.path(LOCKED[name])} at this step"
        above = posixpath.dirname(above)
