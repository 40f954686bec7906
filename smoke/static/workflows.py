"""Builds that GitHub workflows do, where they are plain: `docker build` lines and docker/build-push-action."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

from smoke.static.compose.builds import ComposeBuild
from smoke.static.compose.document import YamlError, YamlNode, read_yaml
from smoke.static.regex import regex
from smoke.tree import Tree

MAX_FILES = 100
_NOT_LONE = regex(
    r"repository:|^\s*path:|working-directory|download-artifact|git clone|submodules|generate"
    r"|\b(?:cp|mv|tee|ln|make|curl|wget|sed)\s|>\s*\S*(?:[Dd]ocker|[Cc]ontainer)file|\.(?:sh|py)\b",
    re.MULTILINE,
)
"""What may bring a Dockerfile that the tree does not have, or leads elsewhere."""
_LINE = regex(r"^\s*(?:sudo\s+)?(?:docker|podman)\s+(?:buildx\s+|image\s+)?build\s+(.*)$", re.MULTILINE)


def workflow_builds(tree: Tree, dockerfiles: list[str]) -> Iterator[tuple[str, ComposeBuild, str]]:
    """Each build with a name, what it builds and the file that says so."""
    if not dockerfiles:
        return
    paths = [path for path in tree.files(".github/workflows") if path.endswith((".yml", ".yaml"))]
    seen: set[str] = set()
    for path in paths[:MAX_FILES]:
        if "build" not in tree.text(path):
            continue
        try:
            root = read_yaml(tree.text(path), path)
        except YamlError:
            continue
        lone = _NOT_LONE.search(tree.text(path)) is None
        jobs = root.get("jobs")
        for job in (jobs.mapping or {}).values() if jobs is not None else ():
            steps = job.get("steps")
            for step in steps.children() if steps is not None else ():
                for build in _of_step(tree, step):
                    if not lone and not tree.is_file(build.dockerfile):
                        continue
                    if repr(build) not in seen:
                        seen.add(repr(build))
                        yield _name(build), build, path


def _name(build: ComposeBuild) -> str:
    base = posixpath.basename(build.dockerfile)
    suffix = re.sub(r"^(?:[Dd]ocker|[Cc]ontainer)file[.-]?|\.(?:[Dd]ocker|[Cc]ontainer)file$", "", base)
    return build.target or suffix or posixpath.basename(posixpath.dirname(build.dockerfile)) or "image"


def _of_step(tree: Tree, step: YamlNode) -> Iterator[ComposeBuild]:
    uses, run = step.get("uses"), step.get("run")
    if uses is not None and uses.text.startswith("docker/build-push-action@"):
        given = {name: node.text for name, node in ((step.get("with") or YamlNode(0)).mapping or {}).items()}
        lines = [each.strip() for each in given.get("build-args", "").splitlines() if "=" in each]
        # Without a context the action builds the repository itself.
        build = _build(
            tree,
            given.get("context", "."),
            given.get("file", ""),
            given.get("target", ""),
            lines,
            given.get("platforms", ""),
        )
        if build is not None:
            yield build
    elif run is not None:
        where = step.get("working-directory")
        yield from _of_text(tree, run.text, where.text if where is not None else "")


def _of_text(tree: Tree, text: str, where: str) -> Iterator[ComposeBuild]:
    joined = re.sub(r"\\\n\s*", " ", text)
    if re.search(r"^\s*(?:cd|pushd)\s", joined, re.MULTILINE) or "$" in where:
        return
    for match in _LINE.finditer(joined):
        try:
            words = shlex.split(match[1], comments=True)
        except ValueError:
            continue
        build = _of_words(tree, words, where)
        if build is not None:
            yield build


_VALUED = frozenset(
    [
        *["-t", "--tag", "--cache-from", "--cache-to", "--label", "--secret", "--ssh", "--progress", "--output", "-o"],
        *["--network", "--add-host", "--builder", "--iidfile", "--metadata-file", "--build-context", "--memory", "-m"],
        *["--shm-size", "--ulimit", "--provenance", "--sbom", "--attest", "--annotation", "--call", "--isolation"],
    ]
)


def _of_words(tree: Tree, words: list[str], where: str) -> ComposeBuild | None:
    options: dict[str, str] = {}
    arguments: list[str] = []
    operands: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("&&", "||", ";", "|", ">"):
            break
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in ("-f", "--file", "--target", "--platform", "--build-arg") or name in _VALUED:
            value = value if equals else next(rest, "")
            if name == "--build-arg":
                arguments.append(value)
            options[{"-f": "--file"}.get(name, name)] = value
        elif not word.startswith("-"):
            operands.append(word)
    if len(operands) != 1:
        return None
    context = posixpath.join(where, operands[0])
    file = options.get("--file", "")
    return _build(
        tree,
        context,
        posixpath.join(where, file) if file else "",
        options.get("--target", ""),
        arguments,
        options.get("--platform", ""),
    )


def _build(
    tree: Tree, context: str, file: str, target: str, arguments: list[str], platforms: str
) -> ComposeBuild | None:
    """None for what is not plain, or not of this tree; a Dockerfile of the usual name that is not there is told of."""
    if "$" in context + file + target or re.match(r"[a-z]+://|git@|/", context):
        return None
    place = posixpath.normpath(context)
    dockerfile = posixpath.normpath(file) if file else posixpath.join("" if place == "." else place, "Dockerfile")
    if (
        place.startswith("..")
        or (not tree.is_file(dockerfile) and not re.search(r"[Dd]ockerfile$", dockerfile))
        or (place != "." and not tree.is_directory(place))
    ):
        return None
    given = dict(each.split("=", 1) for each in arguments if "=" in each and "$" not in each)
    platform = platforms if platforms and not re.search(r"[,$\s]", platforms) else None
    return ComposeBuild(
        context="" if place == "." else place,
        dockerfile=dockerfile,
        target=target or None,
        arguments=given,
        platform=platform,
    )
