"""Reads a Dockerfile as BuildKit does: directives, comments, continued lines, here-documents, flags and both forms."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.dockerfile.expansion import SPACE, expand
from smoke.static.dockerfile.grammar import RefusedInstruction, complain
from smoke.static.dockerfile.instructions import (
    BOOLEAN_FLAGS,
    FLAGS,
    HEREDOC,
    KEYWORDS,
    REPEATED_FLAGS,
    Dockerfile,
    Heredoc,
    Instruction,
    ParseError,
)
from smoke.static.regex import regex

MAX_ERRORS = 20
MAX_LETTERS = 1 << 20
MAX_LINE = 65_535
"""Letters of a line; BuildKit refuses longer ones as well."""
MAX_INSTRUCTIONS = 20_000

_DIRECTIVE = regex(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.*?)\s*$")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_FLAGS_IGNORED = frozenset({"ARG", "STOPSIGNAL"})
"""Instructions whose flags Docker drops without a look."""
_WITH_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
_MAYBE_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_PAIRS = frozenset({"ENV", "LABEL", "ARG"})
_GAP = regex(r"[\t\v\f\r ]+")
"""What stands between words: fewer letters than what a line may begin and end with, so a no-break space is a word."""
_EDGES = regex(rf"^[{SPACE}]+|[{SPACE}]+$")
_PLAIN_SPACE = tuple(" \t\n\r\v\f")
_BLANK = regex(rf"[{SPACE}]")


class _Lines:
    """The lines that are still to be read, counted."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._count = len(self._lines) - (not self._lines[-1])
        self.number = 0
        """The line that was read last, from 1."""

    def next(self) -> str | None:
        if self.number >= self._count:
            return None
        self.number += 1
        return self._lines[self.number - 1]

    def overlong(self) -> Iterator[int]:
        return (number for number, line in enumerate(self._lines, 1) if len(line) > MAX_LINE)

    def peek(self) -> str | None:
        return self._lines[self.number] if self.number < self._count else None


