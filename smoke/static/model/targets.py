"""What pip chooses wheels for, and why it refuses one that is made for something else."""

from __future__ import annotations

import itertools
import re

from msgspec import Struct

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_FILE = regex(r"[\w.!+]+-[\w.!+]+(?:-\d\w*)?-([\w.]+)-([\w.]+)-([\w.]+)\.whl")
_MACHINES = ("x86_64", "aarch64", "armv7l", "i686", "ppc64le", "s390x")


class Target(Struct, frozen=True, kw_only=True):
    """What pip chooses wheels for: a version of Python, a C library and a machine; empty where one is not known."""

    python: str
    libc: str
    machine: str
    asked: bool = False
    """Whether pip was told them: else they are those of the stage that it runs in."""

    def unfit(self, file: str) -> str:
        """Why pip refuses a wheel, as its name says what it is for; empty when nothing speaks against it."""
        match = _FILE.fullmatch(file)
        if match is None:
            return ""
        made, abi, platforms = match[1].split("."), match[2], match[3].split(".")
        minor = re.fullmatch(r"3\.(\d+)", self.python)
        exact = [int(each[3:]) for each in made if re.fullmatch(r"cp3\d+", each)]
        if minor is not None and len(exact) == len(made) == 1:
            other = exact[0] > int(minor[1]) if abi in ("abi3", "none") else exact[0] != int(minor[1])
            if other:
                return f"{file} is for Python 3.{exact[0]}, and {self._called('has')} {self.python}"
        if re.match(r"win|macosx", match[3]):
            return f"{file} is for another system than Linux"
        odd = {"musl": "manylinux", "glibc": "musllinux"}.get(self.libc, "")
        if odd and all(each.startswith(odd) for each in platforms):
            return f"{file} is for {'glibc' if self.libc == 'musl' else 'musl'}, and {self._called('has')} {self.libc}"
        others = [each for each in _MACHINES if each != self.machine and match[3].endswith(each)]
        if self.machine and others and all(each.endswith(others[0]) for each in platforms):
            return f"{file} is for {others[0]}, and {self._called('is built for')} {self.machine}"
        return ""

    def _called(self, verb: str) -> str:
        return "pip is asked for" if self.asked else f"this stage {verb}"


def target_of(stage: Stage, words: list[str]) -> Target:
    """What pip chooses wheels for in a stage, given the words of its command, which may tell it something else."""
    platforms, versions = _told(words, "--platform"), _told(words, "--python-version")
    python, libc, machine = stage.python, stage.libc, stage.machine
    if versions:
        plain = re.fullmatch(r"3\.?(\d+)(?:\.\d+)?", versions[-1])
        python = f"3.{plain[1]}" if plain is not None else ""
    if platforms:
        machine = next((each for each in _MACHINES if all(told.endswith(each) for told in platforms)), "")
        families = {"manylinux": "glibc", "musllinux": "musl"}
        found = {next((libc for word, libc in families.items() if told.startswith(word)), "") for told in platforms}
        libc = found.pop() if len(found) == 1 else ""
    return Target(python=python, libc=libc, machine=machine, asked=bool(platforms or versions))


def _told(words: list[str], option: str) -> list[str]:
    """The values of an option, with which it may be one word or two."""
    after = [word for before, word in itertools.pairwise(words) if before == option]
    return after + [word.removeprefix(f"{option}=") for word in words if word.startswith(f"{option}=")]
