"""Follows the shell text of a RUN by a real grammar (tree-sitter): which commands run, under which conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from smoke.static.model import commands
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import PathEntry
from smoke.static.model.installers.conda_prefix import TOOLS, run_in
from smoke.static.model.native import VARIABLES
from smoke.static.model.shell_syntax import STATEMENTS, grammar, trouble
from smoke.static.model.shell_words import ShellWords, node_text
from smoke.static.model.stage import Stage
from smoke.static.model.steps import refusal
from smoke.static.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SCRIPT = 200_000
"""Letters of a script that are followed; a longer one is in doubt as a whole."""
MAX_COMMANDS = 2_000
MAX_DEPTH = 40
MAX_WORDS = 1_000
_SHELLS = regex(r"(?:ba|da|a)?sh")


def run(
    stage: Stage, script: str, line: int, values: Mapping[str, str], *, errexit: bool = False, depth: int = 0
) -> None:
    """Follow a script in a stage. `values` are the variables that it sees; `errexit` says that `set -e` is in force."""
    if len(script) > MAX_SCRIPT or depth > 3:
        stage.files.suspect("/", f"the RUN of line {line} is too long to be followed", DoubtCause.COMMAND)
        return
    root = grammar().parse(script.encode("utf-8", "replace")).root_node
    follower = _Follower(stage, line, dict(values), errexit, depth)
    workdir, environment = stage.workdir, dict(stage.environment)
    follower.block(root, _Context(stops=True))
    stage.workdir, stage.environment = workdir, environment
    if root.has_error and (clause := trouble(script)) and not depth:
        stage.fail(line, f"the shell cannot read the RUN: {clause}")
    elif root.has_error:
        stage.files.suspect(
            "/", f"part of the RUN of line {line} is not shell code that can be read", DoubtCause.COMMAND
        )


def words(stage: Stage, given: list[str], line: int, values: Mapping[str, str]) -> None:
    """Follow the words of one command that no shell has read."""
    follower = _Follower(stage, line, dict(values), False, 0)
    follower.words(given, {}, stops=False)


class _Context(Struct, frozen=True):
    """What follows from a statement's outcome."""

    stops: bool
    """Whether the build stops when it fails."""
    depth: int = 0