def parse(text: str) -> Dockerfile:
    """The Dockerfile that a text holds. What is wrong with it is in `errors`; it never raises."""
    if len(text) > MAX_LETTERS:
        return Dockerfile(errors=(ParseError(1, f"longer than {MAX_LETTERS} letters"),))
    lines = _Lines(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    errors = [ParseError(number, f"longer than {MAX_LINE} letters") for number in lines.overlong()]
    if errors:
        return Dockerfile(errors=tuple(errors[:MAX_ERRORS]))
    directives = _directives(lines, errors)
    escape = directives.get("escape", "\\")
    if escape not in {"\\", "`"}:
        errors.append(ParseError(1, f"escape must be a backslash or a backtick, not {escape!r}"))
        escape = "\\"
    instructions: list[Instruction] = []
    for logical in _logical(lines, escape):
        start = logical.start
        try:
            made = _instruction(logical.text, start, lines, escape)
            instructions.append(replace(made, comments=logical.comments, hollow=logical.hollow))
            complain(instructions[-1])
        except RefusedInstruction as refused:
            errors.append(ParseError(start, str(refused)))
        if len(errors) >= MAX_ERRORS or len(instructions) >= MAX_INSTRUCTIONS:
            break
    if len(instructions) >= MAX_INSTRUCTIONS:
        errors.append(ParseError(lines.number, f"more than {MAX_INSTRUCTIONS} instructions"))
    errors.extend(_order(instructions, bool(errors)))
    return Dockerfile(tuple(instructions), tuple(errors[:MAX_ERRORS]), escape, directives)


def _directives(lines: _Lines, errors: list[ParseError]) -> dict[str, str]:
    """The parser directives at the very top; whatever is none ends them."""
    found: dict[str, str] = {}
    while (line := lines.peek()) is not None:
        match = _DIRECTIVE.match(line[:4096].strip())
        name = match[1].lower() if match else ""
        if match is None or name not in _DIRECTIVES:
            break
        lines.next()
        if name in found:
            errors.append(ParseError(lines.number, f"only one {name} directive can be given"))
        found[name] = match[2]
    return found


def _stripped(text: str) -> str:
    return _EDGES.sub("", text)


def _comment(line: str) -> bool:
    return _stripped(line).startswith("#")


def _uncontinued(line: str, escape: str) -> tuple[str, bool]:
    """A line without its continuation mark, and whether it had one. A doubled mark is none."""
    line = line.rstrip("\r")
    stripped = line.rstrip(" \t")
    if stripped.endswith(escape) and not stripped.endswith(escape * 2):
        return stripped[:-1], True
    return line, False


class _Logical(Struct, frozen=True):
    """The lines of one instruction, joined."""

    start: int
    text: str
    comments: tuple[str, ...]
    hollow: bool


def _logical(lines: _Lines, escape: str) -> Iterator[_Logical]:
    comments: list[str] = []
    while (line := lines.next()) is not None:
        if _comment(line):
            text = _stripped(_stripped(line)[1:])
            comments = [*comments, text] if text else []
            continue
        text, more = _uncontinued(line, escape)
        if not more and not _stripped(line):
            continue
        start, hollow = lines.number, False
        parts = [text]
        while more and (line := lines.next()) is not None:
            if _comment(line):
                continue
            if not _stripped(line):
                hollow = True
                continue
            text, more = _uncontinued(line, escape)
            parts.append(text)
        yield _Logical(start, _stripped("".join(parts)), tuple(comments), hollow)
        comments = []


def _instruction(joined: str, start: int, lines: _Lines, escape: str, *, nested: bool = False) -> Instruction:
    """One instruction. What is `nested` in an ONBUILD is looked at by the builds to come, all but its JSON."""
    cut = _GAP.split(joined, maxsplit=1)
    keyword, rest = cut[0].upper(), "".join(cut[1:])
    if keyword not in KEYWORDS and not nested:
        raise RefusedInstruction(f"unknown instruction {cut[0][:40]!r}")
    if nested and keyword in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise RefusedInstruction(f"{keyword} cannot be the trigger of an ONBUILD")
    flags, rest = _flags(keyword, rest, escape, unchecked=nested)
    trigger = _trigger(keyword, rest, start, lines, escape)
    array = _array(rest) if keyword in _MAYBE_JSON and rest.startswith("[") else None
    heredocs = trigger.heredocs if trigger else ()
    if keyword in _WITH_HEREDOCS and array is None:
        heredocs = _heredocs(rest, lines, escape)
    words = array
    if words is None:
        words = tuple(quoted_words(rest, escape) if keyword in _PAIRS else _GAP.split(rest) if rest else ())
    return Instruction(
        keyword=keyword,
        text=rest,
        line=start,
        last=lines.number,
        flags=tuple(flags),
        words=words,
        exec_form=array is not None,
        heredocs=heredocs,
        written=cut[0],
        trigger=trigger,
    )


def _trigger(keyword: str, rest: str, start: int, lines: _Lines, escape: str) -> Instruction | None:
    """The instruction that an ONBUILD holds, or the command of a HEALTHCHECK, which takes no flags."""
    if keyword == "ONBUILD" and rest:
        return _instruction(rest, start, lines, escape, nested=True)
    kind, *command = _GAP.split(rest, maxsplit=1)
    if keyword != "HEALTHCHECK" or kind.upper() != "CMD":
        return None
    text = "".join(command)
    array = _array(text) if text.startswith("[") else None
    words = array if array is not None else tuple(_GAP.split(text)) if text else ()
    return Instruction("CMD", text, start, lines.number, words=words, exec_form=array is not None, written=kind)


def _flags(keyword: str, rest: str, escape: str, *, unchecked: bool) -> tuple[list[tuple[str, str]], str]:
    """The flags in front and what stands behind them; `--` alone ends them."""
    given: list[str] = []
    position = 0
    while rest.startswith("--", position):
        end, word = _quoted_word(rest, position, escape)
        position = end
        while rest[position : position + 1] in _PLAIN_SPACE:
            position += 1
        if word == "--":
            break
        given.append(unquoted(word[2:], escape))
    rest = _stripped(rest[position:])
    if keyword == "HEALTHCHECK" and rest.upper() == "NONE":
        return [], rest  # they are not read then
    flags: list[tuple[str, str]] = []
    for flag in given:
        name, equals, value = flag.partition("=")
        flags.append((name, value if unchecked else _checked_flag(keyword, name, equals, value, flags)))
    unknown = next((name for name, _ in flags if name not in FLAGS.get(keyword, ())), None)
    if unknown is not None and keyword not in _FLAGS_IGNORED and not unchecked:
        raise RefusedInstruction(f"{keyword} knows no flag --{unknown[:40]}")
    return flags, rest


def _checked_flag(keyword: str, name: str, equals: str, value: str, before: list[tuple[str, str]]) -> str:
    """A flag's value, if it may have it."""
    if name not in FLAGS.get(keyword, ()):
        return value  # refused as a whole
    if name not in REPEATED_FLAGS and any(name == each for each, _ in before):
        raise RefusedInstruction(f"--{name} is given twice")
    if name in BOOLEAN_FLAGS:
        if (equals and not value) or value.lower() not in ("", "true", "false"):
            raise RefusedInstruction(f"--{name} is true or false, not {value[:40]!r}")
        return value.lower() or "true"
    if not equals:
        raise RefusedInstruction(f"--{name} needs a value")
    return value


def _array(rest: str) -> tuple[str, ...] | None:
    """The words of the exec form. What is not JSON is the shell form, as in Docker; an array of others is an error."""
    try:
        value = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, list):
        return None
    if not all(isinstance(word, str) for word in value):
        raise RefusedInstruction("the JSON array may hold nothing but strings")
    return tuple(word.encode("utf-8", "replace").decode() for word in value)  # JSON can hold halves of surrogates


