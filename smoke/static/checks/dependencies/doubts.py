"""Why a module may be there although no installation brings it."""

from __future__ import annotations

from smoke.static.model.doubt import DoubtCause
from smoke.static.python.importer import LIBRARIES_OF_SYSTEM, version_of
from smoke.static.python.program import LoadedProgram
from smoke.static.python.standard import has_module
from smoke.static.regex import regex

_WITHOUT_MODULES = regex(
    r"(?:python3(?:-minimal|-venv|-dev|-full)?|(?:ba|da|z|fi)sh|busybox|coreutils|tzdata|ca-certificates|tini|dumb-init"
    r"|su-exec|gosu|openssl|openssl-dev|curl|wget|jq|unzip|zip|tar|xz|gzip|make|gcc|g\+\+|musl-dev|libc-dev|libc6-compat|gcompat"
    r"|build-base|build-essential|linux-headers|libffi(?:-dev)?|libstdc\+\+\d*|libgcc|libpq\d*|libpq-dev"
    r"|postgresql-client|sqlite3?|postgresql-(?:dev|libs)|procps|iputils|net-tools|netcat-openbsd|openssh-client|gnupg|less|nano|vim|rust|cargo)(?:[=<>~].*)?$"
)
"""Packages that bring no modules of Python's beside its own library."""


def doubt_of(program: LoadedProgram, top: str) -> str:
    """Why a module may be there although no installation brings it."""
    image = program.image
    if image.base is None:
        return f"whether the base {image.base_reference} has it is not known"
    if image.start.doubt:
        return image.start.doubt
    version = version_of(image)
    bundled = version is None or version < (3, 12)
    if bundled and top in ("setuptools", "pkg_resources", "distutils", "_distutils_hack"):
        return "setuptools comes with Python's images and environments up to 3.11"
    if top in ("pip", "wheel"):
        return "pip comes with Python's images"
    for directory in image.start.search:
        held = image.files.find(directory)
        made = held is not None and held.line > 0
        for reason in image.files.every_doubt(f"{directory}/{top}"):
            if reason.cause is DoubtCause.BASE and (made or directory in LIBRARIES_OF_SYSTEM):
                continue  # it holds what that instruction put there, or libraries
            if reason.cause is DoubtCause.DISTRIBUTIONS:
                continue
            if reason.cause is DoubtCause.PACKAGES and version is not None and has_module(top, None):
                continue  # a package of the system brings no module of a newer standard library
            if reason.cause is DoubtCause.PACKAGES and all(map(_WITHOUT_MODULES.match, image.packages)):
                continue
            if reason.cause is DoubtCause.BASE and directory.endswith("-packages") and image.base.python is not None:
                continue  # Python's images have no distributions but those that install others
            if reason.cause is DoubtCause.BASE and any(directory.startswith(f"{place}/") for place in image.venvs):
                continue  # an environment that the build made holds what the build put there
            return reason
    return ""
