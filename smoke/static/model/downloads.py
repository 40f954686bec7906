"""What downloads, archives and checkouts of a RUN bring: the file that is named, or more than can be looked into."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from itertools import zip_longest

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.stage import Stage

FETCHERS = frozenset(["curl", "wget", "aria2c"])
UNPACKERS = frozenset(["tar", "unzip", "gunzip", "gzip", "bunzip2", "unxz", "xz", "7z", "cpio", "git", "hg", "svn"])
_OUTPUTS = {
    "curl": ("o", "--output", "", "--output-dir"),
    "wget": ("O", "--output-document", "P", "--directory-prefix"),
    "aria2c": ("o", "--out", "d", "--dir"),
}
"""The options that tell what to write, short and long, and those that tell into which directory."""
_BUNDLED = r"-[#0146JLNORSVcfgiknpqsv]*?"
"""Options of one letter that take nothing, which may stand in one word before another."""


def fetched(stage: Stage, name: str, rest: Sequence[str], line: int) -> None:
    """What curl and wget write: the file that they are told, or something in a directory."""
    target, directory = _output(name, rest)
    if name != "wget":  # which goes by the file alone where it is told one
        target = target and posixpath.join(directory, target)
    if target and "$" not in target:
        if not target.startswith(("/dev/", "-")):
            stage.files.add(stage.path(target), PathEntry("file", user=stage.number(stage.user), mode=0o644, line=line))
        return
    if name == "curl" and not any(re.match(r"-[a-zA-Z]*O|--remote-name", word) for word in rest) and not target:
        return  # to standard output
    place = "/" if "$" in target + directory else stage.path(directory or ".")
    stage.files.suspect(place, f"{name} in line {line} writes there", DoubtCause.COMMAND)


def _output(name: str, rest: Sequence[str]) -> tuple[str, str]:
    """The file that is told to be written, and the directory; empty where they are not told."""
    short, long, short_within, within = _OUTPUTS[name]
    target = directory = ""
    for word, following in zip_longest(rest, rest[1:], fillvalue=""):
        option, equals, value = word.partition("=")
        if option in (long, within):
            value = value if equals else following
            target, directory = (value, directory) if option == long else (target, value)
        elif match := re.fullmatch(f"{_BUNDLED}{short}(.*)", word):
            target = match[1] or following
        elif short_within and (match := re.fullmatch(f"{_BUNDLED}{short_within}(.*)", word)):
            directory = match[1] or following
    return target, directory


def unpacked(stage: Stage, name: str, rest: Sequence[str], line: int) -> None:
    """Archives and checkouts: below the directory that is named, or the working directory."""
    reason = f"what {name} of line {line} brings is not looked into"
    places = [rest[place + 1] for place, word in enumerate(rest[:-1]) if word in ("-C", "--directory", "-d")]
    places += [word.partition("=")[2] for word in rest if word.startswith("--directory=")]
    places += [word[2:] for word in rest if name == "tar" and re.match("-C.", word)]
    if name == "git" and rest[:1] == ["clone"] and len(rest) > 2 and not rest[-1].startswith(("http", "git@", "-")):
        places = [rest[-1]]
    for place in places or ["."]:
        stage.files.suspect(stage.path(place) if "$" not in place else "/", reason, DoubtCause.COMMAND)
