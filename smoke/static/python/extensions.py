"""Extension modules in a wheel at hand: which of them its package loads first, and the libraries that they need."""

from __future__ import annotations

import io
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from smoke.static.python.reading import read_source
from smoke.static.regex import regex

if TYPE_CHECKING:
    import zipfile

MAX_MEMBER = 64 << 20
"""Bytes of an extension module that is looked into."""
MAX_MODULES = 50
_EXTENSION = regex(r"(?P<module>(?:\w+/)*\w+)(?:\.(?:cpython|abi3|pypy)[\w-]*)?\.so")


class Wheel(Struct, frozen=True):
    """What a wheel holds, as far as it matters to the system."""

    needs: dict[str, frozenset[str]]
    """The libraries that it does not bring itself, by the module at its top that needs them to be loaded at all."""


def read_wheel(path: Path) -> Wheel | None:
    """A wheel's extension modules; none where it cannot be read, or pyelftools (the extra `[wheels]`) is absent."""
    try:
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    import zipfile  # noqa: PLC0415 - few trees have wheels, and it takes its time to load

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            brought = {posixpath.basename(name) for name in names}
            found: dict[str, frozenset[str]] = {}
            for name in _first(archive, names)[:MAX_MODULES]:
                if archive.getinfo(name).file_size > MAX_MEMBER:
                    return None
                with archive.open(name) as member:
                    section: Any = ELFFile(io.BytesIO(member.read(MAX_MEMBER))).get_section_by_name(".dynamic")
                needed = {tag.needed for tag in section.iter_tags("DT_NEEDED")} if section is not None else set()
                top = re.split(r"[/.]", name)[0]
                found[top] = found.get(top, frozenset()) | (needed - brought)
    except Exception:  # neither library says what it raises on a file that was made to break it
        return None
    return Wheel(found)


def _first(archive: zipfile.ZipFile, names: list[str]) -> list[str]:
    """The extension modules that are loaded as soon as what is at the top of the wheel is."""
    extensions = {
        match["module"].replace("/", "."): name for name in names if (match := _EXTENSION.fullmatch(name)) is not None
    }
    found = [name for module, name in extensions.items() if "." not in module]
    for package in sorted({module.partition(".")[0] for module in extensions if "." in module}):
        if f"{package}/__init__.py" not in names:
            continue
        with archive.open(f"{package}/__init__.py") as member:
            source = read_source(package, member.read(1 << 20), None, alone=True)
        for each in source.imports:
            if each.lazy or each.caught or each.main or each.level > 1:
                continue
            module = ".".join(filter(None, (package if each.level else "", each.module)))
            found += [
                extensions[name] for name in (module, *(f"{module}.{one}" for one in each.names)) if name in extensions
            ]
    return list(dict.fromkeys(found))
