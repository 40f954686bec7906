"""Commands that documents print are commands: each is read by the program's own parser."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.site import TREE
from lucid.cli.deploy import expand
from lucid.cli.main import parser

DOCUMENTS = [*sorted((TREE / "docs").rglob("*.md")), TREE / "README.md"]
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands(path: Path) -> Iterator[list[str]]:
    """The words of each `lucid` command in a document's shell blocks."""
    for block in FENCE.findall(path.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if set(word) <= set(";&|()<>"):
                    while words and words[0] in ("do", "then", "nice", "time", "!"):
                        words = words[1:]
                    if words and words[0].rpartition("/")[2] == "lucid":
                        yield words[1:]
                    words = []
                else:
                    words.append(word)


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.relative_to(TREE).as_posix() for path in DOCUMENTS])
def test_every_command_that_is_printed_is_one(path: Path) -> None:
    for words in commands(path):
        if any(word == "..." or word.startswith("[") for word in words):
            continue  # a form of it, not the command
        given = expand(words) if words[:1] == ["deploy"] else words
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                parser(given[0] if given else "").parse_args(given)
        except SystemExit as end:
            assert not end.code, f"lucid {shlex.join(words)}: {said.getvalue()}"


def test_commands_are_found() -> None:
    assert sum(1 for _ in commands(TREE / "docs" / "operating.md")) > 15
