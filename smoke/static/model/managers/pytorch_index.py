"""Installers that may look into PyTorch's own index alone, which has little but PyTorch and what it needs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from smoke.static.model.managers.listed import MAX_FILE, MAX_LINES, requirement_lines
from smoke.static.model.stage import Stage
from smoke.static.regex import regex

_INDEX = regex(r"https?://download(?:-r2)?\.pytorch\.org/whl(?:/\S*)?")
_MORE = frozenset(["--extra-index-url", "-f", "--find-links", "--index", "--no-index"])
_VARIABLES = (
    *("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS"),
    "UV_CONFIG_FILE",
)
_HELD = frozenset(
    [
        *["aiohttp", "aiosignal", "aiohappyeyeballs", "antlr4-python3-runtime", "async-timeout", "attrs", "blobfile"],
        *["datasets", "dill", "frozenlist", "huggingface-hub", "llnl-hatchet", "lxml", "multidict", "multiprocess"],
        *["omegaconf", "pandas", "psutil", "pyarrow", "pyarrow-hotfix", "pycryptodomex", "python-dateutil", "pytz"],
        *["pyyaml", "regex", "safetensors", "sentencepiece", "six", "tiktoken", "tzdata", "xxhash", "yarl"],
        *["arpeggio", "caliper-reader", "contourpy", "cycler", "fonttools", "kiwisolver", "matplotlib", "pydot"],
        *["pyparsing", "textx", "importlib-metadata", "importlib-resources", "zipp", "tcmlib", "umf", "pillow"],
        *[
            "certifi",
            "charset-normalizer",
            "cmake",
            "colorama",
            "filelock",
            "fsspec",
            "idna",
            "iopath",
            "jinja2",
            "lit",
        ],
        *["lightning-utilities", "markupsafe", "mpmath", "mkl", "mypy-extensions", "nestedtensor", "networkx", "numpy"],
        *["packaging", "portalocker", "pyre-extensions", "requests", "sympy", "tbb", "tqdm", "typing-extensions"],
        *["typing-inspect", "urllib3", "xformers", "executorch", "setuptools", "wheel", "pip"],
    ]
)
"""What it has besides PyTorch's own, by the list of what is put there: `s3_management/manage.py` of github.com/pytorch/
test-infra, November 2026."""
_GROWING = regex(
    r"(?:py)?torch.*|nvidia-.*|intel-.*|dpcpp-.*|.*triton.*|fbgemm.*|vllm.*|flashinfer.*|helion.*|tensor.*|onemkl.*|.*-nightly"
    r"|scipy|tabulate|pydantic.*|click|rich|ninja|propcache|annotated-.*|pybind11|psutil|jsonschema|ml-dtypes|protobuf"
)
"""What it may have by now."""


def not_held(stage: Stage, rest: list[str]) -> str:
    """A requirement that PyTorch's index does not have, where it is the only one that is asked; empty if there is none.

    `rest`: the words behind `pip install`, or `uv pip install`."""
    if any(each in stage.environment for each in _VARIABLES):
        return ""
    told = [*_indexes(rest), *(stage.environment.get(each, "") for each in ("PIP_INDEX_URL", "UV_INDEX_URL"))]
    told.append(stage.environment.get("UV_DEFAULT_INDEX", ""))
    files = [file for option, file in itertools.pairwise(rest) if option in ("-r", "--requirement", "--requirements")]
    lines = [line for file in files for line in _options(stage, file)]
    told += [index for line in lines for index in _indexes(line.replace("=", " ", 1).split())]
    more = [*rest, *(line.partition(" ")[0] for line in lines)]
    if any(word.partition("=")[0] in _MORE for word in more) or not any(_INDEX.fullmatch(each) for each in told):
        return ""
    if any(each and not _INDEX.fullmatch(each) for each in told):
        return ""
    asked = [line for file in files for line, absent in requirement_lines(stage, file, 0) if not absent]
    for name in map(_name, (*_words(rest), *asked)):
        if name and name not in _HELD and not _GROWING.fullmatch(name):
            return f"PyTorch's index is the only one that is asked, and it does not have {name}"
    return ""


def _indexes(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in ("-i", "--index-url", "--default-index"):
            yield value if equals else next(iter(words[place + 1 : place + 2]), "")


def _options(stage: Stage, file: str) -> list[str]:
    """The lines of a requirement file that are options."""
    entry = stage.files.find(stage.path(file)) if "$" not in file else None
    if entry is None or not entry.source or stage.read is None:
        return []
    text = stage.read(entry.source)[:MAX_FILE].decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines()[:MAX_LINES] if line.lstrip().startswith("-")]


def _words(rest: list[str]) -> Iterator[str]:
    """Requirements that are given as such; not the values of options."""
    before = ""
    for word in rest:
        flag = not before.startswith("-") or "=" in before or before.startswith("--no-")
        plain = before in ("-U", "--upgrade", "-q", "--quiet", "--system", "--pre", "--user", "--force-reinstall")
        if not word.startswith("-") and (flag or plain):
            yield word
        before = word


def _name(requirement: str) -> str:
    """The plain name of a requirement; empty for directories, wheels, URLs and what a marker may leave out."""
    match = re.fullmatch(r"([A-Za-z][\w.-]*)(?:\[[^\]]*\])?\s*(?:[=<>!~][^;]*)?", requirement.strip())
    plain = match is not None and "/" not in requirement and not requirement.endswith((".whl", ".gz", ".zip"))
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match is not None and plain else ""
