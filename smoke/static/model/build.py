"""From a tree's Dockerfiles to the images that they would make, without making them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import replace

from msgspec.structs import replace as struct_replace

from smoke.manifest import Base, Manifest, Service
from smoke.static.dockerfile.expansion import Expanded
from smoke.static.dockerfile.ignore import ignore_of
from smoke.static.dockerfile.instructions import Dockerfile, Instruction, ParseError
from smoke.static.dockerfile.parser import parse
from smoke.static.dockerfile.stages import Stage, Stages, mounts, stages_of
from smoke.static.dockerfile.variables import Variables, platform_arguments
from smoke.static.model import commands, installers, script
from smoke.static.model.bases import base_files, find_base, release_python, users_of
from smoke.static.model.context import Context
from smoke.static.model.filesystem import Cause, Doubt, Entry, FileSystem
from smoke.static.model.image import Health, Image, Install, Label, Lack, Missing
from smoke.static.model.launch import Launch
from smoke.static.model.mounts import launched
from smoke.static.model.start import start_of
from smoke.static.model.steps import refusal
from smoke.static.plans import Plans, plans_of
from smoke.static.python.installed import Installed
from smoke.tree import Tree

MAX_PORTS = 1_000
MAX_REFUSED = 20
MAX_INSTRUCTIONS = 100_000
MAX_SHOWN = 80
USUAL_PLATFORM = "linux/amd64"
"""What is built where nothing says; a guess."""
_SIGNALS = frozenset(
    [
        "ABRT",
        "ALRM",
        "BUS",
        "CHLD",
        "CLD",
        "CONT",
        "FPE",
        "HUP",
        "ILL",
        "INT",
        "IO",
        "IOT",
        "KILL",
        "PIPE",
        "POLL",
        "PROF",
        "PWR",
        "QUIT",
        "SEGV",
        "STKFLT",
        "STOP",
        "SYS",
        "TERM",
        "TRAP",
        "TSTP",
        "TTIN",
        "TTOU",
        "UNUSED",
        "URG",
        "USR1",
        "USR2",
        "VTALRM",
        "WINCH",
        "XCPU",
        "XFSZ",
    ]
)
"""Signals of Linux, without SIG."""
_REMOTE = re.compile(r"https?://|git://|ssh://|git@|ftp://")


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
    nothing = Image(service, service.dockerfile, None, None, "", FileSystem(), start_of(None, (), (), 0, "", None))
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
        return _broken(_replace(nothing, parsed=parsed, stages=stages), f"{service.dockerfile}{line}: {reason}")
    tried = []
    for directory in _contexts(tree, service):
        context = Context(tree, directory, ignore_of(tree, directory, service.dockerfile))
        image = _Builder(context, service, parsed, stages, final, tuple(bases), launch).image()
        tried.append((directory, image))
        if not image.missing:
            break
    # The context that lacks the least; the earlier one where that is equal.
    directory, best = min(tried, key=lambda each: len(each[1].missing))
    contexts = tuple((name, image.missing) for name, image in tried)
    return _replace(best, context=None if best.missing else directory, contexts=contexts)


def _contexts(tree: Tree, service: Service) -> list[str]:
    if service.context is not None:
        return ["" if service.context == "." else service.context.strip("/")]
    found = [posixpath.dirname(service.dockerfile)]
    while found[-1]:
        found.append(posixpath.dirname(found[-1]))
    # The directory itself and the root are likelier than what lies between.
    return list(dict.fromkeys([found[0], "", *found[1:]]))


def _broken(image: Image, reason: str) -> Image:
    return _replace(image, broken=reason)


def _replace(image: Image, **fields: object) -> Image:
    return replace(image, **fields)  # type: ignore[arg-type]


class _Builder:
    """Follows the stages that the final one needs."""

    def __init__(
        self,
        context: Context,
        service: Service,
        parsed: Dockerfile,
        stages: Stages,
        final: Stage,
        bases: tuple[Base, ...],
        launch: Launch | None,
    ) -> None:
        self.launch = launch
        self.context, self.service, self.parsed, self.stages, self.final, self.bases = (
            context,
            service,
            parsed,
            stages,
            final,
            bases,
        )
        self.done: dict[int, _Made] = {}
        self.missing: list[Missing] = []
        pinned = (path for path in context.tree.sizes if path.endswith(".python-version"))
        versions = ((path, re.search(r"3\.\d+", context.tree.text(path)[:200])) for path in pinned)
        self.pins = {path: version[0] for path, version in versions if version is not None}
        self.refused: list[ParseError] = []
        """What Docker would stop at as it comes to an instruction."""

    def image(self) -> Image:
        """The final stage's image."""
        for stage in self.stages.needed(self.final):
            self.done[stage.index] = self._stage(stage)
        failures = [each for done in self.done.values() for each in done.state.failures]
        made = self.done[self.final.index]
        state = made.state
        base = _with_python(made.base, state)
        entrypoint, command, line, form = made.entrypoint, made.command, made.start_line, made.command_form
        file = ""
        if (launch := self.launch) is not None:
            state = launched(state, launch, self.context.tree)
            if launch.entrypoint is not None:
                entrypoint, command, form = launch.entrypoint, (), ""
            if launch.command is not None:
                command, form = launch.command, form if form == "shell entrypoint" else ""
            if launch.entrypoint is not None or launch.command is not None:
                line, file = launch.start_line, launch.file
        version = (int(state.python.split(".")[0]), int(state.python.split(".")[1])) if state.python else None
        installed = Installed(self.context.tree, tuple(state.installs), version, self.service.dockerfile)
        if launch is not None and not line and not state.files.doubts.get("/"):
            said = "neither the Dockerfile nor Compose says what to start: the base's own command runs"
        elif launch is None and not line and not made.ports and made.health is None:
            said = "the Dockerfile has no command of its own: whoever runs the image says what to start"
        else:
            said = ""
        start = replace(start_of(base, entrypoint, command, line, form, state, installed), file=file)
        if said and start.trouble:
            start = replace(start, trouble="", doubt=said)
        installs = tuple(_seen(each, start.search, bool(start.doubt)) for each in state.installs)
        return Image(
            self.service,
            self.service.dockerfile,
            self.context.directory,
            base,
            made.reference,
            state.files,
            start,
            user=state.user,
            workdir=state.workdir,
            environment=state.environment,
            user_line=made.user_line,
            launch=launch,
            homes=state.homes,
            labels=made.labels,
            ports=tuple(dict.fromkeys(made.ports)),
            ports_line=made.ports_line,
            ports_doubt=made.ports_doubt,
            platform=self.final.platform.text,
            built_for=self.service.platform or self.final.platform.text or platform_of_tag(made.reference),
            health=made.health,
            missing=tuple(self.missing),
            refused=tuple(self.refused[:MAX_REFUSED]),
            failures=tuple(failures),
            lacking=state.lacking,
            users=frozenset(state.numbers) if state.users_known else None,
            installs=installs,
            venvs=state.venvs,
            uid=state.number(state.user) if state.user else None,
            python=state.python,
            libc=state.libc,
            packages=state.packages,
            parsed=self.parsed,
            stages=self.stages,
            final=self.final,
        )

    def _expand(self, made: _Made, text: str, instruction: Instruction) -> Expanded:
        """A text with its variables; what can't be expanded is refused."""
        found = made.variables.expand(text)
        if found.failed:
            shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
            self._refuse(instruction, f"{instruction.keyword} {shown}: {found.failed}")
        return found

    def _refuse(self, instruction: Instruction, message: str) -> None:
        self.refused.append(ParseError(instruction.line, message))

    def _machine(self, stage: Stage) -> str:
        """The machine that a stage's programs are for, as wheels name it; empty when it is the image's own."""
        if (
            "BUILD" in (stage.opening.flag("platform") or "")
            and not self.service.platform
            and not self.final.platform.text
        ):
            return ""  # built where it runs, as far as anyone says
        platform = stage.platform.text
        return {"linux/amd64": "x86_64", "linux/arm64": "aarch64", "linux/arm64/v8": "aarch64"}.get(platform, "")

    def _stage(self, stage: Stage) -> _Made:
        if stage.parent is not None:
            made = self.done[stage.parent].child()
        else:
            made = _Made(find_base(stage.reference, self.bases), stage.reference, self.stages.variables.stage())
            made.state.machine = self._machine(stage)
            made.state.pins = self.pins
        made.state.read = self.context.tree.data
        for instruction in stage.instructions:
            handler = _HANDLERS.get(instruction.keyword)
            if handler is not None:
                handler(self, made, instruction, stage)
        return made

    # -- instructions --------------------------------------------------------------------------------------------

    def arg(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """ARG."""
        for word in instruction.words:
            self._expand(made, word, instruction)
        made.variables.declare(instruction)

    def env(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """ENV."""
        self._check_pairs(made, instruction)
        pairs, _ = made.variables.pairs(instruction)
        made.variables.environment.update(pairs)
        made.state.environment.update(pairs)

    def _check_pairs(self, made: _Made, instruction: Instruction) -> None:
        """What ENV and LABEL are given can be read, in either form."""
        first = (instruction.words or ("",))[0]
        for word in instruction.words if "=" in first else (first, instruction.text[len(first) :].strip()):
            self._expand(made, word, instruction)

    def workdir(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """WORKDIR, which makes the directory for the user in force."""
        made.state.workdir = made.state.path(self._expand(made, instruction.text, instruction).text)
        held = made.state.files.find(made.state.workdir)
        if held is not None and held.kind == "file":
            self._refuse(instruction, f"WORKDIR {made.state.workdir}: a file is there")
        user = made.state.number(made.state.user) if made.user_line else 0
        made.state.files.add(made.state.workdir, Entry("directory", user=user, mode=0o755, line=instruction.line))

    def user(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """USER."""
        made.state.user = self._expand(made, instruction.text, instruction).text.strip()
        made.user_line = instruction.line

    def label(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """LABEL; a variable that nothing set makes an empty value."""
        self._check_pairs(made, instruction)
        for word in (
            instruction.words if "=" in (instruction.words or ("",))[0] else [instruction.text.replace(" ", "=", 1)]
        ):
            name, _, value = word.partition("=")
            found = made.variables.expand(value)
            key = made.variables.expand(name).text
            made.labels[key] = Label(key, found.text, instruction.line, found.unset)

    def expose(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """EXPOSE."""
        words = [each for word in instruction.words for each in self._expand(made, word, instruction).words]
        for text in words:
            port, _, protocol = text.rpartition(":")[2].partition("/")
            first, _, last = port.partition("-")
            last = last or first
            if not (_is_port(first) and _is_port(last) and int(first) <= int(last)):
                self._refuse(instruction, f"EXPOSE {text[:MAX_SHOWN]}: that is no port")
            elif protocol.lower() not in ("", "tcp", "udp", "sctp"):
                self._refuse(instruction, f"EXPOSE {text[:MAX_SHOWN]}: the protocol is tcp, udp or sctp")
            elif protocol.lower() in ("", "tcp"):
                made.ports += range(int(first), min(int(last), int(first) + MAX_PORTS) + 1)
        if not words:
            made.ports_doubt = f"EXPOSE of line {instruction.line} names no port"
        made.ports_line = instruction.line

    def healthcheck(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """HEALTHCHECK."""
        inner = instruction.trigger
        if inner is None:
            made.health = Health(instruction.line, disabled=True)
        else:
            words = inner.words if inner.exec_form else (inner.text,)
            made.health = Health(instruction.line, words, not inner.exec_form)

    def entrypoint(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """ENTRYPOINT; it takes the base's CMD away, unless a CMD of this file came before."""
        made.entrypoint = self._words(made, instruction)
        made.start_line = instruction.line
        if not made.command_set:
            made.command = ()
        if not instruction.exec_form:
            made.command_form = "shell entrypoint"
        elif made.command_form == "shell entrypoint":
            made.command_form = ""

    def cmd(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """CMD."""
        made.command = self._words(made, instruction)
        made.command_set = True
        made.start_line = instruction.line
        if made.command_form != "shell entrypoint":
            made.command_form = "" if instruction.exec_form else "shell command"

    def stop_signal(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """STOPSIGNAL, by name or number."""
        text = self._expand(made, instruction.text, instruction).text.strip()
        name = text.upper().removeprefix("SIG")
        if "$" not in text and not (text.isdigit() and 0 < int(text[:4]) < 65) and not _is_signal(name):
            self._refuse(instruction, f"STOPSIGNAL {text[:MAX_SHOWN]}: there is no such signal")

    def shell(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """SHELL."""
        made.shell = instruction.words

    def _words(self, made: _Made, instruction: Instruction) -> tuple[str, ...]:
        return instruction.words if instruction.exec_form else (*made.shell, instruction.text)

    def copy(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """COPY and ADD."""
        words = [
            each if instruction.exec_form or not each.startswith("<<") else ""
            for each in (self._expand(made, word, instruction).text for word in instruction.words)
        ]
        target = words.pop() if words else ""
        words = [word for word in words if word]
        into = target.endswith("/") or target in (".", "./") or len(words) + len(instruction.heredocs) > 1
        state = made.state
        place = state.path(target or ".")
        held = state.files.find(place)
        several = len(words) + len(instruction.heredocs) > 1
        named = target.endswith(("/", "/.")) or target in (".", "..") or (held is not None and held.kind == "directory")
        if several and not named and not instruction.flag("from") and self._of_files(words):
            # Some builders refuse this, the others put one file over the other.
            message = f"{instruction.keyword} of several files needs a directory: write {target[:MAX_SHOWN]}/"
            self._refuse(instruction, message)
        into = into or (held is not None and held.kind == "directory")
        chown = self._expand(made, instruction.flag("chown") or "", instruction).text
        user = state.number(chown) if chown else 0
        mode = self._mode(made, instruction)
        reference = instruction.flag("from")
        for heredoc in instruction.heredocs:
            name = posixpath.join(place, heredoc.name) if into else place
            bits = 0o644 if mode is None else mode
            state.files.add(name, Entry("file", user=user, mode=bits, line=instruction.line))
        if reference:
            self._copy_from(made, reference, words, place, into, user, mode, instruction.line, stage)
            return
        remote = [word for word in words if _REMOTE.match(word)]
        local = [word for word in words if not _REMOTE.match(word)]
        if remote and instruction.keyword == "COPY":
            self._refuse(instruction, f"COPY {remote[0][:MAX_SHOWN]}: only ADD takes a URL")
        for word in remote:
            name = posixpath.basename(word.partition("?")[0].rstrip("/")) if into else ""
            if word.startswith("http") and not word.endswith(".git"):
                bits = 0o600 if mode is None else mode
                made_at = posixpath.join(place, name) if name else place
                state.files.add(made_at, Entry("file", user=user, mode=bits, line=instruction.line))
        if instruction.keyword == "ADD" and (
            remote or any(re.search(r"\.(tar|t?gz|tgz|bz2|xz)$", each) for each in local)
        ):
            state.files.suspect(place, f"what the ADD of line {instruction.line} brings is not looked into", Cause.COPY)
        if {"parents", "exclude"} & {name for name, _ in instruction.flags}:
            state.files.suspect(place, f"the flags of the {instruction.keyword} of line {instruction.line}", Cause.COPY)
        if instruction.flag("parents"):
            return
        asked = {
            name for word in instruction.words for name in made.variables.expand(word).unset
        } & self.parsed.asked_for
        missing = self.context.copy(state.files, local, place, into, user, mode, instruction.line)
        if asked:
            # Whoever builds it gives these: where they lead can't be told.
            state.files.suspect(
                place, f"{', '.join(sorted(asked))} of line {instruction.line} is not given", Cause.COPY
            )
            missing = []
        self.missing += missing
        for each in missing:
            lost = posixpath.join(place, posixpath.basename(each.source)) if into else place
            state.files.suspect(lost, f"the {instruction.keyword} of line {instruction.line} finds nothing", Cause.COPY)

    def _of_files(self, words: list[str]) -> bool:
        """Whether all sources are plain files of the context: directories are put over one another."""
        tree = self.context.tree
        held = [path for word in words for path in self.context.sources(word)]
        return len(held) > 1 and all(tree.is_file(path) for path in held)

    def _mode(self, made: _Made, instruction: Instruction) -> int | None:
        """What --chmod says in octal digits; none when it says nothing, or in letters."""
        text = self._expand(made, instruction.flag("chmod") or "", instruction).text
        if not re.fullmatch(r"\d+", text):
            return None
        if not re.fullmatch(r"[0-7]{1,5}", text) or int(text, 8) > 0o7777:
            self._refuse(instruction, f"--chmod={text[:MAX_SHOWN]}: that is no octal mode")
            return None
        return int(text, 8)

    def _copy_from(
        self,
        made: _Made,
        reference: str,
        words: list[str],
        place: str,
        into: bool,
        user: int | None,
        mode: int | None,
        line: int,
        stage: Stage,
    ) -> None:
        source = self.stages.named(reference, stage.index)
        if source is None:
            base = find_base(reference, self.bases)
            other = _Made(base, reference, self.stages.variables.stage()).state
        else:
            other = self.done[source.index].state
        for word in words:
            origin = posixpath.normpath("/" + word.lstrip("/"))
            found = list(other.files.below(origin))
            resolved = other.files.resolve(origin)
            doubt = other.files.doubt(origin)
            if not found and re.search(r"[*?\[]", word):
                doubt = doubt or Doubt(f"the COPY of line {line} has wildcards", Cause.COPY)
            elif not found and not doubt and origin != "/":
                self.missing.append(Missing(line, word, Lack.STAGE, f"the stage {reference} does not make it"))
                continue
            entry = other.files.find(origin)
            is_file = entry is not None and entry.kind == "file"
            into_file = posixpath.join(place, posixpath.basename(origin)) if into and is_file else place
            for path, each in found:
                inside = path[len(resolved) :] if resolved != "/" else path
                made.state.files.add(into_file + inside, _copied(each, user, mode, line))
            self._doubts_from(made, other, resolved, place, doubt, line)
            made.state.installs += [
                _moved(each, resolved, place) for each in other.installs if _within(each.directory, resolved)
            ]
            for path, venv in other.venvs.items():
                if _within(path, resolved):
                    made.state.venvs[posixpath.normpath(place + "/" + path[len(resolved) :].lstrip("/"))] = venv

    def _doubts_from(
        self, made: _Made, other: commands.Stage, origin: str, place: str, doubt: Doubt, line: int
    ) -> None:
        if doubt:
            made.state.files.doubts.setdefault(place, doubt)
            if (above := posixpath.dirname(place)) != "/":
                made.state.files.add(above, Entry("directory", user=None, line=line))
        for path, reason in other.files.doubts.items():
            if path != origin and _within(path, origin):
                made.state.files.doubts.setdefault(posixpath.normpath(place + "/" + path[len(origin) :]), reason)

    def run(self, made: _Made, instruction: Instruction, stage: Stage) -> None:
        """RUN, with the files that it mounts at hand while it runs."""
        state, lent = made.state, []
        for options in mounts(instruction):
            if "/apt" in options.get("target", ""):
                state.lists = None  # what a cache holds is known to who builds
            if options["type"] == "bind" and not options.get("from") and options.get("target"):
                place = state.path(options["target"])
                lent.append(place)
                source = options.get("source", ".")
                held = self.context.sources(source)
                into = bool(held) and self.context.tree.is_directory(held[0])
                self.context.copy(state.files, [source], place, into, 0, None, instruction.line)
        self._run(made, instruction)
        for place in lent:
            state.files.remove(place)

    def _run(self, made: _Made, instruction: Instruction) -> None:
        """The words of a RUN: in exec form, for the shell, or of here-documents."""
        state, line = made.state, instruction.line
        values = made.variables.values()
        if instruction.exec_form:
            words = list(instruction.words)
            if words and (message := refusal(state, words, line)):
                state.fail(line, message, words[0])
            script.words(state, words, line, values)
            return
        shell = made.shell[0] if made.shell else "/bin/sh"
        found = state.surroundings().find(shell)
        if not found.place and not found.doubt:
            state.fail(line, f"RUN needs {shell}, which this stage does not have")
            return
        if posixpath.basename(shell) not in ("sh", "bash", "ash", "dash"):
            script.words(state, [shell, instruction.text], line, values)
            return
        state.shell = posixpath.basename(shell)
        errexit = any(word.startswith("-") and "e" in word[1:] for word in made.shell[1:])
        text = instruction.text
        if not instruction.heredocs:
            script.run(state, text, line, values, errexit=errexit)
            return
        first = instruction.heredocs[0]
        if re.fullmatch(r"\d*<<-?\s*\S+", text.strip()):
            body = first.content
            interpreter = re.match(r"#!\s*(\S+)(?:[ \t]+(\S+))?", body)
            name = posixpath.basename((interpreter[2] or interpreter[1]) if interpreter else "sh")
            if name in ("sh", "bash", "ash", "dash"):
                script.run(state, body, line, values, errexit=errexit)
            else:
                script.words(state, [name, "-"], line, values)
            return
        lines = [text, *(line for each in instruction.heredocs for line in (each.content.rstrip("\n"), each.name))]
        script.run(state, "\n".join(lines) + "\n", line, values, errexit=errexit)


class _Made:
    """A stage under way, and what its metadata instructions said."""

    def __init__(self, base: Base | None, reference: str, variables: Variables) -> None:
        self.base, self.reference, self.variables = base, reference, variables
        self.state = commands.Stage(base_files(base, reference))
        self.shell: tuple[str, ...] = ("/bin/sh", "-c")
        self.entrypoint: tuple[str, ...] = ()
        self.command: tuple[str, ...] = ()
        self.command_set = False
        self.command_form = ""
        self.start_line = self.user_line = self.ports_line = 0
        self.labels: dict[str, Label] = {}
        self.ports: list[int] = []
        self.ports_doubt = ""
        self.health: Health | None = None
        self.state.user = "" if base is None else base.user
        self.state.libc = installers.libc_of(reference) if base is None or not base.libc else base.libc
        if base is not None:
            self.state.system, self.state.package_python = base.system, release_python(reference)
            self.state.lacking = frozenset(base.lacks)
            # Images of distributions come without lists; the catalogue says what they lack.
            self.state.lists = False if base.system == "debian" and base.lacks else None
            self.state.workdir = base.workdir
            self.state.environment |= base.environment
            users = users_of(base)
            self.state.users_known = users is not None
            self.state.numbers |= users or {}
            self.entrypoint, self.command = base.entrypoint, base.command
            self.state.python, self.state.sites = base.python or "", base.sites
            self.state.environment["PATH"] = ":".join(base.path)
            if base.distroless:
                self.state.homes |= {"nonroot": "/home/nonroot", "65532": "/home/nonroot"}
            variables.environment.setdefault("PATH", ":".join(base.path))

    def child(self) -> _Made:
        """A stage that is built on this one."""
        made = _Made(self.base, self.reference, self.variables.child())
        state = self.state
        made.state = replace(
            state,
            files=state.files.copy(),
            environment=dict(state.environment),
            homes=dict(state.homes),
            numbers=dict(state.numbers),
            installs=list(state.installs),
            venvs=dict(state.venvs),
            settings=dict(state.settings),
            failures=[],
        )
        made.shell, made.entrypoint, made.command = self.shell, self.entrypoint, self.command
        made.command_set, made.command_form, made.start_line = self.command_set, self.command_form, self.start_line
        made.user_line, made.health = self.user_line, self.health
        made.labels, made.ports, made.ports_line = dict(self.labels), list(self.ports), self.ports_line
        made.ports_doubt = self.ports_doubt
        return made


_HANDLERS = {
    "ARG": _Builder.arg,
    "ENV": _Builder.env,
    "WORKDIR": _Builder.workdir,
    "USER": _Builder.user,
    "LABEL": _Builder.label,
    "EXPOSE": _Builder.expose,
    "HEALTHCHECK": _Builder.healthcheck,
    "ENTRYPOINT": _Builder.entrypoint,
    "CMD": _Builder.cmd,
    "SHELL": _Builder.shell,
    "STOPSIGNAL": _Builder.stop_signal,
    "COPY": _Builder.copy,
    "ADD": _Builder.copy,
    "RUN": _Builder.run,
}


def _with_python(base: Base | None, state: commands.Stage) -> Base | None:
    """A base with the Python that the stage ended up with."""
    return None if base is None else struct_replace(base, python=state.python or None, sites=state.sites)


def _copied(entry: Entry, user: int | None, mode: int | None, line: int) -> Entry:
    return Entry(entry.kind, entry.source, entry.target, user, entry.mode if mode is None else mode, line)


def _is_signal(name: str) -> bool:
    return name in _SIGNALS or re.fullmatch(r"RTMIN(?:\+\d{1,2})?|RTMAX(?:-\d{1,2})?", name) is not None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536


def platform_of_tag(reference: str) -> str:
    """The platform that a base's tag names; empty when it names none."""
    tag = reference.partition("@")[0].rpartition(":")[2] if ":" in reference else ""
    named = re.search(r"(?:^|[-_.])(arm64(?:v8)?|aarch64|amd64|x86_64|armv7|arm32v7)(?:$|[-_.])", tag)
    return f"linux/{named[1]}" if named is not None else ""


def _within(path: str, above: str) -> bool:
    return bool(path) and (above in ("/", path) or path.startswith(above + "/"))


def _moved(install: Install, origin: str, place: str) -> Install:
    def carried(path: str) -> str:
        return posixpath.normpath(place + "/" + path[len(origin) :].lstrip("/")) if _within(path, origin) else ""

    return replace(install, directory=carried(install.directory), scripts=carried(install.scripts), visible=None)


def _seen(install: Install, search: tuple[str, ...], doubtful: bool) -> Install:
    visible = None if doubtful or not install.directory else install.directory in search
    return replace(install, visible=False if install.house else visible)
