"""A build under way: the stages that were followed, and what Docker would stop at."""

from __future__ import annotations

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from smoke.manifest import Base
from smoke.static.dockerfile.expansion import Expanded
from smoke.static.dockerfile.instructions import Dockerfile, Instruction, ParseError
from smoke.static.dockerfile.stages import Stages
from smoke.static.dockerfile.variables import Variables
from smoke.static.model.bases.catalog import is_slim
from smoke.static.model.bases.files import base_files
from smoke.static.model.bases.tags import release_of, release_python
from smoke.static.model.bases.users import users_of
from smoke.static.model.build_failure import Missing
from smoke.static.model.context import Context
from smoke.static.model.effective_command import Form
from smoke.static.model.image import HealthCheck, Label
from smoke.static.model.libc import libc_of
from smoke.static.model.native import toolchain_of
from smoke.static.model.stage import Stage

MAX_SHOWN = 80
_USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What Docker looks through where an image says nothing."""


class Building(Struct):
    """What the instructions of a Dockerfile are followed with, and what came of those before."""

    context: Context
    parsed: Dockerfile
    stages: Stages
    bases: tuple[Base, ...]
    dockerfile: str = ""
    """Its path in the tree."""
    done: dict[int, Made] = field(default_factory=dict)
    """Stages that were followed, by their index."""
    missing: list[Missing] = field(default_factory=list)
    refused: list[ParseError] = field(default_factory=list)
    """What Docker would stop at as it comes to an instruction."""

    def expand(self, made: Made, text: str, instruction: Instruction) -> Expanded:
        """A text with its variables; what cannot be expanded is refused."""
        found = made.variables.expand(text)
        if found.failed:
            shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
            self.refuse(instruction, f"{instruction.keyword} {shown}: {found.failed}")
        return found

    def refuse(self, instruction: Instruction, message: str) -> None:
        """Note that Docker stops at an instruction."""
        self.refused.append(ParseError(instruction.line, message))


class Made:
    """A stage under way, and what its metadata instructions said."""

    def __init__(self, base: Base | None, reference: str, variables: Variables) -> None:
        self.base, self.reference, self.variables = base, reference, variables
        self.state = Stage(base_files(base, reference))
        self.shell: tuple[str, ...] = ("/bin/sh", "-c")
        self.entrypoint: tuple[str, ...] = ()
        self.command: tuple[str, ...] = ()
        self.command_set = False
        self.command_form = Form.EXEC
        self.start_line = self.user_line = self.ports_line = 0
        self.labels: dict[str, Label] = {}
        self.ports: list[int] = []
        self.ports_doubt = ""
        self.health: HealthCheck | None = None
        self.state.user = "" if base is None else base.user
        self.state.toolchain = toolchain_of(reference)
        self.state.libc = libc_of(reference) if base is None or not base.libc else base.libc
        if base is not None:
            self.state.system, self.state.package_python = base.system, release_python(reference)
            self.state.release = release_of(reference)
            self.state.lacks_names, self.state.slim = frozenset(base.lacks), is_slim(base)
            # Images of distributions come without lists; the catalog says what they lack.
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
            for key, value in (("PATH", ":".join(base.path)), *base.environment.items()):
                variables.environment.setdefault(key, value)

    def take_over(self, other: Made) -> None:
        """Be what another stage is made of: all its files came into this one, which had none of its own.

        What that stage says of itself (its user, variables, commands) stays behind."""
        kept, self.state = self.state, other.child().state
        self.state.user, self.state.workdir = kept.user, kept.workdir
        own = {key: value for key, value in kept.environment.items() if value}
        self.state.environment = {"PATH": _USUAL_PATH} | own
        self.reference = other.reference
        if other.base is None:
            self.base = None
            return
        usual = tuple(_USUAL_PATH.split(":"))
        self.base = msgspec.structs.replace(
            other.base, user="", entrypoint=(), command=(), environment={}, path=usual, workdir="/"
        )

    def child(self) -> Made:
        """A stage that is built on this one."""
        made = Made(self.base, self.reference, self.variables.child())
        state = self.state
        made.state = replace(
            state,
            files=state.files.copy(),
            environment=dict(state.environment),
            homes=dict(state.homes),
            numbers=dict(state.numbers),
            installs=list(state.installs),
            venvs=dict(state.venvs),
            node_modules=dict(state.node_modules),
            virtual=dict(state.virtual),
            settings=dict(state.settings),
            failures=[],
        )
        made.shell, made.entrypoint, made.command = self.shell, self.entrypoint, self.command
        made.command_form, made.start_line = self.command_form, self.start_line
        made.user_line, made.health = self.user_line, self.health
        made.labels, made.ports, made.ports_line = dict(self.labels), list(self.ports), self.ports_line
        made.ports_doubt = self.ports_doubt
        return made
