"""What a service of a Compose project is built from."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct, field

from smoke.static.compose.document import YamlNode, as_mapping, text_of
from smoke.static.compose.interpolation import interpolated


class ComposeBuild(Struct, frozen=True):
    """What a service's image is built from."""

    context: str
    """Directory of the tree; empty for its root."""
    dockerfile: str
    target: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    platform: str | None = None
    line: int = 0
    doubt: str = ""
    """Why it cannot be followed: a variable in a path, a repository elsewhere."""
    inline: str = ""
    """The Dockerfile's own text, where the Compose file has it; `dockerfile` is then no file of the tree."""


def further_contexts(build: YamlNode | None) -> tuple[str, ...]:
    """The names of `additional_contexts`, given as a mapping or as a list of `NAME=PLACE`."""
    given = build.get("additional_contexts") if build is not None else None
    if given is None:
        return ()
    return tuple((given.mapping or {}).keys()) or tuple(each.text.partition("=")[0] for each in given.children())


def build_of(node: YamlNode | None, directory: str, values: dict[str, str], platform: str) -> ComposeBuild | None:
    """What the `build` of a service says; None where it has none."""
    if node is None or node.null:
        return None
    context = interpolated(node.text or text_of(node.get("context")) or ".", values)
    file = interpolated(text_of(node.get("dockerfile")) or "Dockerfile", values)
    doubt = ""
    inline = text_of(node.get("dockerfile_inline"))
    if "$" in context + file:
        doubt = "its build context is given by a variable"
    elif re.match(r"[a-z]+://|git@|/|~", context) or posixpath.isabs(file):
        doubt = f"its build context {context} is not of this tree"
    place = posixpath.normpath(posixpath.join(directory, context))
    if place.startswith(".."):
        doubt = f"its build context {context} is above this tree"
    arguments: dict[str, str] = {}
    given = node.get("args")
    for name, value in ((as_mapping(given, "args") or {}) if given is not None else {}).items():
        text = values.get(name, f"${{{name}}}") if value.null else interpolated(value.text, values)
        arguments[name] = text
    platforms = node.get("platforms")
    wanted = [interpolated(each.text, values) for each in platforms.children()] if platforms is not None else []
    return ComposeBuild(
        context="" if place == "." else place,
        dockerfile=f"{node.file}#{node.line}" if inline else posixpath.normpath(posixpath.join(place, file)),
        target=interpolated(text_of(node.get("target")), values) or None,
        arguments=arguments,
        platform=interpolated(platform, values) or (wanted[0] if len(wanted) == 1 else None),
        line=node.line,
        doubt=doubt,
        inline=interpolated(inline, values),
    )
