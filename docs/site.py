"""Makes the source of the documentation site from docs/: `python -m docs.site FOLDER`; `nox -s docs` builds it."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from posixpath import normpath, relpath

from docs.reference import PAGES

DOCS = Path(__file__).parent
TREE = DOCS.parent
SPLIT = "protocol.md"
"""The document of which each section is a page of its own."""

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) +(.*?)\s*$")


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it and as mkdocs.yml has it made."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def lines_outside_fences(text: str) -> Iterator[tuple[int, str]]:
    """The numbers (from 0) and lines of a document that are not in a code block."""
    fence = ""
    for number, line in enumerate(text.split("\n")):
        mark = re.match(r" *(```+|~~~+)", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip() == fence:
            fence = ""
        elif not fence:
            yield number, line


def anchors(text: str) -> list[str]:
    """The anchors of a document's headings, in order."""
    found = (HEADING.match(line) for _, line in lines_outside_fences(text))
    return [slug(each[2]) for each in found if each]


def sections(text: str) -> dict[str, str]:
    """A document by its headings of the second level: the name of each page, and the page."""
    pages: dict[str, list[str]] = {"index.md": []}
    current = pages["index.md"]
    outside = dict(lines_outside_fences(text))
    for number, line in enumerate(text.split("\n")):
        heading = HEADING.match(line) if number in outside else None
        if heading and heading[1] == "##":
            numbered = re.match(r"\d+", heading[2])
            current = pages.setdefault(f"section-{numbered[0]}.md" if numbered else f"{slug(heading[2])}.md", [])
        # A page begins with a heading of the first level, so all of a section move up by one.
        current.append(line[1:] if heading and current is not pages["index.md"] else line)
    first = pages["index.md"]
    first += [
        "",
        "Sections:",
        "",
        *(f"- [{page[0][2:]}](#{slug(page[0][2:])})" for page in list(pages.values())[1:]),
        "",
    ]
    return {name: "\n".join(page) for name, page in pages.items()}


class Site:
    """The pages of the site by their paths in it, with every link rewritten for where it stands there."""

    def __init__(self) -> None:
        self.moved: dict[str, str] = {}
        """Where an anchor (`protocol.md#...`) or document of docs/ is in the site, if not at its own path."""
        self.pages: dict[str, tuple[str, str]] = {}
        """Each page's path in the site: the path in docs/ that its links count from, and its text."""

    def gather(self) -> None:
        """Read docs/, split what is split, and make the reference pages from the code."""
        for path in sorted(DOCS.rglob("*.md")):
            name = path.relative_to(DOCS).as_posix()
            text = path.read_text("utf-8")
            if name == SPLIT:
                self._split(text)
            else:
                self.pages[name] = (name, text)
        for name, page in PAGES.items():
            self.pages[f"reference/{name}.md"] = (f"reference/{name}.md", page())

    def _split(self, text: str) -> None:
        folder = SPLIT.removesuffix(".md")
        for name, page in sections(text).items():
            place = f"{folder}/{name}"
            self.pages[place] = (SPLIT, page)
            for anchor in anchors(page):
                self.moved.setdefault(f"{SPLIT}#{anchor}", f"{place}#{anchor}")
        self.moved[SPLIT] = f"{folder}/index.md"

    def write(self, folder: Path) -> None:
        """Write all pages, pictures and styles into a new folder."""
        for place, (home, text) in self.pages.items():
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rewritten(text, self._link(place, home)), "utf-8")
        for other in sorted([*DOCS.rglob("*.png"), *DOCS.rglob("*.css")]):
            shutil.copy(other, folder / other.relative_to(DOCS))

    def _link(self, place: str, home: str) -> Callable[[re.Match[str]], str]:
        def link(found: re.Match[str]) -> str:
            text, target = found.groups()
            if re.match(r"[a-z]+:", target):
                return found[0]
            path, _, anchor = target.partition("#")
            whole = normpath(f"{home}/../{path}") if path else home
            if whole.startswith("..") or not (whole.endswith((".md", ".png")) or whole in self.pages):
                return _span(text, normpath(f"docs/{whole}"))
            wanted = f"{whole}#{anchor}" if anchor else whole
            at = self.moved.get(wanted, wanted)
            here, _, anchor = at.partition("#")
            if here == place and anchor:
                return f"[{text}](#{anchor})"
            return f"[{text}]({relpath(here, normpath(f'{place}/..'))}{'#' if anchor else ''}{anchor})"

        return link


def rewritten(text: str, link: Callable[[re.Match[str]], str]) -> str:
    """A document with `link` applied to every link that is not in a code block."""
    outside = dict(lines_outside_fences(text))
    blocks = groupby(enumerate(text.split("\n")), lambda each: each[0] in outside)
    parts = []
    for written, lines in blocks:
        block = "\n".join(line for _, line in lines)
        parts.append(LINK.sub(link, block) if written else block)
    return "\n".join(parts)


def _span(text: str, path: str) -> str:
    """What stands for a link to a file that is not on the site: its path as code."""
    plain = text.strip("`")
    return f"`{path}`" if path.endswith(plain.rstrip("/")) else f"{text} (`{path}`)"


def main() -> None:
    """Write the source of the site into a folder, which is emptied first."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, metavar="FOLDER", help="where to write; emptied first")
    folder: Path = options.parse_args().folder
    if folder.exists():
        if not (folder / "index.md").is_file():
            raise SystemExit(f"{folder} is not a folder that this wrote: name another, or remove it")
        shutil.rmtree(folder)
    site = Site()
    site.gather()
    site.write(folder)
    print(f"{len(site.pages)} pages in {folder}")


if __name__ == "__main__":
    main()
