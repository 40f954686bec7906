"""What a Dockerfile consists of: its instructions with their flags, forms, here-documents and lines."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct, field

from smoke.static.regex import regex

FLAGS: dict[str, frozenset[str]] = {
    "FROM": frozenset({"platform"}),
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
}
"""Flags that each instruction knows; an instruction that is not listed takes none."""
REPEATED_FLAGS = frozenset({"mount", "exclude", "device"})
BOOLEAN_FLAGS = frozenset({"link", "parents", "keep-git-dir", "unpack"})

KEYWORDS = FLAGS.keys() | {
    *["ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "MAINTAINER", "ONBUILD"],
    *["SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
}

HEREDOC = regex(r"\d*<<(-?)\s*([^<]*)")
"""A word that announces a here-document; without a name it is a word like others."""


class Heredoc(Struct, frozen=True):
    """One here-document of a RUN, COPY or ADD."""

    name: str
    content: str
    line: int
    """Line of its first line of content."""
    expand: bool
    """Whether variables in it are expanded: its name is not quoted."""


class Instruction(Struct, frozen=True):
    """One instruction, its continued lines joined."""

    keyword: str
    """In capitals."""
    text: str
    """What stands behind keyword and flags, with comments and line continuations taken out."""
    line: int
    last: int
    """Line on which it ends, here-documents included."""
    flags: tuple[tuple[str, str], ...] = ()
    """Names without dashes, and values; a flag without a value has the empty one."""
    words: tuple[str, ...] = ()
    """The JSON array's words in exec form; else the text cut at white space (ENV, LABEL and ARG: where unquoted)."""
    exec_form: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    written: str = ""
    """The keyword as it is written."""
    comments: tuple[str, ...] = ()
    """Comments right above it, without their mark."""
    hollow: bool = False
    """Whether a line that it is continued on is empty."""
    trigger: Instruction | None = None
    """What an ONBUILD puts off, or the CMD within a HEALTHCHECK."""

    def flag(self, name: str) -> str | None:
        """A flag's last value; none when it is not given."""
        return next((value for key, value in reversed(self.flags) if key == name), None)

    def excerpt(self) -> str:
        """The instruction in one line, as evidence shows it."""
        flags = "".join(f" --{name}={value}" if value else f" --{name}" for name, value in self.flags)
        return f"{self.keyword}{flags} {self.text}"[:1000]


class ParseError(Struct, frozen=True):
    """Why a build would stop before it began."""

    line: int
    message: str


class Dockerfile(Struct, frozen=True, dict=True):
    """A parsed Dockerfile. With `errors` no build would begin; `instructions` are then those that were understood."""

    instructions: tuple[Instruction, ...] = ()
    errors: tuple[ParseError, ...] = ()
    escape: str = "\\"
    directives: dict[str, str] = field(default_factory=dict)

    @cached_property
    def asked_for(self) -> set[str]:
        """Names of build arguments that have no default anywhere: whoever builds gives them."""
        words = [word for each in self.instructions if each.keyword == "ARG" for word in each.words]
        given = {word.partition("=")[0] for word in words if "=" in word}
        return {word for word in words if "=" not in word} - given
