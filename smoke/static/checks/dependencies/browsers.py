"""Browsers that code starts by Playwright or Selenium, and that the image lacks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.model.image import Image
from smoke.static.python.program import LoadedProgram
from smoke.static.regex import regex

_LAUNCHES = regex(rb"\.(chromium|firefox|webkit)\.launch(?:_persistent_context)?\(")
_OTHERWISE = regex(rb"executable_path|channel\s*=|\.connect(?:_over_cdp)?\(|connect_over_cdp|browserless|ws_endpoint")
"""What starts another browser than Playwright's own, or none."""
_DRIVERS = regex(rb"webdriver\.(Chrome|Firefox|Edge)\(")
_REMOTE = regex(rb"webdriver\.Remote\(|command_executor|binary_location|undetected|debugger_address")
_INSTALL = regex(r"\bplaywright\s+install\b(?!-deps)(?P<rest>[^&|;\n]*)")
_OPEN_STEP = regex(r"\.(?:sh|bash|py)\b|\bmake\b|ansible|\bnox\b|\binvoke\b|rfbrowser|patchright|camoufox")
_KNOWN_BASE = regex(r"(?:^|/)(?:python|debian|ubuntu)(?::|@|$)|astral-sh/uv")
_LIBRARIES = ("libnss3.so", "libnspr4.so")
"""What Chromium loads, and no slim image has."""
_REMEDY = "RUN playwright install --with-deps {} as the user that runs it, or set PLAYWRIGHT_BROWSERS_PATH."


class _Installed(Struct, frozen=True):
    """One `playwright install`."""

    names: tuple[str, ...]
    """Browsers that it is asked for; empty for all."""
    libraries: bool
    """Whether it brings what they load, too."""
    user: str
    final: bool
    """Whether it is of the final stage, or one that this is built on."""


def lacking_browsers(program: LoadedProgram) -> Iterator[Absence]:
    """All of them, where surely none is there."""
    image, graph, tree = program.image, program.graph, program.installed.tree
    if image.base is None or not _KNOWN_BASE.search(image.base_reference) or image.start.trouble:
        return
    for path in graph.modules:
        data = tree.data(path)
        line = 1 + data.count(b"\n", 0, found.start()) if (found := _LAUNCHES.search(data)) else 0
        if found and b"playwright" in data and not _OTHERWISE.search(data) and path not in graph.later:
            browser = found[1].decode()
            if _asked(program, "playwright") and (why := _without(image, browser)):
                yield Absence(path, line, f"{browser} is started by playwright: {why}", _REMEDY.format(browser))
                return
        driven = _DRIVERS.search(data)
        if driven and b"selenium" in data and not _REMOTE.search(data) and path not in graph.later:
            kind = driven[1].decode()
            if _asked(program, "selenium") and image.has_library(_LIBRARIES) is False:
                line = 1 + data.count(b"\n", 0, driven.start())
                message = f"{kind} is started by selenium, and the image has neither it nor the libraries that it loads"
                yield Absence(path, line, message, "Install chromium and chromium-driver, or firefox-esr.")
                return


def _asked(program: LoadedProgram, name: str) -> bool:
    return any(name in each.asked for each in program.installed.each)


def _without(image: Image, browser: str) -> str:
    """Why the image does not have a browser of Playwright's; empty when it may."""
    told = " ".join([*image.environment, *image.start.words, *(" ".join(words) for words in image.start.ran)])
    if "PLAYWRIGHT_SKIP" in told or ("playwright" in told and "install" in told) or _mounted(image):
        return ""
    steps = [(stage, each) for stage in image.stages.stages for each in stage.instructions]
    if any(each.keyword == "RUN" and _OPEN_STEP.search(_INSTALL.sub("", each.text)) for _, each in steps):
        return ""
    held = list(_installed(image))
    copied = any(
        each.keyword in ("COPY", "ADD") and each.flag("from") is not None and _leads(each) for _, each in steps
    )
    own = [each for each in held if each.final]
    if not own:
        return "" if copied or _apart(steps) else "nothing installs its browsers in the image"
    if not any(_has(each, browser) for each in own):
        return f"only {', '.join(own[0].names)} is installed"
    if "PLAYWRIGHT_BROWSERS_PATH" not in image.environment and (home := _other_home(image, own)):
        return home
    bare = browser == "chromium" and image.is_bare
    deps = any(each.libraries for each in own) or any("install-deps" in each.text for _, each in steps)
    return (
        "" if deps or not bare else f"the image lacks {_LIBRARIES[0]}, which it loads (playwright install --with-deps)"
    )


def _installed(image: Image) -> Iterator[_Installed]:
    """Every `playwright install`, with the user that it is run as."""
    chain, index = set(), image.final.index if image.final is not None else None
    while index is not None:
        chain.add(index)
        index = image.stages.stages[index].parent
    users: dict[int, str] = {}
    for stage in image.stages.stages:
        user = users.get(stage.parent, "root") if stage.parent is not None else "root"
        for each in stage.instructions:
            user = each.text.strip() if each.keyword == "USER" else user
            for found in _INSTALL.finditer(each.text) if each.keyword == "RUN" else ():
                words = found["rest"].split()
                names = tuple(word for word in words if re.fullmatch(r"[a-z][a-z-]+", word))
                yield _Installed(names, "--with-deps" in words, user, stage.index in chain)
        users[stage.index] = user


def _has(installed: _Installed, browser: str) -> bool:
    return not installed.names or any(browser in each or "$" in each for each in installed.names)


def _apart(steps: Sequence[tuple[object, Instruction]]) -> bool:
    """Whether some step speaks of Playwright's browsers in a way that is not followed."""
    texts = [each.text for _, each in steps if each.keyword in ("RUN", "COPY", "ADD", "ENV", "ARG")]
    return any(
        re.search(r"ms-playwright|playwright.*\binstall\b(?!.*\bplaywright)|chromium|firefox", each) for each in texts
    )


def _leads(each: Instruction) -> bool:
    return re.search(r"ms-playwright|/root\b|/home\b|\.cache|browsers|\s/\s", each.text) is not None


def _mounted(image: Image) -> bool:
    mounts = image.launch.mounts if image.launch is not None else ()
    return any("playwright" in each.target or ".cache" in each.target for each in mounts)


def _other_home(image: Image, own: list[_Installed]) -> str:
    """Why the user that runs it does not see what another one installed."""
    user = image.user.partition(":")[0] or "root"
    names = {each.user.partition(":")[0] for each in own}
    if "HOME" in image.environment or any("$" in each for each in (*names, user)):
        return ""
    homes = {"root": "/root", "0": "/root"} | image.homes
    mine, others = homes.get(user), {homes.get(each) for each in names}
    if mine is None or None in others or mine in others:
        return ""
    place = posixpath.join(next(iter(each for each in others if each)), ".cache/ms-playwright")
    return f"its browsers are in {place}, and {user} looks in {mine}"
