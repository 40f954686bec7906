"""From a tree's Dockerfiles to the images that they would make, without making them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from msgspec.structs import replace

from smoke.manifest import Base, Manifest, Service
from smoke.static.dockerfile.ignore import ignore_of
from smoke.static.dockerfile.parser import parse
from smoke.static.dockerfile.stages import BuildStage, stages_of
from smoke.static.dockerfile.variables import platform_arguments
from smoke.static.generated import made_beforehand
from smoke.static.model.announcements import expose, label, stop_signal
from smoke.static.model.bases.catalog import find_base
from smoke.static.model.building import Building, Made
from smoke.static.model.commands_of_image import cmd, entrypoint, healthcheck, shell
from smoke.static.model.context import Context
from smoke.static.model.copying import copy
from smoke.static.model.effective_command import Form, Start, WrittenCommand
from smoke.static.model.filesystem import FileSystem
from smoke.static.model.image import Image
from smoke.static.model.install import Install
from smoke.static.model.launch import Launch
from smoke.static.model.managers.npm import LOCKS
from smoke.static.model.mounts import launched
from smoke.static.model.process_settings import arg, env, user, workdir
from smoke.static.model.running import run
from smoke.static.model.stage import Stage
from smoke.static.model.start import start_of
from smoke.static.plans import Plans, plans_of
from smoke.static.python.installed import Installed
from smoke.tree import Tree

MAX_REFUSED = 20
MAX_INSTRUCTIONS = 100_000
USUAL_PLATFORM = "linux/amd64"
"""What is built where nothing says; a guess."""


def images(tree: Tree, manifest: Manifest) -> tuple[Image, ...]:
    """The image of each of the manifest's services; without any, of all that the tree says is built."""
    return images_of(tree, manifest, plans_of(tree, manifest))


def images_of(tree: Tree, manifest: Manifest, plans: Plans) -> tuple[Image, ...]:
    """The image of each plan, up to `MAX_INSTRUCTIONS` of them all; fewer than plans when that is not enough."""
    made: list[Image] = []
    count = 0
    for plan in plans.plans:
        if count > MAX_INSTRUCTIONS:
            break
        made.append(image_of(tree, plan.service, manifest.bases, plan.launch))
        count += len(made[-1].parsed.instructions)
    return tuple(made)


def image_of(tree: Tree, service: Service, bases: Iterable[Base], launch: Launch | None = None) -> Image:
    """What a service's Dockerfile would make, and how it is started."""
    start = Start(doubt="the Dockerfile cannot be followed")
    nothing = Image(
        service=service,
        dockerfile=service.dockerfile,
        context=None,
        base=None,
        base_reference="",
        files=FileSystem(),
        start=start,
    )
    if not tree.is_file(service.dockerfile):
        return _broken(nothing, f"there is no {service.dockerfile}")
    if tree.cut(service.dockerfile):
        return _broken(nothing, f"{service.dockerfile} is too large to be a Dockerfile")
    parsed = parse(tree.text(service.dockerfile))
    given = {**platform_arguments(service.platform or USUAL_PLATFORM), **service.build_arguments}
    stages = stages_of(parsed, given)
    final = stages.target(service.target)
    if parsed.errors or final is None:
        reason = parsed.errors[0].message if parsed.errors else f"there is no stage {service.target or ''}".rstrip()
        line = f":{parsed.errors[0].line}" if parsed.errors else ""
        return _broken(replace(nothing, parsed=parsed, stages=stages), f"{service.dockerfile}{line}: {reason}")
    tried = []
    for directory in _contexts(tree, service):
        context = Context(tree, directory, ignore_of(tree, directory, service.dockerfile))
        building = Building(
            context=context, parsed=parsed, stages=stages, bases=tuple(bases), dockerfile=service.dockerfile
        )
        image = _Builder(building, service, final, launch).image()
        tried.append((directory, image))
        if not image.missing:
            break
    # The context that lacks the least; the earlier one where that is equal.
    directory, best = min(tried, key=lambda each: len(each[1].missing))
    contexts = tuple((name, image.missing) for name, image in tried)
    return replace(best, context=None if best.missing else directory, contexts=contexts)


