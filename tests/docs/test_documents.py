"""What can be checked of the documents: links and anchors, names of files, and tables of what the code defines."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from docs.site import HEADING, LINK, TREE, anchors, lines_outside_fences
from lucid.chain.errors import Code
from lucid.machines import effects
from sim.faults import KINDS

DOCUMENTS = sorted(
    [*(TREE / "docs").rglob("*.md"), *(TREE / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))]
)
NAMES = [path.relative_to(TREE).as_posix() for path in DOCUMENTS]
ROOMS = "docs|fuzz|harness|images|lucid|sim|smoke|tests"
FILE = re.compile(rf"(?:{ROOMS})/[\w./-]+")
MODULE = re.compile(rf"(?:{ROOMS})(?:\.\w+)+")
TO_BE_WRITTEN = ("docs/howto/",)
"""What these tell to make may not be there yet."""


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return "\n".join(line for _, line in lines_outside_fences(path.read_text("utf-8")))


def there(dotted: str) -> bool:
    """Whether a dotted name is a module of the tree, or a name that one defines."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = TREE.joinpath(*parts[:length])
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if file.is_file() or place.is_dir():
            rest = parts[length:]
            return not rest or (file.is_file() and re.search(rf"\b{rest[0]}\b", file.read_text("utf-8")) is not None)
    return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_link_leads_somewhere(path: Path) -> None:
    for _, target in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = path.parent / name if name else path
        assert found.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(found.read_text("utf-8")), f"{target}: no such heading"


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_every_file_and_module_that_is_named_exists(path: Path) -> None:
    missing = []
    for span in re.findall(r"`([^`\n]+)`", prose(path)):
        if FILE.fullmatch(span) and not re.search(r"[A-Z]{3}", span):
            found = (TREE / span).exists() or (path.parent / span).exists()
            missing += [] if found else [span]
        elif MODULE.fullmatch(span) and not re.fullmatch(r"\w+\.(?:toml|py|md|yaml|json|lock)", span):
            missing += [] if there(span) else [span]
    if path.relative_to(TREE).as_posix().startswith(TO_BE_WRITTEN):
        missing = [each for each in missing if not each.startswith("sim/faults/")]
    assert not missing


def section(heading: str) -> str:
    """A section of architecture.md, to the next heading."""
    lines = (TREE / "docs/architecture.md").read_text("utf-8").split("\n")
    start = lines.index(heading)
    end = next((at for at in range(start + 1, len(lines)) if HEADING.match(lines[at])), len(lines))
    return "\n".join(lines[start:end])


def named(rows: str) -> set[str]:
    """The names in the first cells of tables."""
    cells = [line.split("|")[1] for line in rows.split("\n") if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def members(union: object) -> set[str]:
    """The names of a union's members."""
    return {each.__name__ for each in get_args(union)}


def test_the_tables_of_events_name_every_event() -> None:
    _, engine, manager, *others = section("### Events").split("\n| to ")
    assert engine.startswith("the engine") and manager.startswith("the manager")
    assert named("\n" + engine) == members(effects.EngineEvent)
    assert named("\n" + manager) == members(effects.ManagerEvent)
    assert others[0].startswith("session anchoring")
    assert named("\n" + others[0]) == members(effects.AnchoringEvent)
    assert others[1].startswith("replication")
    assert named("\n" + others[1]) == members(effects.ReplicationEvent)


def test_the_table_of_effects_names_every_effect() -> None:
    assert named(section("### Effects")) == members(effects.Effect)


def test_every_fact_is_named() -> None:
    facts = re.search(r"^Facts: (.*?)\.$", section("### Effects"), re.DOTALL | re.MULTILINE)
    assert facts is not None
    assert set(re.findall(r"`(\w+)`", facts[1])) == members(effects.Fact)


def test_the_protocol_says_when_each_code_of_the_chain_is_given() -> None:
    text = (TREE / "docs/protocol.md").read_text("utf-8")
    table = text[text.index("## 10. Refusal codes") : text.index("## 11.")]
    given: set[int] = set()
    for line in table.split("\n"):
        if re.match(r"\| \d", line):
            for first, last in re.findall(r"(\d{4})(?:-(\d{4}))?", line.split("|")[1]):
                given |= set(range(int(first), int(last or first) + 1))
    assert given <= {int(code) for code in Code}
    # Those of a node's own HTTP, stores and settings are not part of the protocol.
    ours = {int(code) for code in Code if not 1_100 <= code < 1_200 and not 2_002 <= code < 4_000}
    assert ours - given == set()


def test_hunting_lists_every_kind_of_fault() -> None:
    text = (TREE / "docs/hunting.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \| \w+ \|", text, re.MULTILINE)) == set(KINDS)


def test_the_table_of_sessions_is_that_of_nox() -> None:
    defined = re.findall(r'^@nox\.session(?:\(name="([\w-]+)"\))?\ndef (\w+)', (TREE / "noxfile.py").read_text(), re.M)
    rows = re.findall(r"^\| (`[^|]+) \|", (TREE / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == {name or what for name, what in defined}


def test_readme_has_the_two_commands() -> None:
    text = (TREE / "README.md").read_text("utf-8")
    tests = text[text.index("<!-- tests: begin -->") : text.index("<!-- tests: end -->")]
    assert len([line for line in tests.split("\n") if line.startswith("python3 ")]) == 1
    assert len([line for line in text.split("\n") if line.startswith("python3 ")]) == 2


def test_no_document_holds_a_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=TREE, capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        if name != "CHANGELOG.md" and (TREE / name).exists():
            assert not re.search(r"/(?:home|root|work)/\w", (TREE / name).read_text("utf-8")), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_lines_can_be_read_side_by_side(path: Path) -> None:
    for number, line in lines_outside_fences(path.read_text("utf-8")):
        assert len(line) <= 100 or line.lstrip().startswith("|"), f"line {number + 1}"
