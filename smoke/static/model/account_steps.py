"""Users and groups that a step of a build takes for granted, or makes although they are there."""

from __future__ import annotations

import re

from smoke.static.model.operands import plain_operands
from smoke.static.model.stage import Stage


def account_refusal(stage: Stage, name: str, rest: list[str]) -> str:
    """Users and groups that a command takes for granted."""
    if not stage.users_known:
        return ""
    if name == "chown" and not any(word.startswith(("--reference", "--from")) for word in rest):
        owner = (plain_operands(rest) or [""])[0].partition(":")[0].partition(".")[0]
        if re.fullmatch(r"[A-Za-z_][\w-]*", owner) and owner not in stage.numbers:
            return f"chown: there is no user {owner} at this step"
        group = (plain_operands(rest) or [""])[0].partition(":")[2]
        known = group in stage.groups or group in stage.numbers
        if re.fullmatch(r"[A-Za-z_][\w-]*", group) and not known:
            return f"chown: there is no group {group} at this step"
    if taken := _taken(stage, name, rest) or _group_taken(stage, name, rest):
        return taken
    if name == "useradd":
        for place, word in enumerate(rest[:-1]):
            group = rest[place + 1]
            named = word in ("-g", "--gid") and re.fullmatch(r"[A-Za-z_][\w-]*", group)
            if named and group not in stage.groups and group not in stage.numbers:
                return f"useradd: there is no group {group} at this step"
    return ""


def _taken(stage: Stage, name: str, rest: list[str]) -> str:
    """Users that are there already, and numbers that others have."""
    if name not in ("useradd", "adduser") or (name == "adduser" and any("system" in word for word in rest)):
        return ""
    valued = (
        "-u --uid -g --gid -d --home-dir --home -h -s --shell -G --groups -c --comment --gecos --ingroup -K --key -k"
        " --skel -p --password -b --base-dir -e --expiredate -f --inactive"
    )
    valued = valued if name == "useradd" or "-D" in rest else valued.replace("-h ", "")
    operands = plain_operands(rest, valued)
    # The catalog gives every base a nonroot, since distroless ones have it.
    wanted = operands[-1] if operands and (name == "useradd" or len(operands) == 1) else "nonroot"
    if wanted in stage.numbers and wanted != "nonroot":
        return f"{name}: there is a user {wanted} already at this step"
    number = next((rest[place + 1] for place, word in enumerate(rest[:-1]) if word in ("-u", "--uid")), "")
    other = any(word in ("-o", "--non-unique") for word in rest)
    holder = next((each for each, held in stage.numbers.items() if number == str(held) and each != "nonroot"), "")
    if holder and not other:
        return f"{name}: the user {holder} has the number {number} already at this step"
    return ""


_GROUPS = {
    "debian": {
        **{"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7, "mail": 8, "news": 9},
        **{"uucp": 10, "man": 12, "proxy": 13, "dialout": 20, "cdrom": 24, "floppy": 25, "sudo": 27, "audio": 29},
        **{"www-data": 33, "backup": 34, "operator": 37, "video": 44, "plugdev": 46, "staff": 50, "games": 60},
        **{"users": 100, "nogroup": 65534},
    },
    "alpine": {
        **{"root": 0, "bin": 1, "daemon": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7, "wheel": 10},
        **{"audio": 18, "cdrom": 19, "dialout": 20, "video": 27, "users": 100, "ping": 999},
        **{"nogroup": 65533},
    },
}
"""Groups that every image of these systems has, with their numbers."""


def _group_taken(stage: Stage, name: str, rest: list[str]) -> str:
    """Groups that are there already, and numbers that others have."""
    known = _GROUPS.get(stage.system, {})
    busybox = name == "addgroup" and stage.system == "alpine"
    short = {letter for word in rest if re.fullmatch(r"-[A-Za-z]+", word) for letter in word[1:]}
    if (name != "groupadd" and not busybox) or short & {"f", "o"} or {"--force", "--non-unique"} & {*rest}:
        return ""
    operands = plain_operands(rest, "-g --gid -K --key -p --password -R --root -P --prefix -U --users")
    if len(operands) != 1:
        return ""
    if operands[0] in known and operands[0] in stage.groups:
        return f"{name}: there is a group {operands[0]} already at this step"
    number = next((rest[place + 1] for place, word in enumerate(rest[:-1]) if word in ("-g", "--gid")), "")
    holder = next((each for each, held in known.items() if number == str(held) and each in stage.groups), "")
    return f"{name}: the group {holder} has the number {number} already at this step" if holder else ""
