"""The documentation site: its pages, what its links become, and the reference that is made from the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.picture import readme_command
from docs.reference import PAGES, table
from docs.site import TREE, Site, anchors, sections, slug
from lucid.chain.errors import Code
from lucid.cli.examples import commands
from lucid.cli.main import parser
from sim.faults import KINDS

MKDOCS = (TREE / "mkdocs.yml").read_text("utf-8")


@pytest.fixture(scope="module")
def site() -> Site:
    """The whole site, gathered."""
    made = Site()
    made.gather()
    return made


def test_every_page_is_in_the_navigation_and_the_other_way_round(site: Site) -> None:
    assert set(re.findall(r"[\w./-]+\.md$", MKDOCS, re.MULTILINE)) == set(site.pages)


def test_no_page_is_written_where_another_is() -> None:
    by_hand = {path.relative_to(TREE / "docs").as_posix() for path in (TREE / "docs").rglob("*.md")}
    assert not by_hand & {f"reference/{name}.md" for name in PAGES}


def test_nothing_is_fetched_from_elsewhere_to_view_it() -> None:
    assert "font: false" in MKDOCS
    assert "://" not in MKDOCS


def test_links_stay_in_the_site_or_become_code(site: Site, tmp_path: Path) -> None:
    site.write(tmp_path)
    for place in site.pages:
        text = (tmp_path / place).read_text("utf-8")
        for target in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            if not target.startswith("http"):
                path, _, anchor = target.partition("#")
                page = (tmp_path / place).parent / path if path else tmp_path / place
                assert page.is_file(), f"{place}: {target}"
                assert not anchor or anchor in anchors(page.read_text("utf-8")), f"{place}: {target}"
    assert "`lucid/chain`" in (tmp_path / "architecture.md").read_text("utf-8")


def test_a_document_is_split_by_its_sections() -> None:
    pages = sections("# T\n\nsee\n\n## 1. One\n\n```\n## not a heading\n```\n\n### Part\n\n## 2. Two\n")
    assert list(pages) == ["index.md", "section-1.md", "section-2.md"]
    assert pages["section-1.md"].startswith("# 1. One\n") and "\n## Part\n" in pages["section-1.md"]
    assert "\n## not a heading\n" in pages["section-1.md"]
    assert "- [2. Two](#2-two)" in pages["index.md"]


def test_an_anchor_is_what_github_makes_of_a_heading() -> None:
    assert slug("What `/health` says, (4)") == "what-health-says-4"
    assert slug("6. Blocks [and](x.md) more") == "6-blocks-and-more"


def test_a_cell_cannot_break_its_table() -> None:
    assert table(("a", "b"), [("x|y", "one\ntwo")])[2] == "| x\\|y | one two |"


def test_the_reference_leaves_nothing_out() -> None:
    errors, cli, faults = PAGES["errors"](), PAGES["cli"](), PAGES["faults"]()
    assert all(code.code in errors for code in Code)
    assert all(f"\n## {kind}\n" in faults for kind in KINDS)
    for command in commands(parser()):
        if command.get_default("run") is not None and command.prog != "lucid":
            assert f"## {command.prog}\n" in cli


def test_the_services_describe_themselves() -> None:
    assert "`POST /anchor-session`" in PAGES["http"]() and "| `GET /health` |" in PAGES["http"]()
    assert "`lucid_block_height`" in PAGES["metrics"]() and "`lucid_requests_refused_total`" in PAGES["metrics"]()


def test_a_folder_that_it_did_not_write_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    command = [sys.executable, "-m", "docs.site", str(tmp_path)]
    said = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "is not a folder that this wrote" in said.stderr
    assert (tmp_path / "mine").exists()


def test_the_picture_is_of_the_readmes_own_command() -> None:
    command = readme_command()
    assert command[:2] == ["sim", "run"]
    assert parser().parse_args(command).run is not None
