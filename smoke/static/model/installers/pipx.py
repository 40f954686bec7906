"""`pipx install`: an environment of its own for each program, and links to its programs in one directory."""

from __future__ import annotations

import posixpath
import re

from smoke.static.model.install import Install
from smoke.static.model.installers.record import doubtful, installed
from smoke.static.model.stage import Stage

_VALUED = frozenset(["--python", "--spec", "--pip-args", "--index-url", "-i", "--suffix", "--backend", "--preinstall"])


def pipx(stage: Stage, rest: list[str], line: int, given: dict[str, str]) -> None:
    """Follow `pipx install NAMES`; what else pipx does is in doubt."""
    shared = "--global" in rest
    words = [word for word in rest if word != "--global"]
    home = stage.home()
    if words[:1] == ["ensurepath"]:
        return
    if words[:1] != ["install"] or not (home or shared) or any(word.startswith("--s") for word in words):
        doubtful(stage, "pipx", line)
        return
    names, before = [], ""
    for word in words[1:]:
        if not word.startswith("-") and before not in _VALUED:
            names.append(word)
        before = word
    if not stage.python or any("$" in each or "/" in each for each in names):
        doubtful(stage, "pipx", line)
        return
    own = given.get("PIPX_HOME") or ("/opt/pipx" if shared else posixpath.join(home, ".local/share/pipx"))
    scripts = given.get("PIPX_BIN_DIR") or ("/usr/local/bin" if shared else posixpath.join(home, ".local/bin"))
    for name in names:
        plain = re.split(r"[\[=<>~!@]", name, maxsplit=1)[0]
        place = f"{own}/venvs/{plain}"
        directory = f"{place}/lib/python{stage.python}/site-packages"
        installed(stage, directory, scripts, line)
        stage.installs.append(Install(line, distributions=(name,), directory=directory, scripts=scripts, visible=None))
