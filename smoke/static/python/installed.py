"""What an image's installations bring, as far as requirement files, lock files and the table of distributions tell."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from enum import Enum

from msgspec import Struct, field

from smoke.static.model.install import Install
from smoke.static.python import distributions as table
from smoke.static.python.conditions import Version
from smoke.static.python.known_programs import surely_lack
from smoke.static.python.locks import read_lock
from smoke.static.python.projects import read_project
from smoke.static.python.requirements import Requirement, parse_requirement, read_requirements
from smoke.static.regex import regex
from smoke.static.trouble import Trouble
from smoke.tree import Tree

_ANY_OF = regex(r"[!=]=\s*[\w.]+\.\*")
"""A version of which any patch will do: the star is no pattern of files."""


class Presence(Enum):
    """Whether a module is installed."""

    ASKED = "asked for"
    """A distribution that is asked for (or locked) brings it."""
    BROUGHT = "brought"
    """Something that is asked for needs the distribution that brings it."""
    HIDDEN = "hidden"
    """It is installed, where this Python does not look."""
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Answer(Struct, frozen=True):
    """Whether a module is installed, by what, or why that cannot be told."""

    presence: Presence
    by: str = ""
    reason: str = ""


class Brought(Struct):
    """One installation and what it brings."""

    install: Install
    asked: dict[str, Requirement] = field(default_factory=dict)
    """Distributions by name."""
    whole: bool = False
    """Whether everything is listed: a lock."""
    doubts: list[str] = field(default_factory=list)
    """Why more may be in it."""
    scripts: dict[str, str] = field(default_factory=dict)
    """Programs of projects of the tree, with what they call (`module:function`)."""
    modules: dict[str, str] = field(default_factory=dict)
    """Top-level modules of projects of the tree, with the place of their sources where the installation links there."""

    def all(self) -> tuple[set[str], bool]:
        """What it has in the end, and whether that is all of it."""
        if self.whole or self.install.no_dependencies:
            return set(self.asked), not self.doubts
        closed = not self.doubts
        found: set[str] = set()
        pending = [(name, each.extras) for name, each in self.asked.items()]
        done: set[tuple[str, tuple[str, ...]]] = set()
        while pending:
            name, extras = pending.pop()
            if (name, extras) in done:
                continue
            done.add((name, extras))
            found.add(name)
            own = name in self.asked and self.asked[name].own
            more = [] if own else table.needs(name, extras)  # what a project of the tree needs is asked for already
            if more is None:
                closed = False
                more = table.needs(name) or []
            pending += [(each, ()) for each in more]
        return found, closed


class Installed:
    """Everything that is installed in one image."""

    def __init__(self, tree: Tree, installs: tuple[Install, ...], version: Version | None, dockerfile: str) -> None:
        self.tree, self.version, self.dockerfile = tree, version, dockerfile
        self.troubles: list[Trouble] = []
        self.each = [self._brought(install) for install in installs if not install.house]

    @property
    def requirements(self) -> list[Requirement]:
        """All that is asked for."""
        return [requirement for each in self.each for requirement in each.asked.values()]

    @property
    def doubts(self) -> list[str]:
        """Why more may be installed than is listed."""
        return [doubt for each in self.each for doubt in each.doubts]

    def _brought(self, install: Install) -> Brought:
        brought = Brought(install)
        if install.doubt:
            brought.doubts.append(install.doubt)
        listed = False
        for path in install.requirements:
            found, troubles = read_requirements(self.tree, path, self.version)
            self.troubles += [each for each in troubles if each not in self.troubles and not each.doubtful]
            brought.doubts += [each.message for each in troubles if each.doubtful]
            self._add(brought, found)
            listed = True
        for text in install.distributions:
            parsed = self._given(text, install.line)
            if isinstance(parsed, Requirement):
                self._add(brought, [parsed])
            elif isinstance(parsed, Trouble):
                brought.doubts.append(parsed.message)
            listed = True
        if install.lock is not None:
            locked = read_lock(self.tree, install.lock, self.version)
            self._add(brought, locked.requirements)
            brought.doubts += [locked.doubt] if locked.doubt else []
            brought.whole = locked.whole and not listed
        for project in install.projects:
            self._project(brought, install, project.directory, project.extras, project.optional, project.alone)
            if project.editable:
                for module in list(brought.modules):
                    brought.modules[module] = project.place
        return brought

    def _given(self, text: str, line: int) -> Requirement | Trouble | None:
        if text.endswith(".whl"):
            name = posixpath.basename(text).partition("-")[0]
            return Requirement(name=table.normalized(name), version="", path=self.dockerfile, line=line, text=text)
        if "$" in text or "*" in _ANY_OF.sub("", text):
            return Trouble(self.dockerfile, line, f"what {text} of line {line} is, is not known", doubtful=True)
        return parse_requirement(text, self.dockerfile, line, self.version)

    def _project(
        self, brought: Brought, install: Install, directory: str, extras: tuple[str, ...], optional: bool, alone: bool
    ) -> None:
        project = read_project(self.tree, directory)
        if project is None:
            brought.doubts.append(f"what the project in {directory or '.'} of line {install.line} needs is not known")
            return
        if optional and not project.package:
            return
        if not optional:  # what a lock has, it has
            wanted = [*project.needs, *(each for extra in extras for each in project.extras.get(extra, ()))]
            parsed = [parse_requirement(text, project.path, 0, self.version) for text in wanted]
            self._add(brought, [each for each in parsed if isinstance(each, Requirement)])
            if project.doubt:
                brought.doubts.append(project.doubt)
        if alone:
            return
        if project.name:
            name = table.normalized(project.name)
            brought.asked.setdefault(
                name, Requirement(name=name, version="", path=project.path, line=0, text=project.name, own=True)
            )
        brought.scripts |= project.scripts
        brought.modules |= dict.fromkeys(project.modules, "")

    def _add(self, brought: Brought, found: list[Requirement]) -> None:
        for each in found:
            brought.asked.setdefault(each.name, each)

    # -- questions ------------------------------------------------------------------------------------------------

    def has(self, dotted: str) -> Answer:
        """Whether a module is installed where this Python looks."""
        top = dotted.partition(".")[0]
        hidden: Answer | None = None
        brought_by, reasons = "", []
        for each in self.each:
            answer = self._part(each, table.part_of(dotted)) if table.part_of(dotted) else self._in(each, top)
            if answer.presence is Presence.UNKNOWN:
                reasons.append(answer.reason)
            elif answer.presence is Presence.ABSENT:
                continue
            elif each.install.visible is False:
                hidden = Answer(Presence.HIDDEN, answer.by, each.install.directory)
            elif answer.presence is Presence.ASKED:
                return answer
            else:
                brought_by = answer.by
        if brought_by:
            return Answer(Presence.BROUGHT, brought_by)
        if reasons:
            return Answer(Presence.UNKNOWN, reason=reasons[0])
        return hidden or Answer(Presence.ABSENT)

    def _part(self, brought: Brought, wanted: str) -> Answer:
        """Whether an installation has the one distribution that brings a part of a shared package."""
        every, _ = brought.all()
        if wanted in every:
            return Answer(Presence.ASKED, wanted)
        open_ = [name for name in brought.asked if table.needs(name) is None and not table.brings_alone(name)]
        if brought.doubts or (open_ and not brought.whole):
            return Answer(
                Presence.UNKNOWN, reason=next(iter(brought.doubts), f"what {open_[0]} brings with it is not known")
            )
        return Answer(Presence.ABSENT)

    def _in(self, brought: Brought, top: str) -> Answer:
        if top in brought.modules:
            return Answer(Presence.ASKED, "the project itself")
        able = {*table.candidates(top)}
        asked = next((name for name in brought.asked if name in able), "")
        if asked and (
            table.modules(asked) is None or top in (table.modules(asked) or ()) or asked in table.bringers(top)
        ):
            return Answer(Presence.ASKED, asked)
        every, closed = brought.all()
        known = {*table.bringers(top)}
        through = sorted(every & known)
        if through:
            return Answer(Presence.BROUGHT, through[0])
        if asked:
            return Answer(Presence.ASKED, asked)
        if table.shared_name(top) and any(name.startswith(table.normalized(top)) for name in every):
            return Answer(Presence.ASKED, top)
        return self._absent(brought, top, every, closed, known)

    def _absent(self, brought: Brought, top: str, every: set[str], closed: bool, known: set[str]) -> Answer:
        if brought.doubts:
            return Answer(Presence.UNKNOWN, reason=brought.doubts[0])
        strangers = sorted(name for name in every if table.modules(name) is None and not self._is_own(brought, name))
        if not known and strangers:
            return Answer(Presence.UNKNOWN, reason=f"which modules {strangers[0]} brings is not known")
        if not closed:
            open_ = next((name for name in sorted(every) if table.needs(name) is None), "")
            return Answer(Presence.UNKNOWN, reason=f"what {open_ or 'one of them'} brings with it is not known")
        # Hardly anything needs setuptools as it runs, and what does is known.
        if every and not brought.whole and any(table.everywhere(name) and name != "setuptools" for name in known):
            return Answer(Presence.UNKNOWN, reason=f"so much needs {top} that it may come with something")
        return Answer(Presence.ABSENT)

    def _is_own(self, brought: Brought, name: str) -> bool:
        requirement = brought.asked.get(name)
        return requirement is not None and requirement.own and bool(brought.modules)

    def by_directory(self, directory: str) -> Iterator[Brought]:
        """The installations whose programs are in a directory."""
        return (each for each in self.each if each.install.scripts == directory)

    def program(self, directory: str, name: str) -> tuple[Answer, Brought | None]:
        """Whether an installed program of that name is in a directory."""
        reason = next(
            (each.install.doubt for each in self.each if not each.install.directory and each.install.doubt), ""
        )
        distribution = table.program_of(name)
        for each in self.by_directory(directory):
            if name in each.scripts:
                return Answer(Presence.ASKED, each.scripts[name]), each
            every, closed = each.all()
            if distribution and distribution in every:
                return Answer(Presence.ASKED, distribution), each
            if name in table.MISNAMED or self._is_misspelled(each, name):
                continue
            if table.normalized(name) in every:
                return Answer(Presence.ASKED, table.normalized(name)), each
            if not distribution and not each.doubts and (self._left_out(each, name) or self._all_known(each, name)):
                continue
            if not distribution:
                reason = reason or f"whether something that is installed brings {name} is not known"
            elif each.doubts or not closed:
                reason = reason or next(iter(each.doubts), f"whether {distribution} comes with something is not known")
        return (Answer(Presence.UNKNOWN, reason=reason) if reason else Answer(Presence.ABSENT)), None

    def _is_misspelled(self, brought: Brought, name: str) -> bool:
        """Whether a program has the name of a project of the tree, or nearly that of one of its programs: no other
        distribution brings that."""
        if not brought.scripts or table.program_of(name) or table.modules(table.normalized(name)) is not None:
            return False
        plain = table.normalized(name)
        own = {each for each, asked in brought.asked.items() if asked.own}
        own |= {table.normalized(each) for each in (*brought.modules, *brought.scripts)}
        return plain in own

    def _left_out(self, brought: Brought, name: str) -> bool:
        """Whether a program is the project's own, of which only the dependencies were installed."""
        lock = brought.install.lock
        project = read_project(self.tree, lock.project) if lock is not None and not brought.install.projects else None
        return project is not None and name in project.scripts

    def _all_known(self, brought: Brought, name: str) -> bool:
        """Whether all that is installed is known, and brings no such program."""
        every, closed = brought.all()
        others = {each for each in every if not (each in brought.asked and brought.asked[each].own)}
        return closed and surely_lack(others, name)

    def of_the_tree(self, name: str) -> bool:
        """Whether a program is one of a project of the tree, which no base brings."""
        return any(self._left_out(each, name) for each in self.each)
