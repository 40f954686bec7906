"""What the image's user may do with a path: open it, write it, make it."""

from __future__ import annotations

import posixpath
import re

from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.image import Image
from smoke.static.python.effects import FileUse, Use

_OF_ROOT = frozenset(
    [
        "/",
        "/var",
        "/var/log",
        "/var/lib",
        "/var/run",
        "/run",
        "/etc",
        "/usr",
        "/usr/local",
        "/usr/share",
        "/opt",
        "/srv",
        "/home",
        "/mnt",
        "/media",
        "/lib",
        "/bin",
        "/sbin",
        "/var/cache",
        "/var/spool",
    ]
)
"""Directories of every base that belong to root, who alone may write there."""
_WRITERS = (DoubtCause.COMMAND, DoubtCause.MOUNT, DoubtCause.UNKNOWN_BASE, DoubtCause.COPY)
"""What may have given a directory to another user, or put another one in its place."""
_BARE = frozenset(["/var/log", "/var/lib", "/var/cache", "/opt", "/run", "/var/run"])
_OF_BASES = frozenset(
    [
        *["apt", "apk", "debconf", "dbus", "dpkg", "fontconfig", "git", "ldconfig", "man", "misc", "pam", "private"],
        *["lock", "mount", "secrets", "shm", "udev", "user", "utmp", "sshd", "sudo", "dbus", "docker"],
        *["python", "shells.state", "systemd", "ucf", "udhcpd", "xml-core", "sgml-base", "subversion", "ghostscript"],
    ]
)
"""What the bare distributions have there."""


def refused_access(  # noqa: PLR0911 - a case a use
    image: Image, place: str, use: FileUse
) -> tuple[str, str]:
    """What is wrong with a path, or why that cannot be told."""
    if place.startswith(("/dev/", "/proc/", "/sys/", "/tmp/")) or (_is_secret(place) and image.launch is None):
        return "", ""
    if _is_secret(place) and image.files.find(place) is None and not image.files.doubt(place):
        return f"{place} is opened as the code is loaded, and Compose grants the service no such secret", ""
    entry = image.files.find(place)
    if use.use in (Use.READ, Use.SERVE):
        what = "the directory" if use.use is Use.SERVE else ""
        if entry is not None:
            needed = 0o1 if entry.kind == "directory" else 0o4
            return (f"{place} is closed to the user {image.user}" if is_closed(image, entry, needed) else ""), ""
        doubt = image.files.doubt(place)
        if doubt and (other := _mounted_elsewhere(image, place)):
            return f"{place} is opened as the code is loaded, and Compose mounts it at {other}", ""
        if doubt:
            return "", f"whether {place} is there: {doubt}"
        return f"{what} {place} is opened as the code is loaded, and it is not in the image".strip(), ""
    if _read_only(image, place) and (entry is None or use.use is Use.WRITE):
        return f"{place} is written as the code is loaded, and Compose makes the file system read-only", ""
    if entry is not None:
        if use.new and _of_the_build(image, place):
            return f"the directory {place} is made as the code is loaded, and it is in the image already", ""
        if use.use is Use.MAKE or entry.kind == "directory":
            return "", ""
        wrong = f"{place} is opened to be written, and the user {image.user} may not: it belongs to user {entry.user}"
        return (wrong if is_closed(image, entry, 0o2) else ""), ""
    return _made(image, place, use)


def _mounted_elsewhere(image: Image, place: str) -> str:
    """Where Compose mounts a file by the name of one that surely only it would bring; empty where it may be there."""
    mounts = image.launch.mounts if image.launch is not None else ()
    name = posixpath.basename(place)
    same = [each.target for each in mounts if posixpath.basename(each.target) == name and "." in name]
    bare = all(each.cause is DoubtCause.BASE for each in image.files.every_doubt(place))
    return (
        same[0] if len(same) == 1 and same[0] != place and bare and image.base is not None and image.base.lacks else ""
    )


def _of_the_build(image: Image, place: str) -> bool:
    """Whether a directory surely stands where the container starts: the build made it, and nothing covers it."""
    entry = image.files.entries.get(place)
    return entry is not None and entry.kind == "directory" and not image.files.doubt(place)


def _is_secret(place: str) -> bool:
    return place.startswith("/run/secrets/")


def without_temporary(image: Image) -> bool:
    """Whether none of the directories of temporary files can be written to: the file system is read-only."""
    places = ("/tmp", "/var/tmp", "/usr/tmp", image.start.workdir or image.workdir)
    return image.start.temporary and all(_read_only(image, each) for each in places)


def _read_only(image: Image, place: str) -> bool:
    """Whether a path is surely of a file system that cannot be written to."""
    launch = image.launch
    if launch is None or not launch.read_only or any(each.keyword == "VOLUME" for each in image.parsed.instructions):
        return False
    return not any(place == each.target or place.startswith(f"{each.target.rstrip('/')}/") for each in launch.mounts)


def _made(image: Image, place: str, use: FileUse) -> tuple[str, str]:
    """A file or directory that is made: where the nearest directory that is there lets it."""
    above = posixpath.dirname(place)
    held = image.files.find(above)
    while held is None and above != "/":
        if above in _OF_ROOT:
            break
        doubt = image.files.doubt(above)
        if doubt and not _not_of_the_base(image, above):
            return "", f"whether {above} is there: {doubt}"
        if use.use is Use.WRITE:
            return f"{place} is opened to be written, and the directory {above} is not in the image", ""
        if use.alone:
            return f"{place} is made as the code is loaded, and the directory {above} is not in the image", ""
        above = posixpath.dirname(above)
        held = image.files.find(above)
    for doubt in image.files.every_doubt(place):
        if doubt.cause in _WRITERS:
            return "", f"who may write to {above}: {doubt}"
    if held is None or held.mode is None:
        held = PathEntry("directory", user=0, mode=0o755) if above in _OF_ROOT else None
    if held is None or not is_closed(image, held, 0o2):
        return "", ""
    owner = "root" if held.user == 0 else f"user {held.user}"
    return f"{place} is written as the code is loaded, and {above} belongs to {owner}, not to {image.user}", ""


def _not_of_the_base(image: Image, directory: str) -> bool:
    """Whether a directory is in doubt for the base alone, and a bare base has none of that name."""
    above, name = posixpath.split(directory)
    bare = (
        image.base is not None
        and image.base.lacks
        and re.search(r"(?:^|/)(?:python|debian|ubuntu|alpine)\b", image.base_reference)
    )
    # What a package brings there has its name, more or less.
    kin = any(name in each or each in name for each in image.packages)
    usual = (DoubtCause.BASE,) if kin else (DoubtCause.BASE, DoubtCause.PACKAGES)
    only = all(each.cause in usual for each in image.files.every_doubt(directory))
    return bool(bare) and only and above in _BARE and name not in _OF_BASES


def is_closed(image: Image, entry: PathEntry, needed: int) -> bool:
    """Whether the image's user surely lacks a right (of the lowest three bits) to an entry."""
    if image.uid is None or image.uid == 0 or entry.user is None or entry.mode is None:
        return False
    if entry.user == image.uid:
        return not entry.mode & (needed << 6)
    # Its group may have the right, and may be the user's.
    return not entry.mode & (needed | needed << 3)
