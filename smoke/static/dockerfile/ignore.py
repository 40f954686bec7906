"""What .dockerignore leaves out of a build context, by Docker's own matching rules."""

from __future__ import annotations

import posixpath

from msgspec import Struct

from smoke.static.dockerfile.ignorepattern import matcher
from smoke.tree import Tree

MAX_RULES = 1000


class Rule(Struct, frozen=True):
    """One line of the file."""

    pattern: str
    """Cleaned: without `!`, leading and trailing slashes and dots."""
    keeps: bool
    """Whether it takes back what earlier lines left out."""
    line: int


class Ignore(Struct, frozen=True):
    """All rules of one file; without a file there are none."""

    path: str = ""
    """Where the rules stand in the tree; empty when there is no such file."""
    rules: tuple[Rule, ...] = ()

    @property
    def prunes(self) -> bool:
        """Whether nothing below a directory that is left out can come back."""
        return not any(rule.keeps for rule in self.rules)

    def start(self) -> tuple[bool, ...]:
        """What `step` is given for the context's own directory."""
        return (False,) * len(self.rules)

    def step(self, parent: tuple[bool, ...], path: str) -> tuple[bool, ...]:
        """Which rules match a path, or a directory that it is in (`parent`: what this gave for that directory)."""
        return tuple(above or matcher(rule.pattern)(path) for above, rule in zip(parent, self.rules, strict=True))

    def decides(self, matched: tuple[bool, ...]) -> Rule | None:
        """The rule that leaves a path out: the last that matches, unless it keeps."""
        for rule, matches in zip(reversed(self.rules), reversed(matched), strict=True):
            if matches:
                return None if rule.keeps else rule
        return None

    def excludes(self, path: str) -> Rule | None:
        """The rule that leaves out a path relative to the context; none when it stays."""
        matched, walked = self.start(), ""
        for name in path.split("/"):
            walked = f"{walked}/{name}" if walked else name
            matched = self.step(matched, walked)
        return self.decides(matched)


def ignore_of(tree: Tree, context: str, dockerfile: str) -> Ignore:
    """The rules for a build: those of `<Dockerfile>.dockerignore`, else of the context's .dockerignore."""
    for path in (f"{dockerfile}.dockerignore", posixpath.join(context, ".dockerignore")):
        if tree.is_file(path):
            return Ignore(path, parse_ignore(tree.text(path)))
    return Ignore()


def parse_ignore(text: str) -> tuple[Rule, ...]:
    """The rules that a text holds, `MAX_RULES` at most."""
    rules = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.startswith("#") or len(line) > 4096:
            continue
        pattern = line.strip()
        keeps = pattern.startswith("!")
        pattern = pattern[1:].strip() if keeps else pattern
        if not pattern:
            continue
        cleaned = posixpath.normpath(pattern).lstrip("/")
        if cleaned in {"", "."}:
            continue
        rules.append(Rule(cleaned, keeps, number))
        if len(rules) >= MAX_RULES:
            break
    return tuple(rules)
