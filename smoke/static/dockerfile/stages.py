"""The stages of a Dockerfile: what each is built on, which is built, and which ones that needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from smoke.static.dockerfile.expansion import Expanded, expand
from smoke.static.dockerfile.instructions import KEYWORDS, Dockerfile, Instruction
from smoke.static.dockerfile.variables import Variables


class BuildStage(Struct, frozen=True):
    """One FROM and what follows it."""

    index: int
    name: str
    """In small letters; empty when it has none."""
    reference: str
    """Image or stage that it is built on, expanded."""
    parent: int | None
    """Index of the stage that it is built on; none when that is an image."""
    platform: Expanded
    """What `--platform` says, expanded; empty when it is not given."""
    opening: Instruction
    instructions: tuple[Instruction, ...]
    unset: tuple[str, ...] = ()
    """Variables of the reference that nothing had set."""


class Stages(Struct, frozen=True):
    """All stages of a Dockerfile, in order."""

    stages: tuple[BuildStage, ...] = ()
    variables: Variables = field(default_factory=Variables)
    """What the ARGs before the first FROM say."""

    def named(self, reference: str, before: int) -> BuildStage | None:
        """The stage in front of `before` that a name or number means; the last one, when several have the name."""
        for stage in reversed(self.stages[:before]):
            if stage.name and stage.name == reference.lower():
                return stage
        if reference.isascii() and reference.isdigit() and len(reference) < 6 and int(reference) < before:
            return self.stages[int(reference)]
        return None

    def later(self, reference: str, index: int) -> BuildStage | None:
        """The stage at or behind `index` that has this name or number."""
        for stage in self.stages[index:]:
            if reference.lower() == stage.name or reference == str(stage.index):
                return stage
        return None

    def target(self, name: str | None) -> BuildStage | None:
        """The stage that is built: the last, or the one asked for; none when there is no such stage."""
        if not self.stages:
            return None
        return self.stages[-1] if name is None else self.named(name, len(self.stages))

    def needed(self, target: BuildStage) -> list[BuildStage]:
        """The target and the stages that it depends on, in the file's order."""
        wanted: set[int] = set()
        pending = [target.index]
        while pending:
            index = pending.pop()
            if index in wanted:
                continue
            wanted.add(index)
            stage = self.stages[index]
            if stage.parent is not None:
                pending.append(stage.parent)
            for _, reference in sources(stage):
                source = self.named(reference, index)
                if source is not None:
                    pending.append(source.index)
        return [self.stages[index] for index in sorted(wanted)]


def sources(stage: BuildStage) -> Iterator[tuple[Instruction, str]]:
    """The COPY --from and RUN --mount=from= of a stage, each with the reference as written."""
    for instruction in stage.instructions:
        if instruction.keyword == "COPY":
            reference = instruction.flag("from")
            if reference:
                yield instruction, reference
        elif instruction.keyword == "RUN":
            for options in mounts(instruction):
                if options.get("from"):
                    yield instruction, options["from"]


def mounts(instruction: Instruction) -> list[dict[str, str]]:
    """The options of each `--mount` of a RUN, under their long names."""
    found = []
    for name, value in instruction.flags:
        if name != "mount":
            continue
        options = dict(option.partition("=")[::2] for option in value.split(","))
        for short, long in (("src", "source"), ("dst", "target"), ("destination", "target")):
            if short in options:
                options.setdefault(long, options[short])
        options.setdefault("type", "bind")
        found.append(options)
    return found


def stages_of(dockerfile: Dockerfile, given: Mapping[str, str]) -> Stages:
    """The stages of a parsed Dockerfile; `given` are build arguments, the platform's among them."""
    variables = Variables(given, escape=dockerfile.escape)
    stages: list[BuildStage] = []
    opening: Instruction | None = None
    body: list[Instruction] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            if opening is not None:
                stages.append(_stage(opening, body, stages, variables))
            opening, body = instruction, []
        elif opening is None:
            if instruction.keyword == "ARG":
                variables.declare_global(instruction)
        else:
            body.append(instruction)
    if opening is not None:
        stages.append(_stage(opening, body, stages, variables))
    return Stages(tuple(stages), variables)


def _triggers(parent: BuildStage | None) -> list[Instruction]:
    """What the ONBUILDs of the stage that one is built on do first in it."""
    triggers = [each.trigger for each in parent.instructions if each.keyword == "ONBUILD"] if parent else []
    return [each for each in triggers if each is not None and each.keyword in KEYWORDS]


def _stage(opening: Instruction, body: list[Instruction], before: list[BuildStage], variables: Variables) -> BuildStage:
    values = {**variables.given, **variables.declared}
    words = opening.words or ("",)
    name = words[2].lower() if len(words) == 3 else ""
    reference = expand(words[0], values, variables.escape)
    platform = expand(opening.flag("platform") or "", values, variables.escape)
    parent = Stages(tuple(before)).named(reference.text, len(before)) if not reference.text.isdigit() else None
    return BuildStage(
        index=len(before),
        name=name,
        reference=reference.text,
        parent=parent.index if parent else None,
        platform=platform,
        opening=opening,
        instructions=(*_triggers(parent), *body),
        unset=reference.unset,
    )