def _contexts(tree: Tree, service: Service) -> list[str]:
    if service.context is not None:
        return ["" if service.context == "." else service.context.strip("/")]
    found = [posixpath.dirname(service.dockerfile)]
    while found[-1]:
        found.append(posixpath.dirname(found[-1]))
    # The directory itself and the root are likelier than what lies between.
    return list(dict.fromkeys([found[0], "", *found[1:]]))


def _broken(image: Image, reason: str) -> Image:
    return replace(image, broken=reason)


class _Builder:
    """Follows the stages that the final one needs."""

    def __init__(self, building: Building, service: Service, final: BuildStage, launch: Launch | None) -> None:
        self.building, self.service, self.final, self.launch = building, service, final, launch
        tree = building.context.tree
        pinned = (path for path in tree.sizes if path.endswith(".python-version"))
        versions = ((path, re.search(r"3\.\d+", tree.text(path)[:200])) for path in pinned)
        self.pins = {path: version[0] for path, version in versions if version is not None}
        folders = {posixpath.dirname(path) for path in tree.sizes if posixpath.basename(path) == "package.json"}
        left_out = any(made_beforehand(tree, posixpath.join(each, LOCKS[0])) for each in folders)
        self.npm_locked = any(path.endswith(LOCKS) for path in tree.sizes) or not left_out

    def image(self) -> Image:
        """The final stage's image."""
        for stage in self.building.stages.needed(self.final):
            self.building.done[stage.index] = self._stage(stage)
        made = self.building.done[self.final.index]
        state = made.state
        base = _with_python(made.base, state)
        launch = self.launch
        if launch is not None:
            state = launched(state, launch, self.building.context.tree)
        written = _written(made, launch)
        version = (int(state.python.split(".")[0]), int(state.python.split(".")[1])) if state.python else None
        installed = Installed(self.building.context.tree, tuple(state.installs), version, self.service.dockerfile)
        alone = bool(written.entrypoint) and not written.command and launch is None
        start = replace(start_of(base, written, state, installed), alone=alone, file=written.file)
        said = _nothing_said(launch, written.line, made, state)
        if said and start.trouble:
            start = replace(start, trouble="", doubt=said)
        if (unset := _left_open(launch)) and any(each in start.trouble for each in unset):
            start = replace(start, trouble="", doubt=f"Compose puts in {unset[0]}, which nothing here gives")
        installs = tuple(_seen(each, start.search, bool(start.doubt)) for each in state.installs)
        return self._finished(made, state, base, start, installs)

    def _finished(
        self, made: Made, state: Stage, base: Base | None, start: Start, installs: tuple[Install, ...]
    ) -> Image:
        """All that is known of the image in one record."""
        return Image(
            service=self.service,
            dockerfile=self.service.dockerfile,
            context=self.building.context.directory,
            base=base,
            base_reference=made.reference,
            files=state.files,
            start=start,
            user=state.user,
            workdir=state.workdir,
            environment=state.environment,
            user_line=made.user_line,
            launch=self.launch,
            homes=state.homes,
            labels=made.labels,
            ports=tuple(dict.fromkeys(made.ports)),
            ports_line=made.ports_line,
            ports_doubt=made.ports_doubt,
            platform=self.final.platform.text,
            built_for=self.service.platform or self.final.platform.text or platform_of_tag(made.reference),
            health=made.health,
            missing=tuple(self.building.missing),
            refused=tuple(self.building.refused[:MAX_REFUSED]),
            failures=tuple(each for done in self.building.done.values() for each in done.state.failures),
            lacking=state.lacking,
            users=frozenset(state.numbers) if state.users_known else None,
            groups=state.groups | {*state.numbers} if state.users_known else None,
            installs=installs,
            venvs=state.venvs,
            uid=state.number(state.user) if state.user else None,
            python=state.python,
            libc=state.libc,
            packages=state.packages,
            parsed=self.building.parsed,
            stages=self.building.stages,
            final=self.final,
        )

    def _machine(self, stage: BuildStage) -> str:
        """The machine that a stage's programs are for, as wheels name it; empty when it is the image's own."""
        across = "BUILD" in (stage.opening.flag("platform") or "")
        if across and not self.service.platform and not self.final.platform.text:
            return ""  # built where it runs, as far as anyone says
        platform = stage.platform.text or ("" if across else self.service.platform)
        return {"linux/amd64": "x86_64", "linux/arm64": "aarch64", "linux/arm64/v8": "aarch64"}.get(platform or "", "")

    def _stage(self, stage: BuildStage) -> Made:
        if stage.parent is not None:
            made = self.building.done[stage.parent].child()
        else:
            made = Made(
                find_base(stage.reference, self.building.bases), stage.reference, self.building.stages.variables.stage()
            )
            made.state.machine = self._machine(stage)
            made.state.pins, made.state.npm_locked = self.pins, self.npm_locked
        made.state.read = self.building.context.tree.data
        for instruction in stage.instructions:
            handler = _HANDLERS.get(instruction.keyword)
            if handler is not None:
                handler(self.building, made, instruction, stage)
        return made


