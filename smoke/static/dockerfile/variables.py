"""What `$NAME` stands for in an instruction: Docker's expansion, and the scopes of ARG and ENV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.parser import unquoted

MAX_VALUE = 1 << 16
"""Letters of an expanded text; more is cut, since values that double themselves would have no end."""
MAX_NESTING = 16

PREDEFINED = frozenset(
    name for kind in ("HTTP", "HTTPS", "FTP", "NO", "ALL") for name in (f"{kind}_PROXY", f"{kind.lower()}_proxy")
)
"""Build arguments that need no ARG."""


def platform_arguments(platform: str, builder: str = "linux/amd64") -> dict[str, str]:
    """TARGETPLATFORM and its kin for the platform that is built, as BuildKit gives them; BUILDPLATFORM is a guess."""
    found: dict[str, str] = {}
    for prefix, name in (("TARGET", platform), ("BUILD", builder)):
        system, architecture, variant = (*name.split("/"), "", "", "")[:3]
        found |= {f"{prefix}PLATFORM": name, f"{prefix}OS": system, f"{prefix}ARCH": architecture}
        found[f"{prefix}VARIANT"] = variant
    return found


@dataclass(frozen=True)
class Expanded:
    """A text with its variables replaced and its quotes taken off."""

    text: str
    unset: tuple[str, ...] = ()
    """Variables in it that nothing had set and that had no default."""
    failed: str = ""
    """Why Docker would refuse it; empty when it would not."""


class _Expansion:
    """One pass over a text."""

    def __init__(self, text: str, values: Mapping[str, str], escape: str, raw: bool) -> None:
        self.text, self.values, self.escape, self.raw = text, values, escape, raw
        self.position = 0
        self.unset: list[str] = []
        self.failed = ""

    def until(self, stop: str, depth: int) -> str:
        """Text up to an unquoted `stop` (or the end), which is passed by."""
        parts: list[str] = []
        length, quote = 0, ""
        while self.position < len(self.text):
            letter = self.text[self.position]
            if letter == stop and not quote:
                self.position += 1
                return "".join(parts)
            piece, quote = self._piece(letter, quote, depth)
            if length < MAX_VALUE:
                parts.append(piece)
                length += len(piece)
        if stop:
            self.failed = "a ${ is not closed"
        return "".join(parts)[:MAX_VALUE]

    def _piece(self, letter: str, quote: str, depth: int) -> tuple[str, str]:
        if letter == self.escape and quote != "'" and self.position + 1 < len(self.text):
            follower = self.text[self.position + 1]
            self.position += 2
            literal = quote == '"' and follower not in ('"', "$", self.escape)
            return (letter + follower if literal or self.raw else follower), quote
        if letter == "$" and quote != "'":
            return self._variable(depth), quote
        self.position += 1
        if letter == quote:
            return (letter if self.raw else ""), ""
        if letter in "'\"" and not quote:
            return (letter if self.raw else ""), letter
        return letter, quote

    def _variable(self, depth: int) -> str:
        self.position += 1
        if self.text.startswith("{", self.position):
            return self._braced(depth)
        name = self._name()
        return self._value(name) if name else "$"

    def _name(self) -> str:
        start = self.position
        while self.position < len(self.text) and (
            (letter := self.text[self.position]).isascii() and (letter.isalnum() or letter == "_")
        ):
            self.position += 1
            if self.position == start + 1 and letter.isdigit():
                break
        return self.text[start : self.position]

    def _braced(self, depth: int) -> str:
        self.position += 1
        name = self._name()
        if not name or depth >= MAX_NESTING:
            self.failed = "a ${ names no variable" if not name else "${ is nested too deeply"
            self.position = len(self.text)
            return ""
        rest = self.text[self.position : self.position + 2]
        if rest[:1] == "}":
            self.position += 1
            return self._value(name)
        colon = rest[:1] == ":"
        kind = rest[1:2] if colon else rest[:1]
        if kind not in {"-", "+", "?"}:
            return self._edited(name, rest, depth)
        self.position += 2 if colon else 1
        unset_before = len(self.unset)
        word = self.until("}", depth + 1)
        value = self.values.get(name)
        there = bool(value) if colon else value is not None
        if (kind == "-" and there) or (kind == "+" and not there):
            del self.unset[unset_before:]  # the word is not used, so what it lacks does not matter
        if kind == "?" and not there:
            self.failed = f"{name}: {word or 'not set'}"
        if kind == "+":
            return word if there else ""
        return (value or "") if there else (word if kind == "-" else "")

    def _edited(self, name: str, rest: str, depth: int) -> str:
        """`${name#pattern}`, `%`, `/`: what they leave is known only when their pattern holds no glob."""
        operator = rest if rest in {"##", "%%", "//"} else rest[:1]
        if operator not in {"#", "##", "%", "%%", "/", "//"}:
            self.failed = f"${{{name}{rest[:1]} is no expansion"
            self.position = len(self.text)
            return ""
        self.position += len(operator)
        pattern = self.until("}", depth + 1)
        value = self._value(name)
        if operator[0] == "#":
            return value.removeprefix(pattern)
        if operator[0] == "%":
            return value.removesuffix(pattern)
        old, _, new = pattern.partition("/")
        return value.replace(old, new, -1 if operator == "//" else 1)[:MAX_VALUE] if old else value

    def _value(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            self.unset.append(name)
            return ""
        return value


def expand(text: str, values: Mapping[str, str], escape: str = "\\", *, raw: bool = False) -> Expanded:
    """A word with its variables replaced. `raw` keeps quotes and escapes, for what a shell reads later."""
    if not any(letter in text for letter in ("$", "'", '"', escape)):
        return Expanded(text[:MAX_VALUE])
    expansion = _Expansion(text, values, escape, raw)
    outcome = expansion.until("", 0)
    return Expanded(outcome, tuple(dict.fromkeys(expansion.unset)), expansion.failed)


@dataclass
class Variables:
    """The variables in force at one point of a Dockerfile."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Build arguments on the command line, and the platform ones."""
    declared: dict[str, str] = field(default_factory=dict)
    """ARGs before the first FROM: seen by FROM, and by a stage that declares them again."""
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    escape: str = "\\"

    def stage(self) -> Variables:
        """A fresh stage: it sees nothing of the ARGs before FROM until it declares them."""
        return Variables(self.given, self.declared, {}, {}, self.escape)

    def child(self) -> Variables:
        """A stage that builds on this one: it inherits both kinds."""
        return Variables(self.given, self.declared, dict(self.arguments), dict(self.environment), self.escape)

    def values(self) -> dict[str, str]:
        """What a name stands for; ENV goes before ARG."""
        proxies = {name: value for name, value in self.given.items() if name in PREDEFINED}
        return {**proxies, **self.arguments, **self.environment}

    def expand(self, text: str) -> Expanded:
        """A text with these variables."""
        return expand(text, self.values(), self.escape)

    def declare(self, instruction: Instruction) -> None:
        """An ARG within a stage."""
        for word in instruction.words:
            name, equals, default = word.partition("=")
            name = unquoted(name, self.escape)
            if name in self.given:
                self.arguments[name] = self.given[name]
            elif equals:
                self.arguments[name] = self.expand(default).text
            elif name in self.declared:
                self.arguments[name] = self.declared[name]

    def declare_global(self, instruction: Instruction) -> None:
        """An ARG before the first FROM."""
        for word in instruction.words:
            name, equals, default = word.partition("=")
            name = unquoted(name, self.escape)
            if name in self.given:
                self.declared[name] = self.given[name]
            elif equals:
                self.declared[name] = expand(default, {**self.given, **self.declared}, self.escape).text

    def set(self, instruction: Instruction) -> tuple[str, ...]:
        """An ENV; says which variables in it nothing had set."""
        pairs, unset = self.pairs(instruction)
        self.environment.update(pairs)
        return unset

    def pairs(self, instruction: Instruction) -> tuple[dict[str, str], tuple[str, ...]]:
        """The names and values of an ENV or LABEL, all expanded with what was in force before it."""
        if not instruction.words:
            return {}, ()
        if "=" not in instruction.words[0]:
            written = [(instruction.words[0], instruction.text[len(instruction.words[0]) :].strip())]
        else:
            written = [(name, value) for name, _, value in (word.partition("=") for word in instruction.words)]
        found: dict[str, str] = {}
        unset: list[str] = []
        values = self.values()
        for name, value in written:
            outcome = expand(value, values, self.escape)
            found[expand(name, values, self.escape).text] = outcome.text
            unset.extend(outcome.unset)
        return found, tuple(dict.fromkeys(unset))
