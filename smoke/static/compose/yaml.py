"""The part of YAML that Compose files use; what is outside of it is refused by name, never guessed.

Block and flow mappings and lists, plain and quoted scalars, `|` and `>` blocks, anchors, aliases, merge keys. Scalars
stay text. No tags, no complex keys, one document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_LINES = 20_000
MAX_DEPTH = 40
MAX_LINE = 8_192

_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s\-?:,\[\]{}#&*!|>'"%@`][^\n]*?|[-?:](?=\S)[^\n]*?|<<)\s*:(?=\s|$)"""
)
_BLOCK = re.compile(r"[|>][+-]?[1-9]?[+-]?$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "/": "/", " ": " ", "e": "\x1b"}


class YamlError(Exception):
    """A file can't be read; `line` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Node:
    """One value with the line that it begins on: text, a mapping or a list; null is empty text that is not quoted."""

    line: int
    text: str = ""
    mapping: dict[str, Node] | None = None
    items: list[Node] | None = None
    null: bool = False

    def get(self, *path: str) -> Node | None:
        """The value under keys, one within the other; none when one is missing."""
        node: Node | None = self
        for key in path:
            node = None if node is None or node.mapping is None else node.mapping.get(key)
        return node


@dataclass
class _Line:
    number: int
    indent: int
    text: str


@dataclass
class _Reader:
    lines: list[_Line]
    raw: list[str]
    anchors: dict[str, Node] = field(default_factory=dict)
    place: int = 0

    def peek(self) -> _Line | None:
        """The line that comes next."""
        return self.lines[self.place] if self.place < len(self.lines) else None


def read_yaml(text: str) -> Node:
    """The document that a text holds. Raises `YamlError`."""
    raw = text.split("\n")
    if len(raw) > MAX_LINES:
        raise YamlError(MAX_LINES, f"more than {MAX_LINES} lines")
    lines: list[_Line] = []
    for number, line in enumerate(raw, 1):
        stripped = line.rstrip("\r ")
        if len(line) > MAX_LINE:
            raise YamlError(number, f"longer than {MAX_LINE} letters")
        bare = stripped.lstrip(" ")
        if not bare or bare.startswith("#"):
            continue
        if bare.startswith("\t"):
            raise YamlError(number, "indented by a tab")
        if stripped in ("---", "...") or bare.startswith("%"):
            if lines and stripped == "---":
                raise YamlError(number, "a second document")
            continue
        lines.append(_Line(number, len(stripped) - len(bare), bare))
    reader = _Reader(lines, raw)
    if not lines:
        return Node(1, mapping={})
    node = _block(reader, lines[0].indent, 0)
    if (rest := reader.peek()) is not None:
        raise YamlError(rest.number, "its indentation fits nothing before it")
    return node


def _block(reader: _Reader, indent: int, depth: int) -> Node:
    """The value that begins at the next line, indented by `indent`."""
    line = reader.peek()
    if depth > MAX_DEPTH or line is None:
        raise YamlError(line.number if line else 0, "nested too deeply")
    if line.text == "-" or line.text.startswith("- "):
        return _list(reader, indent, depth)
    if _KEY.match(line.text):
        return _mapping(reader, indent, depth)
    reader.place += 1
    return _value(reader, line.text, line.number, indent - 1, depth)


def _list(reader: _Reader, indent: int, depth: int) -> Node:
    first = reader.peek()
    assert first is not None, "the caller has seen it"
    items: list[Node] = []
    while (
        (line := reader.peek()) is not None
        and line.indent == indent
        and (line.text == "-" or line.text.startswith("- "))
    ):
        rest = line.text[1:].lstrip(" ")
        if not rest or rest.startswith("#"):
            reader.place += 1
            items.append(_nested(reader, indent, line.number, depth))
            continue
        inner = indent + len(line.text) - len(rest)
        if _KEY.match(rest) or rest.startswith("- "):
            reader.lines[reader.place] = _Line(line.number, inner, rest)
            items.append(_block(reader, inner, depth + 1))
        else:
            reader.place += 1
            items.append(_value(reader, rest, line.number, indent, depth))
    return Node(first.number, items=items)


def _mapping(reader: _Reader, indent: int, depth: int) -> Node:
    first = reader.peek()
    assert first is not None, "the caller has seen it"
    found: dict[str, Node] = {}
    merged: list[Node] = []
    while (line := reader.peek()) is not None and line.indent == indent:
        match = _KEY.match(line.text)
        if match is None:
            raise YamlError(line.number, "neither a key nor a list's item")
        key = _scalar(match[1], line.number).text
        rest = line.text[match.end() :].lstrip(" ")
        reader.place += 1
        value = _value(reader, rest, line.number, indent, depth)
        if key == "<<":
            merged += value.items if value.items is not None else [value]
        elif key in found:
            raise YamlError(line.number, f"the key {key!r} stands twice")
        else:
            found[key] = value
    for node in merged:
        if node.mapping is None:
            raise YamlError(first.number, "<< merges what is no mapping")
        found = {**node.mapping, **found}
    return Node(first.number, mapping=found)


def _nested(reader: _Reader, indent: int, number: int, depth: int) -> Node:
    """The block below a key or dash; null when there is none."""
    line = reader.peek()
    if line is not None and line.indent > indent:
        return _block(reader, line.indent, depth + 1)
    if line is not None and line.indent == indent and (line.text == "-" or line.text.startswith("- ")):
        before = reader.lines[reader.place - 1].text
        if not before.startswith("-"):
            return _list(reader, indent, depth + 1)
    return Node(number, null=True)


def _value(reader: _Reader, text: str, number: int, indent: int, depth: int) -> Node:
    """What stands behind a key or dash, with the lines that belong to it."""
    anchor = ""
    match = re.match(r"&([^\s,\[\]{}]+)\s*", text)
    if match is not None:
        anchor, text = match[1], text[match.end() :]
    if text.startswith("!"):
        raise YamlError(number, "a tag")
    if text.startswith("*"):
        name = text[1:].partition(" #")[0].strip()
        if name not in reader.anchors:
            raise YamlError(number, f"the alias {name} stands for nothing")
        return reader.anchors[name]
    if not text or text.startswith("#"):
        node = _nested(reader, indent, number, depth)
    elif _BLOCK.match(_uncommented(text)):
        node = _literal(reader, text[0], number, indent)
    elif text[0] in "[{":
        node = _flow(reader, text, number)
    else:
        node = _scalar(_folded(reader, text, number, indent), number)
    if anchor:
        reader.anchors[anchor] = node
    return node


def _literal(reader: _Reader, kind: str, number: int, indent: int) -> Node:
    """A `|` or `>` block: its lines as they stand in the file."""
    lines: list[str] = []
    last = number
    for place in range(number, len(reader.raw)):
        line = reader.raw[place].rstrip("\r")
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        lines.append(line)
        last = place + 1
    while (line_ := reader.peek()) is not None and line_.number <= last:
        reader.place += 1
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    text = ("\n" if kind == "|" else " ").join(line[margin:] for line in lines).strip()
    return Node(number, text)


def _folded(reader: _Reader, text: str, number: int, indent: int) -> str:
    """A scalar with the deeper lines that go on with it."""
    quote = text[0] if text[0] in "\"'" else ""
    parts = [text]
    while (line := reader.peek()) is not None:
        whole = " ".join(parts)
        if quote and _closed(whole, quote):
            break
        if line.indent <= indent and not quote:
            break
        if not quote and (_KEY.match(line.text) or " #" in whole):
            raise YamlError(line.number, "indented deeper than what it belongs to")
        parts.append(line.text)
        reader.place += 1
    return " ".join(parts)


def _closed(text: str, quote: str) -> bool:
    pattern = r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'(?:[^']|'')*'"
    return re.match(pattern, text) is not None


def _uncommented(text: str) -> str:
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()


def _scalar(text: str, number: int) -> Node:
    if text[:1] == '"':
        match = re.match(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$', text)
        if match is None:
            raise YamlError(number, "a quote that is not closed")
        return Node(number, re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), match[1]))
    if text[:1] == "'":
        match = re.match(r"'((?:[^']|'')*)'\s*(?:#.*)?$", text)
        if match is None:
            raise YamlError(number, "a quote that is not closed")
        return Node(number, match[1].replace("''", "'"))
    plain = _uncommented(text)
    if plain[:1] in ("@", "`", "%"):
        raise YamlError(number, f"text that begins with {plain[:1]}")
    return Node(number, "" if plain in ("~", "null") else plain, null=plain in ("~", "null", ""))


_FLOW = re.compile(
    r"""\s*(?:\#.*)?(
        "(?:[^"\\]|\\.)*" | '(?:[^']|\'\')*' | [\[\]{},] | :(?=\s|$|["'\[{])
        | (?: [^\s,\[\]{}:] | :(?=\S) | [ \t]+(?=[^\s,\[\]{}:\#]) )+
    )""",
    re.VERBOSE,
)


def _flow(reader: _Reader, text: str, number: int) -> Node:
    """A `[...]` or `{...}`, over several lines if need be."""
    tokens: list[tuple[str, int]] = []
    level = 0
    line, here = text, number
    while True:
        position = 0
        while position < len(line) and (match := _FLOW.match(line, position)) is not None:
            token = match[1].strip()
            tokens.append((token, here))
            level += (token in "[{") - (token in "]}") if len(token) == 1 else 0
            position = match.end()
            if level == 0:
                break
        rest = line[position:].strip()
        if level == 0:
            if rest and not rest.startswith("#"):
                raise YamlError(here, f"text behind a closing bracket: {rest[:40]}")
            break
        if rest and not rest.startswith("#"):
            raise YamlError(here, f"not understood within brackets: {rest[:40]}")
        following = reader.peek()
        if following is None or len(tokens) > MAX_LINES:
            raise YamlError(number, "a bracket that is not closed")
        reader.place += 1
        line, here = following.text, following.number
    node, end = _flow_node(tokens, 0, 0)
    if end != len(tokens):
        raise YamlError(number, "brackets that don't match")
    return node


def _flow_node(tokens: list[tuple[str, int]], place: int, depth: int) -> tuple[Node, int]:
    if place >= len(tokens) or depth > MAX_DEPTH:
        raise YamlError(tokens[-1][1], "brackets that don't match")
    token, line = tokens[place]
    if token == "[":
        items: list[Node] = []
        place += 1
        while place < len(tokens) and tokens[place][0] != "]":
            item, place = _flow_node(tokens, place, depth + 1)
            items.append(item)
            place += place < len(tokens) and tokens[place][0] == ","
        return Node(line, items=items), place + 1
    if token == "{":
        found: dict[str, Node] = {}
        place += 1
        while place < len(tokens) and tokens[place][0] != "}":
            key, place = _flow_node(tokens, place, depth + 1)
            value = Node(line, null=True)
            if place < len(tokens) and tokens[place][0] == ":":
                value, place = _flow_node(tokens, place + 1, depth + 1)
            found[key.text] = value
            place += place < len(tokens) and tokens[place][0] == ","
        return Node(line, mapping=found), place + 1
    if token in ("]", "}", ",", ":"):
        raise YamlError(line, f"a {token} that fits nothing")
    return _scalar(token, line), place + 1
