"""What the start of a container is looked up in: the stage, what is installed, and what a script changed."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from smoke.manifest import Base
from smoke.static.model.entries import ACTIVATED, Followed
from smoke.static.model.installers.conda_prefix import prefix_of
from smoke.static.model.servers.situation import Situation
from smoke.static.model.stage import Stage
from smoke.static.python.installed import Installed

MAX_SCRIPT = 1 << 16


class Scene(Struct, frozen=True):
    """What the start is looked up in."""

    base: Base | None
    state: Stage
    installed: Installed
    depth: int = 0

    def within(self, found: Followed) -> Scene:
        """The scene after a script has changed its environment and directory."""
        environment = {**self.state.environment, **found.environment}
        if name := found.environment.get(ACTIVATED):
            place = self.state.path(name) if "/" in name else prefix_of(self.state, {"-n": [name]})
            environment["PATH"] = f"{place}/bin:{environment.get('PATH', '')}"
        if "VIRTUAL_ENV" in found.environment and f"{found.environment['VIRTUAL_ENV']}/bin" not in environment.get(
            "PATH", ""
        ):
            environment["PATH"] = (
                f"{self.state.path(found.environment['VIRTUAL_ENV'])}/bin:{environment.get('PATH', '')}"
            )
        workdir = self.state.path(found.directory) if found.directory else self.state.workdir
        return replace(self, state=replace(self.state, environment=environment, workdir=workdir), depth=self.depth + 1)

    def read(self, path: str) -> str | None:
        """The text of a file that the tree has."""
        entry = self.state.files.find(self.state.path(path))
        data = self.state.content(entry) if entry is not None else None
        return None if data is None else data[:MAX_SCRIPT].decode("utf-8", "replace")

    def asked(self, name: str) -> str:
        """How a distribution is asked for; empty when it is not, or not by name."""
        return next((each.text for each in self.installed.requirements if each.name == name), "")

    def lacks_user(self, name: str) -> bool:
        """Whether there surely is no user of a name; packages that sound alike may make one."""
        state = self.state
        known = (
            name in state.numbers or name in state.homes or any(name in each or each in name for each in state.packages)
        )
        return state.users_known and self.base is not None and not known and bool(re.fullmatch(r"[a-z_][\w-]*", name))

    def lacks_group(self, name: str) -> bool:
        """Whether there surely is no group of a name."""
        return name not in self.state.groups and self.lacks_user(name)

    @property
    def is_root(self) -> bool:
        """Whether the container surely runs as root."""
        return self.base is not None and self.state.number(self.state.user or "0") == 0

    def situation(self, spoken: tuple[str, ...]) -> Situation:
        """What a server finds; `spoken`: the words of its exec form."""
        return Situation(
            environment=self.state.environment,
            read=self.read,
            exists=self.exists,
            asked=self.asked,
            spoken=spoken,
            lacks_user=self.lacks_user,
            lacks_group=self.lacks_group,
            is_root=self.is_root,
        )

    def exists(self, path: str) -> bool | None:
        """Whether a path is there; none when that cannot be told."""
        place = self.state.path(path)
        if self.state.files.find(place) is not None:
            return True
        return None if self.state.files.doubt(place) else False