class _Follower:
    """One script in a stage."""

    def __init__(self, stage: Stage, line: int, values: dict[str, str], errexit: bool, depth: int) -> None:
        self.stage, self.line, self.values, self.errexit, self.nesting = stage, line, values, errexit, depth
        self.conditional = False
        self.count = 0
        self.functions: set[str] = set()
        self.open = False
        """Whether functions and a PATH came from where they cannot be followed: another file, or `eval`."""

    def block(self, node: Node, context: _Context) -> None:
        """Statements one after the other: the last decides, or each with `set -e`."""
        statements = [child for child in node.named_children if child.type in STATEMENTS]
        for number, child in enumerate(statements):
            last = number == len(statements) - 1
            self.statement(child, replace(context, stops=context.stops and (last or self.errexit)))

    def statement(self, node: Node, context: _Context) -> None:  # noqa: PLR0912 - a case a statement
        """Follow one statement."""
        if context.depth > MAX_DEPTH or self.count > MAX_COMMANDS:
            self.stage.files.suspect("/", f"the RUN of line {self.line} is too long to be followed", DoubtCause.COMMAND)
            return
        inner = replace(context, depth=context.depth + 1)
        match node.type:
            case "command":
                self.command(node, context.stops)
            case "list":
                self._list(node, inner)
            case "pipeline":
                parts = [child for child in node.named_children if child.type in STATEMENTS]
                fed = self.stage.fed
                for number, child in enumerate(parts):
                    self.stage.fed = fed or number > 0
                    self.statement(child, replace(inner, stops=inner.stops and child == parts[-1]))
                self.stage.fed = fed
            case "redirected_statement":
                self._redirected(node, inner)
            case "subshell":
                workdir = self.stage.workdir
                self.block(node, inner)
                self.stage.workdir = workdir
            case "compound_statement" | "program":
                self.block(node, inner)
            case "negated_command":
                self.block(node, replace(inner, stops=False))
            case "variable_assignment" | "variable_assignments" | "declaration_command":
                self._assign(node)
            case "if_statement" | "while_statement":
                self._branches(node, inner)
            case "test_command" | "unset_command":
                pass
            case _:
                self._maybe(node, inner)

    def _list(self, node: Node, context: _Context) -> None:
        parts = [child for child in node.named_children if child.type in STATEMENTS]
        otherwise = any(child.type == "||" for child in node.children)
        for number, child in enumerate(parts):
            if otherwise and number:
                with self._under_condition():
                    self.statement(child, replace(context, stops=False))
            else:
                self.statement(child, replace(context, stops=context.stops and not otherwise))

    def _branches(self, node: Node, context: _Context) -> None:
        """The condition is run; what follows it may be."""
        quiet = replace(context, stops=False)
        held = [child for child in node.named_children if child.type in STATEMENTS]
        if held and held[0].type not in ("do_group", "elif_clause", "else_clause"):
            self.statement(held.pop(0), quiet)
        with self._under_condition():
            for child in held:
                self.block(child, quiet) if child.type.endswith(("_clause", "group")) else self.statement(child, quiet)

    def _maybe(self, node: Node, context: _Context) -> None:
        """Loops, cases and functions: their bodies may run."""
        if node.type == "function_definition" and (name := node.child_by_field_name("name")) is not None:
            self.functions.add(node_text(name))
        with self._under_condition():
            self.block(node, replace(context, stops=False))

    @contextmanager
    def _under_condition(self) -> Iterator[None]:
        """What is done here may be done or not: where it makes a difference there is doubt."""
        if self.conditional:
            yield
            return
        stage = self.stage
        files, installs, values = stage.files.copy(), list(stage.installs), dict(self.values)
        self.conditional = True
        try:
            yield
        finally:
            self.conditional = False
        self.values = {key: value for key, value in values.items() if self.values.get(key) == value}
        reason = f"the RUN of line {self.line} does it under a condition"
        after = stage.files.entries
        for path in after.keys() - files.entries.keys():
            files.suspect(path, reason, DoubtCause.COMMAND)
        for path in files.entries.keys() & after.keys():
            held, done = files.entries[path], after[path]
            if done != held:
                files.entries[path] = replace(held, mode=None, user=None)
            if (done.source, done.text) != (held.source, held.text):
                files.entries[path] = replace(files.entries[path], source="", text=None)
        for path, doubt in stage.files.doubts.items():
            files.doubts.setdefault(path, doubt)
        stage.files = files
        kept = [each for each in stage.installs if each in installs]
        new = [replace(each, doubt=each.doubt or reason) for each in stage.installs if each not in installs]
        stage.installs = kept + new

    # -- commands ------------------------------------------------------------------------------------------------

    def _redirected(self, node: Node, context: _Context) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.statement(body, context)
        for child in node.named_children:
            if child.type == "file_redirect":
                self._redirect(child, body)
            elif child.type == "heredoc_redirect":
                self._given_code(child, body)
                for part in child.named_children:
                    if part.type == "file_redirect":
                        self._redirect(part, body)
                    elif part.type in STATEMENTS:
                        self.statement(part, context)

    def _given_code(self, node: Node, body: Node | None) -> None:
        """A here-document that Python runs may write files of the tree anew."""
        if body is not None and re.match(r"\S*python[\d.]*(?:\s+-)?\s*$", node_text(body)):
            from smoke.static.model.rewriting import rewrite_by_code  # noqa: PLC0415 - few trees hand Python code

            for part in node.named_children:
                if part.type == "heredoc_body":
                    rewrite_by_code(self.stage, node_text(part))

    def _redirect(self, node: Node, body: Node | None) -> None:
        operator = next((child.type for child in node.children if child.type.startswith((">", "&>"))), "")
        target = node.child_by_field_name("destination")
        if not operator or operator.endswith("&") or target is None:
            return
        for word in self.word(target):
            path = self.stage.path(word)
            if "$" in word or "*" in word:
                self.stage.files.suspect(self.stage.workdir, f"line {self.line} writes to {word}", DoubtCause.COMMAND)
            elif not path.startswith("/dev/"):
                held = self.stage.files.find(path)
                user = self.stage.number(self.stage.user)
                made = PathEntry("file", user=user, mode=0o644, line=self.line)
                self.stage.files.add(path, replace(held, source="", line=self.line) if held is not None else made)

    def _assign(self, node: Node) -> None:
        pending = [node]
        exported = node.type == "declaration_command" and node_text(node).startswith(("export", "declare -x"))
        while pending:
            each = pending.pop()
            if each.type != "variable_assignment":
                pending += each.named_children
                continue
            name, value = each.child_by_field_name("name"), each.child_by_field_name("value")
            words = [""] if value is None else self.word(value)
            if name is None:
                continue
            text = " ".join(words)
            if "$" in text or "`" in text:
                self.open = self.open or node_text(name) == "PATH"
                self.values.pop(node_text(name), None)
            else:
                self.values[node_text(name)] = text
            if (exported or node_text(name) == "PATH") and "$" not in text:
                self.stage.environment[node_text(name)] = text

    def command(self, node: Node, stops: bool) -> None:
        """Follow a simple command."""
        self.count += 1
        words: list[str] = []
        given: dict[str, str] = {}
        for child in node.named_children:
            if child.type == "variable_assignment":
                name, _, value = node_text(child).partition("=")
                given[name] = value.strip("'\"")
            elif child.type in ("file_redirect", "heredoc_redirect", "herestring_redirect"):
                self._redirect(child, None)
            elif child.type == "command_name":
                words += self.word(child.named_children[0]) if child.named_children else [node_text(child)]
            else:
                words += self.word(child)
        self.words(words[:MAX_WORDS], given, stops)

    def words(self, words: list[str], given: dict[str, str], stops: bool) -> None:
        """Follow the words of a command, wrappers taken off."""
        while words and words[0] in ("exec", "command", "builtin", "time", "nice", "sudo", "env", "eatmydata"):
            wrapper = words.pop(0)
            if wrapper == "sudo" and stops and not self.conditional and self.stage.lacks("sudo"):
                self.stage.fail(self.line, "sudo: command not found", "sudo")
            while words and (words[0].startswith("-") or (wrapper == "env" and "=" in words[0])):
                words.pop(0)
        if not words or words[0] in self.functions:
            return
        if words[0] == "set":
            if not self.conditional and (message := refusal(self.stage, words, self.line)):
                self.stage.fail(self.line, message)
            self.errexit = self.errexit or any(re.fullmatch(r"-[a-z]*e[a-z]*", word) for word in words[1:])
            return
        if words[0] == "exit" or self._activates(words):
            return
        if words[0].rpartition("/")[2] in TOOLS and (inner := run_in(self.stage, words)) is not None:
            environment = self.stage.environment
            self.stage.environment = {**environment, "PATH": f"{inner[0]}/bin:{environment.get('PATH', '')}"}
            self.words(inner[1], given, stops)
            self.stage.environment = environment
            return
        certain = not self.conditional and stops and not (self.open and "/" not in words[0])
        self.open = self.open or words[0] in (".", "source", "eval", "alias")
        environment = self.stage.environment
        arguments = {key: value for key, value in self.values.items() if key.startswith(("UV_", "PIP_", "MAMBA_"))}
        self.stage.environment = {**arguments, **environment, **given}
        message = refusal(self.stage, words, self.line) if certain else ""
        self.stage.environment = environment
        if message:
            self.stage.fail(self.line, message, words[0])
        if _SHELLS.fullmatch(words[0].rpartition("/")[2]) and len(words) > 2 and re.fullmatch(r"-[a-z]*c", words[1]):
            shell, self.stage.shell = self.stage.shell, words[0].rpartition("/")[2]
            run(self.stage, words[2], self.line, self.values, errexit="e" in words[1], depth=self.nesting + 1)
            self.stage.shell = shell
            return
        seen = {key: value for key, value in self.values.items() if key.startswith(VARIABLES)} | given
        commands.follow(self.stage, [*(f"{key}={value}" for key, value in seen.items()), *words], self.line)

    def _activates(self, words: list[str]) -> bool:
        """Take up a virtual environment that is activated, for the rest of the script; says whether it was that."""
        if words[0] not in (".", "source") or len(words) != 2 or not words[1].endswith("/bin/activate"):
            return False
        place = self.stage.path(words[1].removesuffix("/bin/activate"))
        if place not in self.stage.venvs or (words[0] == "source" and refusal(self.stage, words, self.line)):
            return False
        given = {"VIRTUAL_ENV": place, "PATH": f"{place}/bin:{self.stage.environment.get('PATH', '')}"}
        self.stage.environment |= given
        self.values |= given
        return True

    def word(self, node: Node) -> list[str]:
        """The words that a node stands for; what cannot be known keeps its `$`."""
        return ShellWords(self.stage, self.values).of(node)
