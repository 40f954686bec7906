"""What names of modules mean in an image: as Python's own finder says of the same files."""

from __future__ import annotations

import tempfile
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smoke.manifest import Manifest
from smoke.static.model.build import images
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.effective_command import Start
from smoke.static.model.filesystem import FileSystem, PathEntry
from smoke.static.model.image import Image
from smoke.static.python.importer import Importer, Meaning, version_of
from smoke.static.python.syntax import Syntax
from smoke.tree import Tree
from tests.smoke.cases import write_files

PLACES = ("one", "two", "site-packages")
FILES = [
    f"{place}/{name}"
    for place in PLACES
    for name in (
        *("red.py", "red/__init__.py", "red/blue.py", "red/blue/__init__.py", "red/blue/green.py", "red/data.txt"),
        *("blue/red.py", "blue/__init__.py", "json/red.py"),
    )
]
NAMES = [
    "red",
    "blue",
    "red.blue",
    "red.green",
    "red.blue.green",
    "blue.red",
    "json",
    "json.decoder",
    "red.data",
    "green",
]


def image_of(folder: Path, dockerfile: str = "FROM python:3.12-slim\n") -> Image:
    [image] = images(Tree(write_files(folder, {"Dockerfile": dockerfile})), Manifest())
    return image


def importer(image: Image, files: FileSystem, *search: str, tree: Tree | None = None) -> Importer:
    """An importer that looks for these files of the tree in these directories."""
    tree = tree or Tree(Path("/nowhere"))
    return Importer(tree, replace(image, files=files, start=replace(image.start, search=search)), Syntax(tree), {})


def of_the_tree(*paths: str) -> FileSystem:
    """A file system with these files of a tree, each at its own path below the root."""
    files = FileSystem()
    for path in paths:
        files.add(f"/{path}", PathEntry("file", path, line=1))
    return files


def looked_up(name: str, places: list[str]) -> tuple[Meaning, str]:
    """The kind of a module, and its file, as Python's own finder says; `json` is the standard library's."""
    spec: ModuleSpec | None = None
    search, parts = places, name.split(".")
    for count in range(1, len(parts) + 1):
        if count == 1 and parts[0] == "json":
            found = PathFinder.find_spec("json", places[:2])
            spec = found if found is not None and found.loader is not None else None
            if spec is None:
                return Meaning.STANDARD, ""
        else:
            spec = PathFinder.find_spec(parts[count - 1], search)
        if spec is None or (spec.submodule_search_locations is None and count < len(parts)):
            return Meaning.MISSING, ""
        locations = spec.submodule_search_locations
        search = [] if locations is None else list(locations)
    assert spec is not None
    if spec.submodule_search_locations is None:
        return Meaning.MODULE, spec.origin or ""
    return (Meaning.PACKAGE, spec.origin or "") if spec.origin else (Meaning.NAMESPACE, "")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return image_of(tmp_path_factory.mktemp("tree"))


@settings(max_examples=60)
@example(chosen={"one/red/data.txt", "two/red/blue.py"}, name="red.blue")
@given(chosen=st.sets(st.sampled_from(FILES), max_size=8), name=st.sampled_from(NAMES))
def test_a_name_means_what_python_finds(image: Image, chosen: set[str], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), dict.fromkeys(chosen, ""))
        for place in PLACES:
            Path(folder, place).mkdir(exist_ok=True)
        kind, origin = looked_up(name, [f"{folder}/{place}" for place in PLACES])
        found = importer(
            image, of_the_tree(*sorted(chosen)), *(f"/{place}" for place in PLACES), tree=Tree(Path(folder))
        ).find(name)
    if kind is Meaning.MISSING:
        assert found.kind in (Meaning.MISSING, Meaning.OUTSIDE)
    else:
        assert found.kind is kind
        assert not origin or found.source == origin.removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("own.cpython-312-x86_64-linux-gnu.so", Meaning.BINARY),
        ("own.abi3.so", Meaning.BINARY),
        ("own.pyx", Meaning.DOUBT),
        ("own.txt", Meaning.OUTSIDE),
        ("Own.py", Meaning.OUTSIDE),
    ],
)
def test_what_is_compiled_or_may_be(image: Image, file: str, kind: Meaning) -> None:
    found = importer(image, of_the_tree(f"app/{file}"), "/app")
    assert found.find("own").kind is kind
    assert found.other_case("own") == ("/app/Own.py" if file == "Own.py" else "")


def test_what_may_be_there_is_in_doubt(image: Image) -> None:
    files = of_the_tree("app/p/__init__.py", "app/p/a.py")
    files.suspect("/app/p", "a command ran there", DoubtCause.COMMAND)
    made = importer(image, files, "/app")
    assert (made.find("p.b").kind, made.find("p.b").reason) == (Meaning.DOUBT, "a command ran there")
    assert made.find("p.a").kind is Meaning.MODULE and made.find("q").kind is Meaning.OUTSIDE
    files.suspect("/app", "another", DoubtCause.DISTRIBUTIONS)
    assert importer(image, files, "/app").find("q").kind is Meaning.OUTSIDE, "an installer's own"


def test_links_are_followed(image: Image) -> None:
    files = of_the_tree("src/own/__init__.py", "src/own/a.py")
    files.add("/app/own", PathEntry("link", target="/src/own", line=2))
    found = importer(image, files, "/app").find("own.a")
    assert (found.kind, found.source, found.path) == (Meaning.MODULE, "src/own/a.py", "/app/own/a.py")


def test_a_package_that_decides_at_run_time_may_have_more(image: Image, tmp_path: Path) -> None:
    tree = Tree(write_files(tmp_path, {"p/__init__.py": "def __getattr__(name): ...\n", "q/__init__.py": ""}))
    made = importer(image, of_the_tree("p/__init__.py", "q/__init__.py", "q/x.py"), "/", tree=tree)
    assert made.find("p.more").kind is Meaning.DOUBT and made.find("q.more").kind is Meaning.MISSING
    assert "X is another name" in importer(image, of_the_tree("q/__init__.py", "q/X.py"), "/", tree=tree).find(
        "q.x"
    ).reason.replace("X.py", "X")
    assert "is a module, no package" in made.find("q.x.y").reason


def test_a_package_hides_the_module_of_its_name(image: Image) -> None:
    made = importer(image, of_the_tree("app/p/__init__.py", "app/p.py", "app/q.py"), "/app")
    assert made.shadowed(made.find("p")) == "app/p.py" and made.shadowed(made.find("q")) == ""
    assert made.beside("/app") == {"p", "p.py", "q.py"} and made.beside("/none") == set()


@pytest.mark.parametrize(
    ("started", "own", "base", "version"),
    [
        ("3.11", "3.12", "3.10", (3, 11)),
        ("", "3.12", "3.10", (3, 12)),
        ("", "", "3.10", (3, 10)),
        ("", "", "", None),
        ("3", "", "", None),
        ("3.x", "", "", None),
    ],
)
def test_the_version_is_that_of_the_python_that_is_started(
    image: Image, started: str, own: str, base: str, version: tuple[int, int] | None
) -> None:
    assert image.base is not None
    held = msgspec.structs.replace(image.base, python=base or None)
    assert version_of(replace(image, start=Start(python=started), python=own, base=held)) == version
