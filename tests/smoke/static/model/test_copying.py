"""What COPY and ADD bring, and to whom it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.image import Image
from smoke.tree import Tree
from tests.smoke.cases import write_files

FILES = {"a.py": "", "d/b.py": "", "d/e/c.txt": "", "two/x": "", "two/y": ""}


def image(folder: Path, lines: str) -> Image:
    [found] = images(
        Tree(write_files(folder, {**FILES, "Dockerfile": f"FROM python:3.12-slim\n{lines}\n"})), Manifest()
    )
    return found


@pytest.mark.parametrize(
    ("lines", "there", "lacking"),
    [
        ("COPY a.py /x", "/x", "/x/a.py"),
        ("COPY a.py /x/", "/x/a.py", "/a.py"),
        ("WORKDIR /w\nCOPY a.py .", "/w/a.py", "/a.py"),
        ("COPY d /x", "/x/e/c.txt", "/x/d"),
        ("COPY d/*.py /x/", "/x/b.py", "/x/e/c.txt"),
        ("COPY a.py d /x/", "/x/b.py", "/x/d/b.py"),
        ("COPY --parents d/e/c.txt /x/", "/x/d/e/c.txt", "/x/c.txt"),
        ("COPY --exclude=*.py d /x", "/x/e/c.txt", "/x/b.py"),
        ('COPY ["a.py", "/x y/"]', "/x y/a.py", "/x/a.py"),
        ("COPY <<NAME /x/\ntext\nNAME", "/x/NAME", "/x/text"),
        ("ADD https://example.org/f.bin /x/", "/x/f.bin", "/f.bin"),
    ],
)
def test_where_it_lands(tmp_path: Path, lines: str, there: str, lacking: str) -> None:
    files = image(tmp_path, lines).files
    assert files.find(there) is not None and files.find(lacking) is None


@pytest.mark.parametrize(
    ("flags", "user", "mode"),
    [
        ("", 0, None),
        ("--chown=7", 7, None),
        ("--chown=nobody", 65534, None),
        ("--chmod=600", 0, 0o600),
        ("--chown=7:8 --chmod=755", 7, 0o755),
    ],
)
def test_to_whom_it_belongs(tmp_path: Path, flags: str, user: int, mode: int | None) -> None:
    entry = image(tmp_path, f"COPY {flags} a.py /x").files.find("/x")
    assert entry is not None and entry.user == user and (mode is None or entry.mode == mode)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("COPY --chown=ghost a.py /x", "no user ghost"),
        ("COPY two/x two/y /z", "needs a directory"),
        ("COPY https://example.org/a /x", "only ADD takes a URL"),
    ],
)
def test_what_stops_the_build(tmp_path: Path, line: str, says: str) -> None:
    [refused] = image(tmp_path, line).refused
    assert says in refused.message


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("COPY a.py /app\nCOPY b.py /app/", 1),
        ("COPY a.py /app/\nCOPY b.py /app/", 0),
        ("COPY a.py /app\nCOPY b.py /app", 0),
        ("RUN mkdir /app\nCOPY a.py /app\nCOPY b.py /app/", 0),
    ],
)
def test_a_file_is_no_directory(tmp_path: Path, text: str, count: int) -> None:
    files = {"a.py": "", "b.py": "", "Dockerfile": f"FROM python:3.12-slim\n{text}\n"}
    [image] = images(Tree(write_files(tmp_path, files)), Manifest())
    assert ["made a file of that name" in each.message for each in image.refused] == [True] * count


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("EOF", "a = '$WHERE'", "a = '/x'"),
        ("EOF", "a = '${WHERE}' # $(date)", "a = '/x' # $(date)"),
        ("EOF", r"a = 'b\n\$WHERE\\n'", r"a = 'bn$WHERE\n'"),
        ("'EOF'", r"a = 'b\n$WHERE'", r"a = 'b\n$WHERE'"),
        ("EOF", "a = '${OF_WHO_BUILDS}'", None),
    ],
)
def test_what_a_here_document_comes_to(tmp_path: Path, name: str, text: str, wanted: str | None) -> None:
    files = {"Dockerfile": f"FROM scratch\nENV WHERE=/x\nARG OF_WHO_BUILDS\nCOPY <<{name} /a.py\n{text}\nEOF\n"}
    tree = Tree(write_files(tmp_path, files))
    [image] = images(tree, Manifest())
    entry = image.files.find("/a.py")
    assert entry is not None and entry.text == (wanted if wanted is None else f"{wanted}\n")
    assert tree.text(entry.source) == ("" if wanted is None else f"{wanted}\n")
    assert tree.within == ({} if wanted is None else {entry.source: ("Dockerfile", 5)})


def test_a_here_document_that_names_no_variable_stops_the_build(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM scratch\nCOPY <<EOF /a.sh\n${}\nEOF\n"}
    [image] = images(Tree(write_files(tmp_path, files)), Manifest())
    assert ["names no variable" in each.message for each in image.refused] == [True]
