"""Health checks as words of a command: the programs they start, the ports they ask, what keeps them from running."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from smoke.static.model.certain import certain_programs
from smoke.static.model.image import HealthCheck, Image

_PORTS = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?)[\"']?\s*[:,]\s*(\d{2,5})")


def ports_asked(text: str) -> set[int]:
    """Ports of this machine that a health check asks."""
    return {int(port) for port in _PORTS.findall(text)}


def unable(image: Image, words: tuple[str, ...], *, shell_form: bool) -> Iterator[str]:
    """Why a health check cannot run in an image, as far as its programs decide it."""
    surroundings = image.surroundings()
    shell = surroundings.find("/bin/sh")
    if shell_form and not shell.place and not shell.doubt:
        yield "its shell form needs /bin/sh, which the image does not have"
        return
    for each in health_programs(HealthCheck(0, words, shell_form)):
        found = surroundings.find(each)
        if not found.place and not found.doubt:
            yield f"{each} is not in the image"
    if not shell_form and posixpath.basename(words[0]).startswith("python") and len(words) > 1:
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        path = posixpath.normpath(posixpath.join(image.workdir, script))
        code = {"-c", "-m"} & {*words[1:]}
        if script and not code and image.files.find(path) is None and not image.files.doubt(path):
            yield f"{path}, which it runs, is not in the image"


def health_programs(health: HealthCheck) -> list[str]:
    """The programs that a health check surely starts: in shell form, those that decide its outcome."""
    if not health.shell_form:
        return [health.words[0]] if health.words and health.words[0] else []
    return certain_programs(" ".join(health.words))
