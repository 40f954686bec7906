"""What code asks for by name as it is loaded: shared libraries, the Tk of the system, distributions' versions."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.model.image import Image
from smoke.static.python.distributions import normalized
from smoke.static.python.effects import Mention
from smoke.static.python.program import LoadedProgram
from smoke.static.python.projects import read_project
from smoke.static.regex import regex

NOT_BARE = regex(
    r"lib(?:sodium|magic|GL|EGL|GLESv2|xslt|exslt|cairo|pango(?:cairo|ft2)?-1\.0|pq|mariadb|mysqlclient|zbar|usb-1\.0|vips"
    r"|MagickWand(?:-[\w.]+)?|portaudio|sndfile|av(?:codec|format|util|filter|device)|swscale|gdal|geos(?:_c)?|proj"
    r"|spatialindex(?:_c)?|hdf5|freetype|fontconfig|jpeg|turbojpeg|png16|tiff|webp|X11|Xext|SDL2(?:-[\w.]+)?|odbc|ldap"
    r"|snappy|rdkafka|zmq|leveldb|lmdb|enchant(?:-2)?|espeak(?:-ng)?|opus|ogg|vorbis|asound|pulse|bluetooth|pcap|hidapi-\w+"
    r"|ftdi1?|serialport|vlc|mpv|tesseract|lept(?:onica)?|poppler|wkhtmltox|rtlsdr|hackrf|gphoto2|git2|yaml-0|gsl|openblas"
    r"|tk8\.6|lapack|blas|fftw3f?|glib-2\.0|gobject-2\.0|gtk-[34]|rsvg-2|secp256k1|oqs|tdjson|pcsclite|modbus)\.so(?:\.[\d.]+)?"
)
"""Libraries that neither a slim image of Debian nor Alpine has of itself."""
_SMALL_PYTHON = regex(r"(?:^|/)python:[\w.-]*(?:slim|alpine)")


def _loaded(program: LoadedProgram, named: Mention, path: str) -> bool:
    graph = program.graph
    mine = graph.entry_is_main and graph.entry is not None and graph.entry.path == path
    return path not in graph.later and (not named.main or mine)


def lacking_libraries(program: LoadedProgram) -> Iterator[Absence]:
    """Libraries that are loaded by ctypes, and those of `tkinter`, where the image surely has none."""
    image = program.image
    if image.environment.get("LD_LIBRARY_PATH"):
        return
    for path, source in program.graph.modules.items():
        for each in source.effects.libraries:
            known = NOT_BARE.fullmatch(each.name) and _loaded(program, each, path)
            if known and image.has_library((each.name,)) is False:
                message = f"{each.name} is loaded by {each.by}, and the image does not have it"
                yield Absence(path, each.line, message, "Install the package of the system that brings it.")
        if path not in program.graph.later and (line := _tk(program, path)) and _without_tk(image):
            message = "tkinter is imported: it loads libtk8.6.so, which the small images of Python lack"
            yield Absence(path, line, message, "Install tk (Debian) or tk of Alpine, or take the full image.")


_OF_TK = frozenset({"pyautogui", "mouseinfo", "pymsgbox"})
"""Modules that end the program where there is no tkinter."""


def _tk(program: LoadedProgram, path: str) -> int:
    graph = program.graph
    mine = graph.entry_is_main and graph.entry is not None and graph.entry.path == path
    for each in graph.modules[path].imports:
        if each.module in _OF_TK and not (each.caught or each.lazy or (each.main and not mine)):
            return each.line
        plain = not (each.caught or each.lazy or each.instead or each.other) and (mine or not each.main)
        if plain and each.module.partition(".")[0] in ("tkinter", "turtle") and not each.level:
            return each.line
    return 0


def _without_tk(image: Image) -> bool:
    return bool(_SMALL_PYTHON.search(image.base_reference)) and image.has_library(("libtk8.6.so", "libtcl")) is False


def lacking_metadata(program: LoadedProgram) -> Iterator[Absence]:
    """Projects of the tree whose version is asked for, although nothing installs them."""
    installed = program.installed
    names = {name for each in installed.each for name in each.asked}
    if installed.doubts or program.image.base is None or program.graph.doubts:
        return
    for path, source in program.graph.modules.items():
        for each in source.effects.distributions:
            name = normalized(each.name)
            if not _loaded(program, each, path) or name in names or not _of_tree(program, path, name):
                continue
            if any(_is_metadata(place, name) for place in program.image.files.entries):
                continue
            message = f"{each.by} asks for {each.name}, a project of the tree that this image does not install"
            yield Absence(path, each.line, message, "Install the project itself, or take the version from elsewhere.")


def _of_tree(program: LoadedProgram, path: str, name: str) -> bool:
    """Whether a project above a module has that name."""
    directory = posixpath.dirname(path)
    while True:
        project = read_project(program.installed.tree, directory)
        if project is not None and normalized(project.name) == name:
            return True
        if not directory:
            return False
        directory = posixpath.dirname(directory)


def _is_metadata(place: str, name: str) -> bool:
    directory = posixpath.basename(place)
    if not directory.endswith((".dist-info", ".egg-info")):
        return False
    return normalized(directory.rpartition(".")[0].partition("-")[0]) == name
