"""What the corpus is made of: a tree that starts, and what breaks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smoke.finding import Finding, Severity, Verdict
from smoke.findingkind import kind
from smoke.judgment import Judgment
from smoke.static.treejudge import judge
from smoke.subject import find_subject


@dataclass(frozen=True)
class Script:
    """A file that may be executed."""

    text: str


@dataclass(frozen=True)
class Link:
    """A symbolic link, and where it points as written."""

    to: str


Content = str | bytes | Script | Link
Files = Mapping[str, Content]
"""What stands at each path below the root."""
Changes = Mapping[str, Content | None]
"""Files that differ from the healthy tree; None takes one away."""


@dataclass(frozen=True)
class Case:
    """One kind of fault: a healthy tree that imitates how projects build, and its broken twin where there is one."""

    name: str
    """Unique in the corpus: words with hyphens."""
    healthy: Files
    """It must come out with status 0 and no critical failure."""
    broken: Changes = field(default_factory=dict)
    """What to change so that it no longer starts; empty for a tree that is there to be left alone."""
    check: str = ""
    """The check that has to fail critically for the broken tree: an id, or the beginning of one."""
    says: str = ""
    """What the message of that failure holds."""
    fault: str = ""
    """What is wrong with the broken tree, in one sentence; for a healthy one alone, what is easily misjudged."""


def write_files(folder: Path, files: Changes) -> Path:
    """Write files into a folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case None:
                pass
            case Link(to):
                target.symlink_to(to)
            case bytes():
                target.write_bytes(content)
            case str():
                target.write_text(content, encoding="utf-8", newline="")
            case Script(text):
                target.write_text(text, encoding="utf-8", newline="")
                target.chmod(0o755)
    return folder


def read_cases(path: Path, common: Files) -> list[Case]:
    """The cases of a text: `=== NAME | CHECK`, `# FAULT`, `--- FILE` of the healthy tree, `+++ FILE` of the broken one.

    Behind a file's name, `executable` sets its bit, `escaped` takes Python's escapes and `gone` removes it. `common`
    holds files of every tree that does not have its own."""
    cases = []
    for part in re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        name, _, check = (word.strip() for word in title.partition("|"))
        fault = body[2:].partition("\n")[0] if body.startswith("# ") else ""
        sides: dict[str, dict[str, Content | None]] = {"---": {}, "+++": {}}
        for side, head, text in re.findall(r"^(---|\+\+\+) (.*)\n((?:(?!--- |\+\+\+ ).*\n)*)", body, re.MULTILINE):
            file, *marks = head.split()
            plain = re.sub(r"\\(?:r|ufeff)", lambda match: _ESCAPES[match[0]], text) if "escaped" in marks else text
            sides[side][file] = None if "gone" in marks else Script(plain) if "executable" in marks else plain
        healthy = {file: text for file, text in {**common, **sides["---"]}.items() if text is not None}
        cases.append(Case(name, healthy, sides["+++"], check, fault=fault))
    return cases


_ESCAPES = {r"\r": "\r", r"\ufeff": "\ufeff"}


def judge_files(folder: Path, files: Changes) -> Judgment:
    """What comes out of a tree with these files, by its own manifest if it has one."""
    return judge(find_subject(write_files(folder, files), None))


def outcomes(folder: Path, files: Changes, check: str) -> list[tuple[str, str]]:
    """What one check says of a tree with these files: its outcome, as reports call it, and the message."""
    return [(kind(each), each.message) for each in judge_files(folder, files).findings if each.check == check]


def says(folder: Path, files: Changes, check: str, outcome: str, words: str) -> bool:
    """Whether one check has this outcome, with these words in the message, and no other that is as bad."""
    found = outcomes(folder, files, check)
    assert found, f"{check} says nothing"
    assert any(name == outcome and words in message for name, message in found), found
    assert outcome == "critical" or all(name != "critical" for name, _ in found), found
    return True


def critical(judgment: Judgment) -> list[Finding]:
    """The failures that make the exit status 1."""
    return [
        each
        for each in judgment.findings
        if each.verdict is not Verdict.PASS and each.severity is Severity.CRITICAL and judgment.blocks(each)
    ]
