"""What to type against a failure, with this image's own names."""

from __future__ import annotations

import difflib
import json
import posixpath
import shlex

from smoke.static.model.build_failure import Missing
from smoke.static.model.image import Image
from smoke.static.model.packages import install_line
from smoke.static.python.distributions import program_of
from smoke.tree import Tree


def bring(image: Image, program: str) -> str:
    """How to get a program into an image; empty when that is not known."""
    line = install_line(image.base.system, posixpath.basename(program)) if image.base is not None else ""
    return f"Type in the Dockerfile, before it is used: {line}" if line else ""


def to_install(image: Image, distribution: str) -> str:
    """How a distribution gets into what an image installs, by the tool that installs there."""
    install = next((each for each in image.installs if each.lock is not None), None)
    if install is not None and install.lock is not None and install.lock.kind in _ADDS:
        return f"Type: {_ADDS[install.lock.kind]} {distribution}"
    file = next((path for each in image.installs for path in each.requirements if path), "")
    if file:
        return f"Type: echo {shlex.quote(distribution)} >> {file}"
    if image.installs and any(each.distributions for each in image.installs):
        return f"Type in the Dockerfile: RUN pip install --no-cache-dir {distribution}"
    return ""


_ADDS = {"uv": "uv add", "poetry": "poetry add", "pipenv": "pipenv install", "pdm": "pdm add"}


def own_python(image: Image) -> str:
    """The name under which an image has its Python; empty when none is found."""
    surroundings = image.surroundings()
    return next((name for name in ("python3", "python") if surroundings.find(name).place), "")


def of_start(image: Image) -> str:  # noqa: PLR0911 - a case a cause
    """Against a command that cannot be started; empty for the check's own remedy."""
    word = image.start.words[0] if image.start.words else ""
    if not word:
        return 'Type at the end of the Dockerfile: CMD ["PROGRAM", "ARGUMENT"]'
    if any(letter.isspace() for letter in word):
        try:
            return f"Type: CMD {json.dumps(shlex.split(word))}"
        except ValueError:
            return ""
    if "$" in word:
        return f"Type: CMD exec {' '.join(image.start.words)}   (the shell form replaces variables)"
    found = image.surroundings().find(word)
    entry = image.files.find(found.place) if found.place else None
    if entry is None and (distribution := program_of(posixpath.basename(word))):
        return to_install(image, distribution)
    if entry is None and not found.doubt:
        python = own_python(image)
        if posixpath.basename(word).startswith("python") and python:
            return f"Type {python} in its place: that is this image's Python."
        return bring(image, word)
    if entry is not None and entry.source and entry.mode is not None and not entry.mode & 0o111:
        return f"Type: git update-index --chmod=+x {entry.source}   (or COPY --chmod=755 in the Dockerfile)"
    return ""


def of_script(image: Image, tree: Tree) -> str:
    """Against a script whose first line ends with a carriage return; empty when it does not."""
    entry = image.files.find(image.start.program) if image.start.program else None
    if entry is not None and entry.source and tree.data(entry.source).partition(b"\n")[0].endswith(b"\r"):
        return f"Type: sed -i 's/\\r$//' {entry.source}   (and in .gitattributes: {entry.source} text eol=lf)"
    return ""


def of_missing(image: Image, tree: Tree, missing: Missing) -> str:
    """Against a COPY that finds nothing: the names that are there and look alike."""
    directory = posixpath.normpath(posixpath.join(image.context or "", posixpath.dirname(missing.source)))
    beside = tree.directories.get("" if directory == "." else directory, ())
    close = difflib.get_close_matches(posixpath.basename(missing.source), beside[:2_000], 1)
    return f"There is a {close[0]}: correct the name." if close else ""


def of_health(image: Image) -> str:
    """A health check with what the image has."""
    python = own_python(image)
    port = image.ports[0] if image.ports else 8000
    if not python:
        return ""
    code = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/')"
    return f'Type: HEALTHCHECK CMD ["{python}", "-c", "{code}"]'
