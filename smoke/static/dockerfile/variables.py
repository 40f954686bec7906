"""What `$NAME` stands for in an instruction: Docker's expansion, and the scopes of ARG and ENV."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

from msgspec import Struct, field

from smoke.static.dockerfile.expansion import Expanded, expand
from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.parser import unquoted

MAX_SPENT = 16 << 20
"""Letters that the variables of one file may come to."""

PREDEFINED = frozenset(
    name for kind in ("HTTP", "HTTPS", "FTP", "NO", "ALL") for name in (f"{kind}_PROXY", f"{kind.lower()}_proxy")
)
"""Build arguments that need no ARG."""


def platform_arguments(platform: str, builder: str = "linux/amd64") -> dict[str, str]:
    """TARGETPLATFORM and its kin for the platform that is built, as BuildKit gives them; BUILDPLATFORM is a guess."""
    found: dict[str, str] = {}
    for prefix, name in (("TARGET", platform), ("BUILD", builder)):
        system, architecture, variant = (*name.split("/"), "", "", "")[:3]
        found |= {f"{prefix}PLATFORM": name, f"{prefix}OS": system, f"{prefix}ARCH": architecture}
        found[f"{prefix}VARIANT"] = variant
    return found


class Variables(Struct):
    """The variables in force at one point of a Dockerfile."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Build arguments on the command line, and the platform ones."""
    declared: dict[str, str] = field(default_factory=dict)
    """ARGs before the first FROM: seen by FROM, and by a stage that declares them again."""
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    escape: str = "\\"
    spent: list[int] = field(default_factory=lambda: [0])
    """Letters that expansions of the whole file made so far."""

    def stage(self) -> Variables:
        """A fresh stage: it sees nothing of the ARGs before FROM until it declares them."""
        return Variables(
            given=self.given, declared=self.declared, arguments={}, environment={}, escape=self.escape, spent=self.spent
        )

    def child(self) -> Variables:
        """A stage that builds on this one: it inherits both kinds."""
        return Variables(
            given=self.given,
            declared=self.declared,
            arguments=dict(self.arguments),
            environment=dict(self.environment),
            escape=self.escape,
            spent=self.spent,
        )

    def values(self) -> Mapping[str, str]:
        """What a name stands for; ENV goes before ARG."""
        proxies = {name: self.given[name] for name in PREDEFINED if name in self.given}
        return ChainMap(self.environment, self.arguments, proxies)

    def expand(self, text: str) -> Expanded:
        """A text with these variables. Once a file has made too much of them, nothing comes out any more."""
        if self.spent[0] > MAX_SPENT:
            return Expanded("")
        found = expand(text, self.values(), self.escape)
        self.spent[0] += len(found.text)
        return found

    def declare(self, instruction: Instruction) -> None:
        """An ARG within a stage."""
        for word in instruction.words:
            name, equals, default = word.partition("=")
            name = unquoted(name, self.escape)
            if name in self.given:
                self.arguments[name] = self.given[name]
            elif equals:
                self.arguments[name] = self.expand(default).text
            elif name in self.declared:
                self.arguments[name] = self.declared[name]

    def declare_global(self, instruction: Instruction) -> None:
        """An ARG before the first FROM."""
        for word in instruction.words:
            name, equals, default = word.partition("=")
            name = unquoted(name, self.escape)
            if name in self.given:
                self.declared[name] = self.given[name]
            elif equals:
                values = ChainMap(self.declared, dict(self.given))
                self.declared[name] = expand(default, values, self.escape).text

    def pairs(self, instruction: Instruction) -> tuple[dict[str, str], tuple[str, ...]]:
        """The names and values of an ENV or LABEL, all expanded with what was in force before it."""
        if not instruction.words:
            return {}, ()
        if "=" not in instruction.words[0]:
            written = [(instruction.words[0], instruction.text[len(instruction.words[0]) :].strip())]
        else:
            written = [(name, value) for name, _, value in (word.partition("=") for word in instruction.words)]
        found: dict[str, str] = {}
        unset: list[str] = []
        for name, value in written:
            outcome = self.expand(value)
            found[self.expand(name).text] = outcome.text
            unset.extend(outcome.unset)
        return found, tuple(dict.fromkeys(unset))
