"""`dependencies.arm64`: every requirement can be had for arm64."""

from __future__ import annotations

from collections.abc import Iterator

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, excerpt
from smoke.static.python.distributions import compiled, on_arm64
from smoke.static.python.program import LoadedProgram

ARM64 = Check(
    "dependencies.arm64",
    Severity.CRITICAL,
    "every requirement can be had for arm64",
    "The build has to compile it, without a compiler, or installs what does not load.",
    "Choose a version with an aarch64 or pure wheel, or another distribution.",
)


def judge_arm64(program: LoadedProgram) -> Iterator[Finding]:
    image, installed = program.image, program.installed
    name = image.service.name
    platform = image.platform or image.service.platform or ""
    if platform and "arm64" not in platform:
        yield ARM64.skip(f"it is built for {platform}", name)
        return
    names = {requirement.name: requirement for requirement in installed.requirements if not requirement.own}
    lacking = [each for each in sorted(names) if on_arm64(each) is False]
    for each in lacking:
        requirement = names[each]
        at = [Evidence(requirement.path, requirement.line, excerpt(requirement.text))]
        yield ARM64.fail(f"{each} has no wheel for aarch64", name, at)
    foreign = list(_for_another_machine(program)) if not platform else []
    for line, message in foreign:
        yield ARM64.fail(message, name, [Evidence(image.dockerfile, line)], remedy="Ask for both platforms, or none.")
    unknown = [each for each in sorted(names) if on_arm64(each) is None]
    if unknown:
        shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        yield ARM64.skip(f"whether these have wheels for aarch64 needs an index: {shown}", name)
    elif installed.doubts:
        yield ARM64.skip(installed.doubts[0], name)
    elif not lacking and not foreign:
        yield ARM64.passed(f"{len(names)} requirements are pure or have aarch64 wheels", name)


def _for_another_machine(program: LoadedProgram) -> Iterator[tuple[int, str]]:
    """Installations that are told to be for another machine, whatever it is built on, and hold machine code."""
    for each in program.installed.each:
        made = each.install.made
        if made.told and made.machine not in ("", "aarch64") and each.install.directory:
            heavy = next((one for one in sorted(each.all()[0]) if compiled(one)), "")
            if heavy:
                yield each.install.line, f"{heavy} is installed for {made.machine} alone, which the command asks for"
