"""Shell scripts that no shell can read: a quote or a block that is not closed.

Two readers have to agree, for each alone refuses a script now and then that shells take: the grammar of tree-sitter,
and the balance of quotes and keywords that is counted here."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from smoke.static.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Parser

STATEMENTS = frozenset(
    [
        *["program", "list", "pipeline", "command", "redirected_statement", "subshell", "compound_statement"],
        *["if_statement", "for_statement", "c_style_for_statement", "while_statement", "case_statement"],
        *["function_definition", "negated_command", "variable_assignment", "variable_assignments"],
        *["declaration_command", "test_command", "unset_command", "do_group", "elif_clause", "else_clause"],
        "case_item",
    ]
)
"""The grammar's names of statements, and of what holds them."""
_ENDS = {"if": "fi", "case": "esac", "do": "done", "{": "}", "(": ")", "$(": ")", "${": "}"}
_CLOSERS = {"fi": "if", "esac": "case", "done": "do", "}": "{"}
_GO_ON = frozenset(["then", "do", "else", "elif", "if", "while", "until", "!", "{", "time"])
"""Words behind which a command begins."""
_WORD = regex(r"[^\s;&|()<>\"'`$\\#]+|#(?!\s)")
_LEAVES = regex(r"^(?:exec\s+[^\s<>\d]|exit\b)", re.MULTILINE)
MAX_SCRIPT = 1 << 17
_LOOP = regex(r"[ \t]+\w+\s+(?=do\b)")
_FUNCTION = regex(r"[ \t]+[^\s(){]+")
_HEREDOC = regex(r"<<(-?)\s*(?:'([^'\n]*)'|\"([^\"\n]*)\"|\\?([\w.+-]+))")


@cache
def grammar() -> Parser:
    """What reads shell text; bash's grammar serves for all."""
    import tree_sitter_bash  # noqa: PLC0415 - a tree without shell text needs no grammar
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))


def trouble(text: str) -> str:
    """Why a shell cannot read a script to its end: one clause; empty when nothing is known to be wrong."""
    if len(text) > MAX_SCRIPT:
        return ""
    found = _Balance(text)
    problem = found.read()
    if not problem or not grammar().parse(text.encode("utf-8", "replace")).root_node.has_error:
        return ""
    # A shell reads on only when it comes there.
    line = found.open[-1][1] if found.open else found.line
    before = "\n".join(text.split("\n")[: line - 1])
    return "" if _LEAVES.search(before) else problem


