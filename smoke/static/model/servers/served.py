"""What a server comes to: which module it loads, what it needs, where it listens."""

from __future__ import annotations

from msgspec import Struct, field

from smoke.static.regex import regex

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
_APPLICATION = regex(r"([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*)(\(.*\))?)?")


class Served(Struct):
    """What a server's command line and configuration come to."""

    module: str = ""
    application: str = ""
    script: str = ""
    """A file that is run instead of a module, as the command names it."""
    factory: bool = False
    host: str = ""
    port: int | None = None
    needs: list[str] = field(default_factory=list)
    """Modules that must be installed."""
    also: list[str] = field(default_factory=list)
    """Modules of the tree that it loads besides."""
    writes: list[str] = field(default_factory=list)
    """Files that it makes as it starts."""
    temporary: bool = False
    """Whether it makes a file where temporary files go."""
    directory: str = ""
    """Where it looks for the module, as the command says it; empty: the working directory."""
    home: str = ""
    """The virtual environment that it is told to use."""
    doubt: str = ""
    trouble: str = ""


def number(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def address(text: str) -> tuple[str, int | None]:
    """`host:port`, `:port` and their kin."""
    if text.startswith(("unix:", "fd://")) or "$" in text:
        return "", None
    host, _, port = text.rpartition(":")
    if not host and not text.startswith(":"):
        return (text, None) if not text.isdigit() else ("0.0.0.0", number(text, None))
    return host or "0.0.0.0", number(port, None)


def aim(found: Served, text: str, default: str, *, dotted: bool = True) -> None:
    """What an operand `module:app` means; `dotted`: the server takes no path for it."""
    match = _APPLICATION.fullmatch(text)
    if match is None and dotted and "/" in text and "$" not in text:
        found.trouble = f"{text!r} is not a module: its name has dots where its path has slashes, and no .py"
        return
    if match is None:
        found.doubt = f"which app {text!r} means is not followed"
        return
    found.module, found.application = match[1], match[2] or default
    found.factory = found.factory or bool(match[3])
