"""Reads a source file without running it."""

from __future__ import annotations

import ast
import warnings

from smoke.static.python.attributes import attributes
from smoke.static.python.conditions import Version
from smoke.static.python.imported import imported_names
from smoke.static.python.loading import read_effects
from smoke.static.python.serving import HINT, local_calls
from smoke.static.python.source import Source
from smoke.static.python.statements import StatementReader
from smoke.static.python.unbound import unbound
from smoke.static.regex import regex

MAX_SOURCE = 1 << 20
"""Bytes of source that are parsed; a larger file is said to be unread."""
_DEEP = (
    *(b"globals(", b"exec(", b"setattr(", b"vars(", b"locals(", b"PORT", b"bind", b"sys.path", b"sys.modules"),
    *(b"sys.meta_path", b"import_module", b"__import__", b"serve", b"listen", b"run("),
)
_PORT = regex(rb"\bports?\b|[_.]port|port[_=]")
"""Without any of these in a file, expressions in its functions tell nothing that is looked for."""
_MAX_LINK = 300
_LINK = regex(rb"[\w.-]*/[\w./-]+\.py")
"""A symbolic link as Git writes it where there are none: a file with its target, and without an end of line."""


def _is_deep(data: bytes) -> bool:
    """Whether expressions in a file's functions may tell something; plain words are found ten times as fast."""
    return any(word in data for word in _DEEP) or _PORT.search(data) is not None


def read_source(path: str, data: bytes, version: Version | None, *, alone: bool = False) -> Source:
    """What source text says; never raises. `alone`: no one else judges its syntax, so the compiler is asked too."""
    source = Source(path)
    if len(data) > MAX_SOURCE:
        source.doubt = f"it is larger than {MAX_SOURCE} bytes"
        return source
    if len(data) < _MAX_LINK and _LINK.fullmatch(data):
        source.dynamic, source.empty = True, False
        return source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = ast.parse(data)
            if alone:
                compile(parsed, "module", "exec", dont_inherit=True)
        StatementReader(source, version, _is_deep(data)).read(parsed)
        source.attributes = list(attributes(parsed.body, data, version))
        source.effects = read_effects(parsed, data, version)
        if HINT.search(data):
            source.local = list(local_calls(parsed, imported_names(parsed)))
        if not source.dynamic:
            later = version is None or version >= (3, 14) or b"import annotations" in data
            source.unbound = unbound(parsed, data, version, lazy_annotations=later)
    except SyntaxError as error:
        source.error, source.error_line = str(error.msg), error.lineno or 0
    except (ValueError, LookupError) as error:
        source.error = "it has NUL bytes" if b"\0" in data else str(error)
    except (RecursionError, MemoryError, OverflowError, SystemError) as error:
        source.doubt = f"it is nested too deeply to be read here ({type(error).__name__})"
    return source
