"""Users and groups that a RUN makes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smoke.static.model.filesystem import PathEntry
from smoke.static.model.operands import read_operands
from smoke.static.model.stage import Stage


def add_user(stage: Stage, rest: Sequence[str], line: int) -> None:
    valued = frozenset(
        [
            *["-u", "--uid", "-g", "--gid", "-d", "--home-dir", "--home", "-h", "-s", "--shell"],
            *["-G", "--groups", "-c", "--comment", "--gecos", "--ingroup", "-p", "--password", "-K", "--key"],
            *["-k", "--skel", "-b", "--base-dir", "-e", "--expiredate", "-f", "--inactive"],
        ]
    )
    flags, values, operands = read_operands(rest, valued)
    busybox = "-D" in flags or (stage.system == "alpine" and "-H" not in flags)
    if not operands:
        return
    name = operands[0]
    number = values.get("-u", values.get("--uid", ""))
    if not number and stage.system and name not in stage.numbers and re.fullmatch(r"[\w.-]+", name):
        number = str(_next_number(stage, rest))
    if "$" in name + number:
        stage.users_known = False
    home = values.get("-d") or values.get("--home-dir") or values.get("--home") or values.get("-h") or f"/home/{name}"
    stage.homes[name] = home
    if number.isdigit() and len(number) < 11:
        stage.numbers[name] = int(number)
        stage.homes[number] = home
    if busybox or "-m" in flags or "--create-home" in rest or "--disabled-password" in rest:
        stage.files.add(home, PathEntry("directory", user=stage.numbers.get(name), mode=0o755, line=line))


def add_group(stage: Stage, rest: Sequence[str], line: int) -> None:
    """groupadd and addgroup; a name that cannot be followed leaves all open."""
    valued = frozenset(["-g", "--gid", "-K", "--key", "-p", "-R"])
    _, _, operands = read_operands(rest, valued)
    if any("$" in each for each in operands):
        stage.users_known = False
    stage.groups |= {*operands}


def remove_group(stage: Stage, rest: Sequence[str], line: int) -> None:
    """groupdel and delgroup; what is given another name or number is no longer known either."""
    stage.groups -= {*read_operands(rest)[2]}


def _next_number(stage: Stage, rest: Sequence[str]) -> int:
    """The number that a user gets who is given none: the next above 999; of the system's, as each tool counts."""
    taken = {*stage.numbers.values()}
    short = {letter for word in rest if re.fullmatch(r"-[A-Za-z]+", word) for letter in word[1:]}
    if "--system" in rest or "r" in short or "S" in short:
        adduser = "S" in short or any(word.startswith(("--disabled", "--ingroup", "--no-create")) for word in rest)
        counted = range(100, 1000) if adduser else range(999, 99, -1)
    else:
        first = max((each for each in taken if 1000 <= each < 60_000), default=999) + 1
        counted = range(first, 60_001)
    return next((each for each in counted if each not in taken), 1000)


def rename_user(stage: Stage, rest: Sequence[str], line: int) -> None:
    if any(word in ("-l", "--login", "-u", "--uid") for word in rest):
        stage.users_known = False


def remove_user(stage: Stage, rest: Sequence[str], line: int) -> None:
    """userdel and deluser."""
    for name in read_operands(rest)[2]:
        stage.users_known = stage.users_known and "$" not in name
        stage.numbers.pop(name, None)
