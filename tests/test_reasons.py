"""Every number that stands by itself in the pure rooms says where it comes from: a bound without a reason is a guess.

A source is a section of the specification, an RFC, another name, or a calculation. A figure that somebody chose says
so, and what breaks at half and at double of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lucid/chain", "lucid/poot", "lucid/ledger", "lucid/machines")
SOURCE = re.compile(r"section \d|RFC \d|`[\w.]+`|\d|[Cc]hosen")
CHOSEN = re.compile(r"[Cc]hosen")
SECTION = re.compile(r"\bsection (\d+)")

Assigned = ast.Assign | ast.AnnAssign


def numbers(value: ast.expr | None) -> list[int | float]:
    """The numbers that an expression is written with."""
    found = [each.value for each in ast.walk(value) if isinstance(each, ast.Constant)] if value is not None else []
    return [each for each in found if isinstance(each, int | float) and not isinstance(each, bool)]


def docstring(body: Sequence[ast.stmt], place: int) -> str:
    """The text that stands right behind a statement."""
    following = body[place + 1] if place + 1 < len(body) else None
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return str(following.value.value)
    return ""


def comments(body: Sequence[ast.stmt], place: int, lines: Sequence[str]) -> str:
    """The comment at the end of a statement, and that above it or above the run of statements that it belongs to."""
    statement = body[place]
    found = [line.partition("  # ")[2] for line in lines[statement.lineno - 1 : statement.end_lineno]]
    while place and body[place - 1].end_lineno == body[place].lineno - 1 and isinstance(body[place - 1], Assigned):
        place -= 1
    above = body[place].lineno - 2
    while above >= 0 and lines[above].lstrip().startswith("#"):
        found.append(lines[above])
        above -= 1
    return " ".join(found)


def figures(path: Path) -> Iterator[tuple[int, str, str]]:
    """The line, name and reason of each figure: constants of a module, defaults of fields above 1, numbers of an enum.

    A default of 0 or 1 says that there is none, or one, of something. Members of an enum share its docstring.
    """
    text = path.read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    for place, statement in enumerate(tree.body):
        if isinstance(statement, Assigned) and numbers(statement.value):
            reason = docstring(tree.body, place) + comments(tree.body, place, lines)
            yield statement.lineno, lines[statement.lineno - 1].split()[0], reason
        if isinstance(statement, ast.ClassDef):
            enum = any(ast.unparse(base).endswith(("Enum", "Flag")) for base in statement.bases)
            fields = [each for each in statement.body if isinstance(each, Assigned) and numbers(each.value)]
            if enum and fields:
                yield statement.lineno, statement.name, ast.get_docstring(statement) or ""
            for inner, field in enumerate(statement.body):
                if not enum and isinstance(field, ast.AnnAssign) and any(each > 1 for each in numbers(field.value)):
                    reason = docstring(statement.body, inner) + comments(statement.body, inner, lines)
                    yield field.lineno, f"{statement.name}.{ast.unparse(field.target)}", reason


def unreasoned(path: Path) -> list[str]:
    """The figures of a module that do not say where they come from, and what is amiss."""
    found = []
    for line, name, reason in figures(path):
        if not SOURCE.search(reason):
            found.append(f"{path.name}:{line} {name}: no source")
        elif CHOSEN.search(reason) and not ("half" in reason and ("double" in reason or "twice" in reason)):
            found.append(f"{path.name}:{line} {name}: chosen, and what of half and double?")
    return found


def sections() -> set[int]:
    """The numbers of the specification's sections."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    return {int(number) for number in re.findall(r"^## (\d+)\. ", text, re.MULTILINE)}


def modules() -> list[Path]:
    """The modules of the pure rooms."""
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_figure_says_where_it_comes_from() -> None:
    found = [each for path in modules() for each in unreasoned(path)]
    assert sum(1 for path in modules() for _ in figures(path)) > 150
    assert not found, "\n".join(found)


def test_every_section_that_is_named_is_there() -> None:
    named = {int(number) for path in modules() for number in SECTION.findall(path.read_text(encoding="utf-8"))}
    assert named and named <= sections()


def test_what_has_no_source_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "from enum import IntEnum\n"
        "NONE = 5\n"
        "TALE = 6\n"
        '"""So many at most."""\n'
        "RULED = 7\n"
        '"""So many at most (protocol section 8)."""\n'
        "# Of RFC 8032.\n"
        "FIRST = 32\n"
        "SECOND = 64\n"
        "LATE = 3  # three of `FIRST`\n"
        "GUESS = 9\n"
        '"""Chosen."""\n'
        "FIT = 10\n"
        '"""Chosen: at half it starves, at double it floods."""\n'
        "FLAG = True\n"
        "NAME = 'a'\n"
        "class Limits:\n"
        "    fields: int = 4\n"
        "    start: int = 0\n"
        "class Kind(IntEnum):\n"
        '    """Kinds."""\n'
        "    ONE = 1\n"
    )
    assert unreasoned(path) == [
        "one.py:2 NONE: no source",
        "one.py:3 TALE: no source",
        "one.py:11 GUESS: chosen, and what of half and double?",
        "one.py:18 Limits.fields: no source",
        "one.py:20 Kind: no source",
    ]


def refusals(path: Path) -> Iterator[tuple[int, str, bool]]:
    """The line, function and standing of each place that refuses something by a code of its own: whether a comment is
    near, from three lines above its condition on; or it is the only one of a function that says why."""
    text = path.read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    for function in [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]:
        places = sorted({each.lineno for each in ast.walk(function) if isinstance(each, ast.Call) and refuses(each)})
        conditions = [each for each in ast.walk(function) if isinstance(each, ast.If | ast.Try)]
        for line in places:
            around = [each.lineno for each in conditions if each.lineno <= line <= (each.end_lineno or 0)]
            near = lines[max(function.lineno, max(around, default=line) - 4) : line + 1]
            alone = len(places) == 1 and bool(ast.get_docstring(function))
            yield line, function.name, alone or any("# " in each for each in near)


def refuses(call: ast.Call) -> bool:
    """Whether a call makes a refusal of a code that it names."""
    named = any("Code." in ast.unparse(each) for each in call.args)
    return named and ast.unparse(call.func).rpartition(".")[2] in ("Refusal", "Refused", "refused", "Respond")


def test_every_refusal_says_why() -> None:
    paths = [path for path in modules() if path.relative_to(ROOT / "lucid").parts[0] in ("ledger", "machines")]
    found = [(path, each) for path in paths for each in refusals(path)]
    assert len(found) > 100
    assert not [f"{path.name}:{line} {name}" for path, (line, name, reasoned) in found if not reasoned]


def test_a_refusal_without_a_reason_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "def first(a):\n"
        "    if a > 1:\n"
        "        raise Refusal(Code.A)\n"
        "    b = a\n"
        "    c = b\n"
        "    d = c\n"
        "    # No more than three, since the paper says so.\n"
        "    if a > 3:\n"
        "        raise Refusal(Code.B, 'b')\n"
        "\n\n\n\n"
        "def second(a):\n"
        '    """As nobody signs it."""\n'
        "    return [Observe(Refused(Code.C))]\n"
        "def third(a):\n"
        "    raise Refusal(refusal.code)\n"
    )
    assert [(name, reasoned) for _, name, reasoned in refusals(path)] == [
        ("first", False),
        ("first", True),
        ("second", True),
    ]
