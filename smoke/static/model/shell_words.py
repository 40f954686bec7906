"""The words that a shell makes of its text: quotes, variables, braces and patterns, as far as they can be known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from smoke.static.model.stage import Stage
from smoke.static.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMED = regex(r"\$(\w+)$|\$\{(\w+)(?:(:?[-+])(.*))?\}$", re.DOTALL)


class ShellWords(Struct, frozen=True):
    """What words come to in a stage, with these variables."""

    stage: Stage
    values: Mapping[str, str]

    def of(self, node: Node) -> list[str]:
        """The words that a node stands for; what cannot be known keeps its `$`."""
        text, quoted = self._value(node)
        # A blank in a word itself is escaped; only what variables stand for is split.
        found = [text] if quoted or node.type == "word" else text.split()
        if not quoted and any(letter in text for letter in "*?["):
            found = [match for each in found for match in self._glob(each)]
        return [each for word in found for each in (_braces(word) if not quoted else [word])]

    def _glob(self, text: str) -> list[str]:
        if "$" in text or not any(letter in text for letter in "*?["):
            return [text]
        return self.stage.files.glob(self.stage.path(text)) or [text]

    def _value(self, node: Node) -> tuple[str, bool]:  # noqa: PLR0911 - a case a form
        match node.type:
            case "raw_string":
                return node_text(node)[1:-1], True
            case "ansi_c_string":
                return node_text(node)[2:-1], True
            case "string":
                return self._string(node), True
            case "simple_expansion" | "expansion":
                return self._variable(node_text(node)), False
            case "command_substitution" | "process_substitution" | "arithmetic_expansion":
                return "$()", True
            case "concatenation":
                parts = [self._value(child) for child in node.children]
                return "".join(text for text, _ in parts), any(quoted for _, quoted in parts)
            case _:
                return re.sub(r"\\(?:\n|(.))", lambda match: match[1] or "", node_text(node), flags=re.DOTALL), False

    def _string(self, node: Node) -> str:
        data, parts = node.text or b"", []
        place = 1
        for child in node.named_children:
            if child.type == "string_content":
                continue
            start = child.start_byte - node.start_byte
            parts += [_unescaped(data[place:start]), self._value(child)[0]]
            place = child.end_byte - node.start_byte
        return "".join((*parts, _unescaped(data[place:-1])))

    def _variable(self, text: str) -> str:
        match = _NAMED.match(text)
        name = (match[1] or match[2]) if match else ""
        if match is None or (name not in self.values and not match[3]):
            return text
        value = self.values.get(name)
        if match[3] and match[3].endswith("-") and not (value or (value is not None and match[3] == "-")):
            return match[4] if value is not None or "$" not in match[4] else text
        if match[3] and match[3].endswith("+"):
            return match[4] if value else ""
        return value if value is not None else text


def node_text(node: Node) -> str:
    """What a node says, as it is written."""
    return (node.text or b"").decode("utf-8", "replace")


def _unescaped(data: bytes) -> str:
    return re.sub(r"\\(?:\n|([\\\"$`]))", lambda match: match[1] or "", data.decode("utf-8", "replace"))


def _braces(text: str) -> list[str]:
    match = re.fullmatch(r"([^{}$]*)\{([^{}]*,[^{}]*)\}([^{}]*)", text)
    return [match[1] + each + match[3] for each in match[2].split(",")] if match else [text]