def _quoted_word(text: str, start: int, escape: str) -> tuple[int, str]:
    """Where the word that begins at `start` ends, and the word; white space within quotes belongs to it."""
    quote, position = "", start
    while position < len(text):
        letter = text[position]
        if letter == escape and quote != "'":
            if position + 1 == len(text):
                return len(text), text[start:position]  # an escape of nothing is none
            position += 2
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif _BLANK.match(letter):
            break
        position += 1
    return position, text[start:position]


def quoted_words(text: str, escape: str = "\\") -> list[str]:
    """The words of a text, cut at white space outside of quotes; quotes stay."""
    words, position = [], 0
    while position < len(text):
        if _BLANK.match(text[position]):
            position += 1
            continue
        position, word = _quoted_word(text, position, escape)
        words += [word] if word else []
    return words


def unquoted(word: str, escape: str = "\\") -> str:
    """A word without its quotes and escapes."""
    if not any(letter in word for letter in ("'", '"', escape)):
        return word
    parts: list[str] = []
    quote, position = "", 0
    while position < len(word):
        letter = word[position]
        if letter == escape and quote != "'" and position + 1 < len(word):
            follower = word[position + 1]
            parts.append(follower if not quote or follower in ('"', "$", escape) else letter + follower)
            position += 2
            continue
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        else:
            parts.append(letter)
        position += 1
    return "".join(parts)


def _heredocs(rest: str, lines: _Lines, escape: str) -> tuple[Heredoc, ...]:
    """The here-documents that a line announces, read from the lines that follow."""
    if "<<" not in rest:
        return ()
    found = []
    for word in expand(rest, {}, "\\", raw=True, keep=True).words:
        match = HEREDOC.fullmatch(word)
        if match is None or not match[2]:
            continue
        plain_name = expand(match[2], {}, "\\", keep=True)
        if plain_name.failed:
            raise RefusedInstruction(f"the here-document {match[2][:40]!r} cannot be read: {plain_name.failed}")
        if len(plain_name.words) != 1:
            continue
        name = plain_name.words[0]
        quotes = [sum(text.count(mark) for mark in "'\"") for text in (name, match[2])]
        first, content = lines.number + 1, []
        while (line := lines.next()) is not None:
            plain = line.lstrip("\t") if match[1] else line
            if plain.rstrip("\r") == name:
                break
            content.append(plain)
        else:
            raise RefusedInstruction(f"the here-document {name[:40]!r} is not ended")
        body = "".join(f"{line}\n" for line in content)
        found.append(Heredoc(name, body, first, expand=quotes[0] == quotes[1]))
    return tuple(found)


def _order(instructions: list[Instruction], spoiled: bool) -> Iterator[ParseError]:
    """What stands where it must not; a file that holds no stage at all."""
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return
        if instruction.keyword != "ARG":
            yield ParseError(instruction.line, f"{instruction.keyword} stands before the first FROM")
            return
    if not spoiled:
        yield ParseError(1, "there is no FROM in it")
