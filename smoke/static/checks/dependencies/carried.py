"""Libraries of the system that wheels of the tree itself need, where the image surely has none of them."""

from __future__ import annotations

from msgspec import Struct, field

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.dependencies.shared_libraries import NOT_BARE
from smoke.static.python.distributions import normalized
from smoke.static.python.extensions import Wheel, read_wheel
from smoke.static.python.installed import Brought
from smoke.static.python.program import LoadedProgram
from smoke.tree import Tree


class Carried(Struct):
    """What wheels at hand come to."""

    lacking: list[Absence] = field(default_factory=list)
    unsure: str = ""


def lacking_of_wheels(program: LoadedProgram, tree: Tree) -> Carried:
    """What is surely lacking of what the wheels that are surely installed need as they are loaded."""
    found = Carried()
    image = program.image
    if image.environment.get("LD_LIBRARY_PATH"):
        return found
    used = {each.top for each in program.graph.outside if not each.caught and not each.lazy}
    for brought in program.installed.each:
        if brought.install.visible is False or not brought.install.directory:
            continue
        for name in sorted(brought.asked):
            paths = _of(brought, name)
            wheels = [read_wheel(tree.root / path) for path in paths]
            for library in sorted(_needed(wheels, used)):
                has = image.has_library((library,)) if NOT_BARE.fullmatch(library) else None
                if has is False:
                    message = f"{paths[0]} needs {library}, which the image does not have"
                    remedy = f"Install the package that brings {library} in the final stage."
                    found.lacking.append(Absence(paths[0], 0, message, remedy))
                elif has is None and not found.unsure:
                    found.unsure = f"whether the image has {library}, which {paths[0]} needs, is not known"
    return found


def _of(brought: Brought, name: str) -> list[str]:
    """The wheels of the tree of which one is surely installed as a distribution."""
    asked, install = brought.asked[name], brought.install
    found = []
    for path in install.wheels:
        file = path.rpartition("/")[2]
        words = file.split("-")
        if len(words) < 5 or normalized(words[0]) != name:
            continue
        if asked.text == file or install.no_index or (asked.version and asked.version == words[1]):
            found.append(path)
    return found


def _needed(wheels: list[Wheel | None], used: set[str]) -> frozenset[str]:
    """Libraries that each of some wheels needs for a module that is used; none where one cannot be read."""
    needs = [
        frozenset().union(*(libraries for top, libraries in wheel.needs.items() if top in used)) - _ALWAYS
        if wheel is not None
        else frozenset[str]()
        for wheel in wheels
    ]
    return frozenset.intersection(*needs) if needs else frozenset()


_ALWAYS = frozenset(
    [
        *["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libgcc_s.so.1"],
        *[
            "libc.so",
            "libc.musl-x86_64.so.1",
            "libc.musl-aarch64.so.1",
            "ld-linux-x86-64.so.2",
            "ld-linux-aarch64.so.1",
        ],
        *["libstdc++.so.6", "libz.so.1"],
    ]
)
"""What an image of Python has, or nearly every one: nothing is said of these."""
