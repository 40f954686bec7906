"""Owners that a plain user wants to change as a container starts: the kernel lets root alone do that."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smoke.static.model.stage import Stage


def may_not_give(stage: Stage, words: Sequence[str]) -> str:
    """Why a `chown` or `chmod` surely fails for the user who runs it; empty when nothing speaks against it."""
    user = stage.number(stage.user) if stage.user else None
    if not user or words[0] not in ("chown", "chmod") or any(word.startswith("--ref") for word in words):
        return ""
    operands = [word for word in words[1:] if not word.startswith("-")]
    wanted = operands[0].partition(":")[0] if operands and words[0] == "chown" else ""
    number = stage.number(wanted) if wanted else user
    for operand in operands[1:]:
        if re.search(r"[*?\[$`{~]", operand):
            continue
        place = stage.path(operand)
        entry = stage.files.find(place)
        if entry is None or entry.user is None or not entry.line:
            continue
        if entry.user != user:
            return f"{words[0]} {place}: it belongs to user {entry.user}, and user {stage.user} may not change that"
        if number is not None and number != user:
            return f"chown {place}: user {stage.user} is not root, and gives nothing to others"
    return ""
