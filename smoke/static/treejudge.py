"""The judge of a tree: runs every static check over it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from types import ModuleType

from msgspec.structs import replace

from smoke.check import Check
from smoke.finding import Evidence, Finding, Severity, Verdict, excerpt
from smoke.judgment import Judgment
from smoke.static.checks import (
    compose,
    dependencies,
    dockerfile,
    entrypoint,
    isolation,
    layout,
    lint,
    nginx,
    path,
    startup,
)
from smoke.static.excuses import UNUSED, excused
from smoke.static.isolation.literal import literal_counts
from smoke.static.model.build import images_of
from smoke.static.plans import LeftOut, Plans, plans_of
from smoke.static.scope import Scope
from smoke.subject import Subject
from smoke.tree import Tree

FAMILIES: tuple[ModuleType, ...] = (
    *(layout, dockerfile, path, lint, entrypoint, startup, dependencies, isolation, compose, nginx),
)
"""The check modules, in the order of their findings."""
CHECKS: tuple[Check, ...] = (*(check for family in FAMILIES for check in family.CHECKS), UNUSED)
"""All static checks."""

Say = Callable[[str], None]


def judge(subject: Subject, *, strict: bool = False, literal: bool = False, say: Say = lambda text: None) -> Judgment:
    """Run all static checks; `say` is told which family is under way. Never raises on what the tree holds."""
    say("reading the tree")
    tree = Tree(subject.root)
    plans = plans_of(tree, subject.manifest)
    scope = Scope(tree, subject.manifest, plans, images_of(tree, subject.manifest, plans))
    findings: list[Finding] = []
    for family in FAMILIES:
        say(family.__name__.rpartition(".")[2])
        findings += _guarded(family, scope)
    if not scope.images and not any(project.services for project in plans.projects):
        findings.append(_nothing(plans))
    findings += map(_left_out, plans.left_out)
    if len(scope.images) < len(plans.plans):
        findings.append(_incomplete("its Dockerfiles have more instructions than are followed"))
    if tree.truncated:
        findings.append(_incomplete("it is too large or too deep to be listed whole"))
    findings = excused(findings, subject)
    return Judgment(
        title=subject.manifest.title or subject.root.resolve().name,
        services=tuple(image.service.name for image in scope.images),
        findings=tuple(findings),
        strict=strict,
        literal=literal_counts(tree) if literal else (),
    )


def _guarded(family: ModuleType, scope: Scope) -> Iterator[Finding]:
    """A family's findings in order; what it raises is a finding of its own, and the other families still run."""
    found: list[Finding] = []
    try:
        found += family.run(scope)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        name = family.__name__.rpartition(".")[2]
        yield Finding(
            check=f"{name}.error",
            severity=Severity.CRITICAL,
            verdict=Verdict.ERROR,
            message=f"the check failed itself: {type(error).__name__} in {where.name}",
            evidence=(Evidence("", 0, excerpt(str(error))),),
            why="What this family checks is not known for this tree.",
            remedy="Report it as a defect of the harness, with the file that it happened on.",
        )
    order = {check.id: number for number, check in enumerate(family.CHECKS)}
    services = {image.service.name: number for number, image in enumerate(scope.images)}
    found.sort(
        key=lambda each: (order.get(each.check, -1), services.get(each.subject, -1), each.evidence, each.message)
    )
    yield from (_placed(each, scope.tree) for each in dict.fromkeys(found))


def _placed(finding: Finding, tree: Tree) -> Finding:
    """The finding where people can open it: what stands within another file is a line of that."""
    if not any(each.path in tree.within for each in finding.evidence):
        return finding
    evidence = []
    for each in finding.evidence:
        path, first = tree.within.get(each.path, (each.path, 0))
        evidence.append(replace(each, path=path, line=first + max(0, each.line - 1) if first else each.line))
    return replace(finding, evidence=tuple(evidence))


def _nothing(plans: Plans) -> Finding:
    """A tree in which nothing is to be judged is not a tree that passes."""
    reasons = "; ".join(f"{each.path}: {each.reason}" for each in plans.left_out[:3])
    judged = f" that is judged ({reasons})" if reasons else ""
    return Finding(
        check="tree.containers",
        severity=Severity.CRITICAL,
        verdict=Verdict.ERROR,
        message=f"no Dockerfile, Containerfile or Compose service is in it{judged}",
        why="Nothing was checked.",
        remedy="Give --root the directory that has them, or name them in a smoke.toml.",
    )


def _left_out(left_out: LeftOut) -> Finding:
    return Finding(
        check="tree.left-out",
        severity=Severity.INFO,
        verdict=Verdict.SKIP,
        message=f"{left_out.path} is not judged: {left_out.reason}",
        evidence=(Evidence(left_out.path),),
    )


def _incomplete(why: str) -> Finding:
    return Finding(
        check="tree.limits",
        severity=Severity.CRITICAL,
        verdict=Verdict.SKIP,
        message=f"{why}; what is absent here may be in the rest",
    )
