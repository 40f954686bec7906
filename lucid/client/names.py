"""Names of files in sessions: which there can be, and how one that a system would act on is written when it comes back.

A session's files are someone's bytes. A name must not lead out of the folder, hide, start anything, name a device, or
act on a terminal, on any system. What would is written with percent signs: `.profile` becomes `%2Eprofile`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lucid.client.errors import BundleError

MAX_NAME_BYTES = 1_024
MAX_PART_BYTES = 255
MAX_PARTS = 32
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?$")
_RESERVED = '<>:"\\|?*'


def check_names(names: Iterable[str]) -> None:
    """Check the names of a session's files, folders divided by `/`; raises `BundleError` for what no file can have."""
    seen = set[str]()
    for name in names:
        parts = name.split("/")
        wrong = (
            len(parts) > MAX_PARTS
            or any(part in ("", ".", "..") or "\0" in part for part in parts)
            or len(name.encode(errors="surrogatepass")) > MAX_NAME_BYTES
        )
        if wrong or name in seen:
            raise BundleError(f"the session holds a file of the impossible name {name!r}")
        seen.add(name)


def written_names(names: Iterable[str], hidden: bool = False) -> list[str]:
    """How the files of these (checked) names are called when they are written, `hidden` ones as they are if wanted.

    Raises `BundleError` where two would be one file, on systems too that do not tell cases apart.
    """
    written = ["/".join(_written(part, hidden) for part in name.split("/")) for name in names]
    files = {_folded(name): name for name in written}
    if len(files) < len(written):
        raise BundleError("the session holds files whose names a file system cannot tell apart")
    for name in written:
        parts = name.split("/")
        for end in range(1, len(parts)):
            if _folded("/".join(parts[:end])) in files:
                raise BundleError(f"the session holds a file and a folder named {'/'.join(parts[:end])!r}")
        if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
            raise BundleError(f"the session holds a file whose name is too long: {name[:60]!r}...")
    return written


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _written(part: str, hidden: bool) -> str:
    marks = [mark if mark.isprintable() and mark not in _RESERVED else _escaped(mark) for mark in part]
    if (part[0] == "." and not hidden) or part[0] in "-~" or _DEVICES.match(part):
        marks[0] = _escaped(part[0])
    if part[-1] in ". " and len(part) > 1:
        marks[-1] = _escaped(part[-1])
    return "".join(marks)


def _escaped(mark: str) -> str:
    return "".join(f"%{byte:02X}" for byte in mark.encode(errors="surrogatepass"))
