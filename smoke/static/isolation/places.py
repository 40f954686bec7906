"""What kind of file a path names, and so how its text is read."""

from __future__ import annotations

from enum import Enum, auto

from smoke.static.regex import regex


class FileKind(Enum):
    """A family of files that are read alike."""

    PYTHON = auto()
    CODE = auto()
    DEPENDENCIES = auto()
    CONFIGURATION = auto()
    PROSE = auto()


class Comments(Enum):
    """How a language marks its comments."""

    HASH = auto()
    SLASHES = auto()
    DASHES = auto()
    MARKUP = auto()
    SEMICOLON = auto()
    NONE = auto()


_PYTHON = frozenset({".py", ".pyi", ".pyw", ".pyx", ".pxd"})
_PROSE = frozenset({".md", ".markdown", ".mdx", ".txt", ".rst", ".adoc", ".asciidoc", ".org", ".tex"})
_PROSE_NAMES = regex(r"(?i)(?:readme|license|licence|copying|notice|authors|contributors|changelog|changes|news)")
_CODE = {
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".go", ".rs"), Comments.SLASHES),
    **dict.fromkeys((".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".java", ".kt", ".kts", ".scala"), Comments.SLASHES),
    **dict.fromkeys((".swift", ".php", ".sol", ".dart", ".groovy", ".gradle", ".proto", ".css"), Comments.SLASHES),
    **dict.fromkeys((".scss", ".less", ".zig"), Comments.SLASHES),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".fish", ".rb", ".pl", ".pm", ".ps1", ".r", ".ex"), Comments.HASH),
    **dict.fromkeys((".exs", ".graphql", ".gql", ".awk", ".nim", ".jl"), Comments.HASH),
    **dict.fromkeys((".sql", ".lua", ".hs", ".elm"), Comments.DASHES),
    **dict.fromkeys((".html", ".htm", ".vue", ".svelte", ".xml", ".svg", ".xhtml"), Comments.MARKUP),
    **dict.fromkeys((".asm", ".clj", ".lisp", ".el"), Comments.SEMICOLON),
    **dict.fromkeys((".ipynb",), Comments.NONE),
}
_CONFIGURATION = {
    **dict.fromkeys((".json", ".jsonl", ".csv", ".tsv"), Comments.NONE),
    **dict.fromkeys((".json5", ".jsonc", ".hcl"), Comments.SLASHES),
    **dict.fromkeys((".bat", ".cmd"), Comments.NONE),
}
_DEPENDENCIES = regex(
    r"""(?ix)
    (?: .*requirements[^/]* | .*constraints[^/]* ) \.(?:txt|in|lock)
    | [^/]*\.lock | pipfile | pyproject\.toml | package\.json | [^/]*package-lock\.json | npm-shrinkwrap\.json
    | pnpm-lock\.ya?ml | go\.(?:mod|sum) | cargo\.toml | gemfile | composer\.json | environment\.ya?ml | pom\.xml
    """
)
_REQUIREMENTS_DIRECTORY = regex(r"(?i)(?:^|/)requirements/[^/]+\.(?:txt|in)")


def suffix(path: str) -> str:
    """The last extension of a path, lower case, with its dot; empty without one."""
    name = path.rpartition("/")[2]
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def kind_of(path: str, start: str) -> FileKind:
    """How to read a file, by its path and its first line (`#!` says what a file without extension is)."""
    name, ending = path.rpartition("/")[2], suffix(path)
    if _DEPENDENCIES.fullmatch(name) or _REQUIREMENTS_DIRECTORY.search(path):
        return FileKind.DEPENDENCIES
    if ending in _PYTHON:
        return FileKind.PYTHON
    if ending in _CODE:
        return FileKind.CODE
    if ending in _PROSE or (not ending and _PROSE_NAMES.fullmatch(name)):
        return FileKind.PROSE
    if start.startswith("#!") and not ending:
        return FileKind.PYTHON if "python" in start.splitlines()[0] else FileKind.CODE
    return FileKind.CONFIGURATION


def comments_of(path: str) -> Comments:
    """How a file marks its comments."""
    ending, name = suffix(path), path.rpartition("/")[2].lower()
    if name in ("go.mod", "go.sum"):
        return Comments.SLASHES
    if name == "pom.xml":
        return Comments.MARKUP
    return _CODE.get(ending) or _CONFIGURATION.get(ending) or Comments.HASH
