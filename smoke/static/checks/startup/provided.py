"""What the code takes for granted as it is loaded, and the image or Compose gives otherwise: numbers, NLTK's data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from smoke.static.checks.loaded import runs
from smoke.static.model.filesystem import DoubtCause
from smoke.static.model.image import Image
from smoke.static.python.converted import converted, is_number
from smoke.static.python.corpora import corpora
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope

_SURE = (DoubtCause.BASE, DoubtCause.PACKAGES, DoubtCause.DISTRIBUTIONS)
MAX_SHOWN = 40


class Unfit(Struct, frozen=True):
    """What is not as the code takes it: where it stands, why, and what to do."""

    path: str
    line: int
    message: str
    remedy: str


def odd_numbers(scope: Scope, program: LoadedProgram) -> Iterator[Unfit]:
    """Variables that are made numbers of, and are given as something else."""
    image = program.image
    for path, source in program.graph.modules.items():
        if not runs(program, source, False) or any(
            each.gives_environment or each.reads_dotenv for each in program.graph.effects(path)
        ):
            continue
        for each in converted(scope.tree.data(path)):
            value = image.environment.get(each.name)
            if value is None and (image.launch is None or not image.launch.environment_doubt):
                value = each.default
            if value is not None and "$" not in value and not is_number(value, each.kind):
                shown = value if len(value) < MAX_SHOWN else value[:MAX_SHOWN] + "..."
                message = f"{each.name} is {shown!r}, and {each.kind}() of it is taken as the code is loaded"
                yield Unfit(path, each.line, message, f"Give {each.name} as a number.")


def lacking_corpora(scope: Scope, program: LoadedProgram) -> Iterator[Unfit]:
    """Data of NLTK's that nothing brings."""
    image, graph = program.image, program.graph
    if _may_have_data(scope, image) or any(b"download" in scope.tree.data(path) for path in graph.modules):
        return
    for path, source in graph.modules.items():
        if not runs(program, source, False):
            continue
        for line, name in corpora(scope.tree.data(path)):
            message = f"NLTK's {name} is loaded with the code, and nothing downloads it"
            yield Unfit(path, line, message, f"RUN python -m nltk.downloader -d /usr/share/nltk_data {name}")


def _may_have_data(scope: Scope, image: Image) -> bool:
    text = "\n".join([each.text for each in image.parsed.instructions] + list(image.environment))
    held = any("nltk_data" in path for path in image.files.entries)
    if held or re.search(r"(?i)nltk_data|nltk\.download|corpora", text):
        return True
    if image.launch is not None and image.launch.mounts:
        return True
    places = ("/usr/share/nltk_data", "/usr/local/share/nltk_data", "/usr/lib/nltk_data", "/root/nltk_data")
    return any(each.cause not in _SURE for place in places for each in image.files.every_doubt(place)) or any(
        step.keyword == "RUN" and re.search(r"download|\.py\b|\.sh\b", step.text) for step in image.parsed.instructions
    )
