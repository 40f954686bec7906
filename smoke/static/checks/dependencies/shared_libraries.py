"""Shared libraries that code loads by name, where the image surely has none."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.dependencies.tk import lacking_tk
from smoke.static.checks.loaded import runs
from smoke.static.python.program import LoadedProgram
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


def lacking_libraries(program: LoadedProgram) -> Iterator[Absence]:
    """Libraries that are loaded by ctypes, and those of `tkinter`, where the image surely has none."""
    image = program.image
    if image.environment.get("LD_LIBRARY_PATH"):
        return
    for path, source in program.graph.modules.items():
        for each in source.effects.libraries:
            known = NOT_BARE.fullmatch(each.name) and runs(program, source, each.main)
            if known and image.has_library((each.name,)) is False:
                message = f"{each.name} is loaded by {each.by}, and the image does not have it"
                yield Absence(path, each.line, message, "Install the package of the system that brings it.")
        yield from lacking_tk(program, path)
