"""NLTK's data that the code takes as it is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smoke.static.checks.dependencies.absence import Absence
from smoke.static.checks.loaded import runs
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.image import Image
from smoke.static.python.corpora import corpora
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope

_SURE = (DoubtCause.BASE, DoubtCause.PACKAGES, DoubtCause.DISTRIBUTIONS)


def lacking_corpora(scope: Scope, program: LoadedProgram) -> Iterator[Absence]:
    """Data of NLTK's that nothing brings."""
    image, graph = program.image, program.graph
    if _may_have_data(scope, image) or any(b"download" in scope.tree.data(path) for path in graph.modules):
        return
    for path, source in graph.modules.items():
        if not runs(program, source, False):
            continue
        for line, name in corpora(scope.tree.data(path)):
            message = f"NLTK's {name} is loaded with the code, and nothing downloads it"
            yield Absence(path, line, message, f"RUN python -m nltk.downloader -d /usr/share/nltk_data {name}")


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