_HANDLERS = {
    "ARG": arg,
    "ENV": env,
    "WORKDIR": workdir,
    "USER": user,
    "LABEL": label,
    "EXPOSE": expose,
    "HEALTHCHECK": healthcheck,
    "ENTRYPOINT": entrypoint,
    "CMD": cmd,
    "SHELL": shell,
    "STOPSIGNAL": stop_signal,
    "COPY": copy,
    "ADD": copy,
    "RUN": run,
}


def _written(made: Made, launch: Launch | None) -> WrittenCommand:
    """What Compose sets goes before what the Dockerfile does."""
    written = WrittenCommand(made.entrypoint, made.command, made.command_form, made.start_line)
    if launch is None or (launch.entrypoint is None and launch.command is None):
        return written
    if launch.entrypoint is not None:
        written = replace(written, entrypoint=launch.entrypoint, command=(), form=Form.EXEC)
    if launch.command is not None:
        form = written.form if written.form is Form.SHELL_ENTRYPOINT else Form.EXEC
        written = replace(written, command=launch.command, form=form)
    return replace(written, line=launch.start_line, file=launch.file)


def _left_open(launch: Launch | None) -> list[str]:
    """Variables in the words of a Compose file that Compose replaces, by what whoever runs it gives."""
    words = (*(launch.command or ()), *(launch.entrypoint or ())) if launch is not None else ()
    return [each for word in words for each in re.findall(r"\$\{\w+\}", word)]


def _nothing_said(launch: Launch | None, line: int, made: Made, state: Stage) -> str:
    """Why a start that fails may not be the one that is meant; empty where it is."""
    if launch is not None and not line and not state.files.doubts.get("/"):
        return "neither the Dockerfile nor Compose says what to start: the base's own command runs"
    if launch is None and not line and not made.ports and made.health is None:
        return "the Dockerfile has no command of its own: whoever runs the image says what to start"
    return ""


def _with_python(base: Base | None, state: Stage) -> Base | None:
    """A base with the Python that the stage ended up with."""
    return None if base is None else replace(base, python=state.python or None, sites=state.sites)


def platform_of_tag(reference: str) -> str:
    """The platform that a base's tag names; empty when it names none."""
    tag = reference.partition("@")[0].rpartition(":")[2] if ":" in reference else ""
    named = re.search(r"(?:^|[-_.])(arm64(?:v8)?|aarch64|amd64|x86_64|armv7|arm32v7)(?:$|[-_.])", tag)
    return f"linux/{named[1]}" if named is not None else ""


def _seen(install: Install, search: tuple[str, ...], doubtful: bool) -> Install:
    visible = None if doubtful or not install.directory else install.directory in search
    return replace(install, visible=False if install.house else visible)