class _Balance:
    """Counts what is opened and closed."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.line = text, 0, 1
        self.open: list[tuple[str, int]] = []
        """What is open, with the line of each."""
        self.begins = True
        """Whether a command may begin here."""
        self.waiting: list[tuple[str, bool]] = []
        """Here-documents whose text begins on the next line."""

    def read(self) -> str:
        """The first thing that is not closed, or is closed without having been opened."""
        text = self.text
        while self.place < len(text):
            if problem := self._step(text[self.place]):
                return problem
        if self.open:
            word, line = self.open[-1]
            return f"the {word} of line {line} is not closed: there is no {_ENDS[word]}"
        return ""

    def _step(self, letter: str) -> str:  # noqa: PLR0912 - a case a kind of letter
        text = self.text
        match letter:
            case "\n":
                self.place += 1
                self.line += 1
                self.begins = True
                self._skip_documents()
            case "\\":
                self.line += text[self.place + 1 : self.place + 2] == "\n"
                self.place += 2
            case "'":
                return self._quote("'")
            case '"':
                return self._double()
            case "`":
                return self._quote("`")
            case "#" if self.place == 0 or text[self.place - 1] in " \t\n;(&|":
                self.place = (text.find("\n", self.place) + len(text) + 1) % (len(text) + 1)
            case "$":
                return self._dollar()
            case "<" if (match := _HEREDOC.match(text, self.place)) and text[self.place : self.place + 3] != "<<<":
                self.waiting.append((match[2] or match[3] or match[4] or "", bool(match[1])))
                self.place = match.end()
            case "(":
                self.open.append(("(", self.line))
                self.place += 1
                self.begins = True
            case ")":
                self._close()
            case ";" | "&" | "|":
                self.place += 1
                self.begins = True
            case " " | "\t" | "\r" | "<" | ">":
                self.place += 3 if text.startswith("<<<", self.place) else 1
            case _:
                return self._word()
        return ""

    def _word(self) -> str:
        match = _WORD.match(self.text, self.place)
        if match is None:
            self.place += 1
            self.begins = False
            return ""
        word, begins = match[0], self.begins
        self.place = match.end()
        self.begins = False
        if self.open and self.open[-1][0] == "${" and "}" in word:
            self.place = match.start() + word.index("}") + 1
            self.open.pop()
            return ""
        after = self.text[self.place : self.place + 1]
        if begins and after in ("", *" \t\r\n;&|()<>"):
            return self._keyword(word)
        self.begins = begins and word.endswith("=")
        return ""

    def _keyword(self, word: str) -> str:
        """A whole word where a command may begin."""
        top = self.open[-1][0] if self.open else ""
        pattern = {"for": _LOOP, "select": _LOOP, "function": _FUNCTION}.get(word)
        if pattern is not None and (name := pattern.match(self.text, self.place)):
            self.line += name[0].count("\n")
            self.place, self.begins = name.end(), True
            return ""
        self.begins = word in _GO_ON
        if word in ("if", "case", "do", "{"):
            self.open.append((word, self.line))
        elif word in _CLOSERS and not (top == "case" and word != "esac"):
            if top != _CLOSERS[word]:
                return f"{word} in line {self.line} closes nothing"
            self.open.pop()
            self.begins = True  # what is around it may be closed at once
        return ""

    def _close(self) -> None:
        """A parenthesis; within a case it may end a pattern."""
        self.place += 1
        self.begins = True
        top = self.open[-1][0] if self.open else ""
        if top in ("(", "$("):
            self.open.pop()
            self.begins = top == "("  # behind a function's name, or where a keyword goes on

    def _dollar(self) -> str:
        text, place = self.text, self.place
        self.begins = False
        if text.startswith("$((", place):
            end = text.find("))", place)
            self.line += text.count("\n", place, end)
            self.place = end + 2 if end >= 0 else len(text)
        elif text.startswith("$(", place):
            self.open.append(("$(", self.line))
            self.place += 2
            self.begins = True
        elif text.startswith("${", place):
            self.open.append(("${", self.line))
            self.place += 2
            if match := re.match(r"[!#]?[\w@*#?$!-]*(?:\[[^\]\n]*\])?(?:##?|%%?|//?|[:^,@]+)?", text[self.place :]):
                self.place += match.end()
        elif text.startswith("$'", place):
            match = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL).match(text, place)
            self.place = match.end() if match else len(text)
        else:
            self.place += 2 if text[place + 1 : place + 2] in "#?$!@*-" else 1
        return ""

    def _quote(self, mark: str) -> str:
        end = self.place + 1
        while end < len(self.text) and self.text[end] != mark:
            end += 2 if mark == "`" and self.text[end] == "\\" else 1
        if end >= len(self.text):
            return f"the quote {mark} of line {self.line} is not closed"
        self.line += self.text.count("\n", self.place, end)
        self.place = end + 1
        self.begins = False
        return ""

    def _double(self) -> str:
        """A text in double quotes, in which only what expands counts."""
        text, place, line = self.text, self.place + 1, self.line
        while place < len(text) and text[place] != '"':
            if text[place] == "\\":
                place += 1
            elif text.startswith("$(", place) and not text.startswith("$((", place):
                inner = _Balance(text)
                inner.place, inner.line = place + 2, line
                place = inner.until(")")
                line = inner.line
                continue
            elif text.startswith("${", place):
                inner = _Balance(text)
                inner.place, inner.line = place + 2, line
                place = inner.until("}")
                line = inner.line
                continue
            elif text[place] == "`":
                end = text.find("`", place + 1)
                place = end if end >= 0 else len(text)
            place += 1
        if place >= len(text):
            return f'the quote " of line {self.line} is not closed'
        self.line += text.count("\n", self.place, place)
        self.place = place + 1
        self.begins = False
        return ""

    def until(self, end: str) -> int:
        """The place behind a closing sign, what is opened and closed before it skipped; the end when there is none."""
        kind = {"}": "${", ")": "$("}[end]
        while self.place < len(self.text):
            letter = self.text[self.place]
            top = self.open[-1][0] if self.open else kind
            if not self.open and letter == end:
                return self.place + 1
            if top != "${":
                if self._step(letter):
                    break
            elif letter == "}":
                self.open.pop()
                self.place += 1
            elif letter in '"`$\\':
                if self._step(letter):
                    break
            else:  # a quote of the other kind is a letter there
                self.line += letter == "\n"
                self.place += 1
        return len(self.text)

    def _skip_documents(self) -> None:
        for name, tabs in self.waiting:
            while self.place < len(self.text):
                end = self.text.find("\n", self.place)
                end = len(self.text) if end < 0 else end
                line = self.text[self.place : end]
                self.place, self.line = end + 1, self.line + 1
                if (line.lstrip("\t") if tabs else line) == name:
                    break
        self.waiting = []
