"""What npm refuses: scripts that package.json does not have, and `npm ci` without a lock file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

_OF_NPM = {"start": "start", "test": "test", "stop": "stop", "restart": "restart"}
"""Commands of npm that run the script of their name."""
_ELSEWHERE = ("-w", "--workspace", "--workspaces", "-ws", "--prefix", "-C", "--if-present", "-g", "--global")
LOCKS = ("package-lock.json", "npm-shrinkwrap.json")


def npm_refusal(
    rest: Sequence[str], read: Callable[[str], str | None], exists: Callable[[str], bool | None], *, locked: bool
) -> str:
    """Why npm surely fails with these words in a directory; `read` gives a file's text and `exists` says whether there
    is one, or none where that is not known; `locked` says whether the tree has a lock file of npm's at all."""
    if any(word.partition("=")[0] in _ELSEWHERE or "$" in word for word in rest):
        return ""
    words = [word for word in rest if not word.startswith("-")]
    if words[:1] in (["ci"], ["clean-install"]):
        lacks = locked and all(exists(each) is False for each in LOCKS)
        return "npm ci goes by package-lock.json, and there is none at this step" if lacks else ""
    script = _script_of(words)
    if script and exists("package.json") is False:
        return f"npm {' '.join(words)} reads package.json, and there is none in its directory"
    return _unlisted(script, read, exists) if script else ""


def _script_of(words: list[str]) -> str:
    """The script that npm is to run; empty for its other commands."""
    run = words[:1] in (["run"], ["run-script"])
    return words[1] if run and len(words) > 1 else _OF_NPM.get(words[0], "") if words and not run else ""


def script_text(rest: Sequence[str], read: Callable[[str], str | None]) -> str:
    """What a script of npm's does, as package.json says it; empty where it is not known."""
    plain = not any(word.partition("=")[0] in _ELSEWHERE for word in rest)
    script = _script_of([word for word in rest if not word.startswith("-")]) if plain else ""
    try:
        told = json.loads(read("package.json") or "").get("scripts", {}).get(script, "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return told if isinstance(told, str) else ""


def _unlisted(script: str, read: Callable[[str], str | None], exists: Callable[[str], bool | None]) -> str:
    """Why there is no such script."""
    try:
        told = json.loads(read("package.json") or "")
        scripts = told.get("scripts") or {}
    except (ValueError, AttributeError, RecursionError):
        return ""
    usual = script == "restart" or (script == "start" and exists("server.js") is not False)
    if not isinstance(scripts, dict) or not scripts or script in scripts or usual:
        return ""
    return f"package.json has no script {script}: it has {', '.join(list(scripts)[:4])}"
