"""YAML with its places: what a file holds, and on which line. Sizes are bounded before libyaml composes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct, field

MAX_LETTERS = 2 << 20
MAX_EVENTS = 200_000
MAX_ALIASES = 5_000
MAX_DEPTH = 60


class YamlError(Exception):
    """A file cannot be read; `line` says where, and `syntax` whether no reader of YAML could."""

    def __init__(self, line: int, message: str, *, syntax: bool = False) -> None:
        super().__init__(line, message)
        self.line, self.syntax = line, syntax

    def __str__(self) -> str:
        return str(self.args[1])


class YamlNode(Struct):
    """One value with the line that it begins on: text, a mapping or a list; null is empty text.

    What an alias stands for is the same node wherever it is used, so that a few lines cannot grow without bounds."""

    line: int
    text: str = ""
    mapping: dict[str, YamlNode] | None = None
    items: list[YamlNode] | None = None
    null: bool = False
    tag: str = ""
    """A tag of the file's own (`!reset`); empty for those of YAML."""
    file: str = ""
    """Where it stands."""
    repeated: list[tuple[str, int]] = field(default_factory=list)
    """Keys that a mapping has twice, with the line of the later one."""

    def get(self, *path: str) -> YamlNode | None:
        """The value under keys, one within the other; none when one is missing."""
        node: YamlNode | None = self
        for key in path:
            node = None if node is None or node.mapping is None else node.mapping.get(key)
        return node

    def children(self) -> list[YamlNode]:
        """The items of a list; nothing for anything else."""
        return self.items or []


def read_yaml(text: str, file: str = "") -> YamlNode:
    """The document that a text holds. Raises `YamlError`."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - a tree without Compose files needs no YAML

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if len(text) > MAX_LETTERS:
        raise YamlError(1, f"longer than {MAX_LETTERS} letters")
    try:
        _bounded(yaml.parse(text, Loader=loader))
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = str(error.problem or error.context)
        # Readers differ about colons within plain text; about a tab they do not.
        at = "" if mark is None else "".join(text.split("\n")[mark.line : mark.line + 1])[mark.column :]
        syntax = not (isinstance(error, yaml.scanner.ScannerError) and at.startswith(":"))
        raise YamlError(1 if mark is None else mark.line + 1, said, syntax=syntax) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlError(1, str(error).split("\n", 1)[0]) from None
    return YamlNode(1, null=True, file=file) if root is None else _Converter(file).node(root)


def _bounded(events: Iterable[Any]) -> None:
    """Count before anything is built."""
    depth = aliases = 0
    for count, event in enumerate(events):
        name = type(event).__name__
        depth += name in ("MappingStartEvent", "SequenceStartEvent")
        depth -= name in ("MappingEndEvent", "SequenceEndEvent")
        aliases += name == "AliasEvent"
        if depth > MAX_DEPTH or aliases > MAX_ALIASES or count > MAX_EVENTS:
            raise YamlError(event.start_mark.line + 1, "it is nested too deeply, or has too much in it")


class _Converter:
    """From libyaml's nodes to ours, each once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.done: dict[int, YamlNode] = {}

    def node(self, given: Any) -> YamlNode:
        made = self.done.get(id(given))
        if made is not None:
            return made
        made = YamlNode(given.start_mark.line + 1, file=self.file)
        self.done[id(given)] = made
        made.tag = "" if given.tag.startswith("tag:yaml.org") else given.tag
        if given.id == "scalar":
            made.null = given.tag == "tag:yaml.org,2002:null"
            made.text = "" if made.null else given.value
        elif given.id == "sequence":
            made.items = [self.node(each) for each in given.value]
        else:
            self._mapping(given, made)
        return made

    def _mapping(self, given: Any, made: YamlNode) -> None:
        own: dict[str, YamlNode] = {}
        merged: dict[str, YamlNode] = {}
        for key, value in given.value:
            name = key.value if key.id == "scalar" else ""
            if key.tag == "tag:yaml.org,2002:merge":
                for each in self._sources(value):
                    merged = {**(each.mapping or {}), **merged}
                continue
            if name in own:
                made.repeated.append((name, key.start_mark.line + 1))
            own[name] = self.node(value)
        made.mapping = {**merged, **own}

    def _sources(self, value: Any) -> Iterator[YamlNode]:
        if value.id == "sequence":
            for each in value.value:
                yield self.node(each)
        else:
            yield self.node(value)


def as_mapping(node: YamlNode, key: str) -> dict[str, YamlNode] | None:
    """A mapping, or a list that Compose reads as one where both are met."""
    if node.mapping is not None or node.items is None:
        return node.mapping
    if key in ("environment", "args", "labels"):
        pairs = ((item.text.partition("="), item) for item in node.items)
        return {name: YamlNode(item.line, text, file=item.file, null=not mark) for (name, mark, text), item in pairs}
    if key in ("depends_on", "networks"):
        return {item.text: YamlNode(item.line, null=True, file=item.file) for item in node.items}
    return None


def text_of(node: YamlNode | None) -> str:
    """The text of what may not be there."""
    return "" if node is None else node.text


def items_of(node: YamlNode | None) -> list[YamlNode]:
    """The items of what may not be there, or be no list."""
    return [] if node is None or node.items is None else node.items
