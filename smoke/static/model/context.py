"""COPY and ADD from a build context: which files of the tree they take, and what they find nothing of."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from smoke.static.dockerfile.ignore import Ignore
from smoke.static.model.build_failure import Lack, Missing
from smoke.static.model.copyorder import CopyOrder
from smoke.static.model.doubt import DoubtCause
from smoke.static.model.filesystem import MAX_ENTRIES, FileSystem, PathEntry
from smoke.static.regex import regex
from smoke.tree import Tree


class Context:
    """A directory of the tree as a build is given it."""

    def __init__(self, tree: Tree, directory: str, ignore: Ignore) -> None:
        self.tree = tree
        self.directory = directory
        self.ignore = ignore

    def sources(self, pattern: str) -> list[str]:
        """Paths of the tree (files or directories) that a source means, .dockerignore not yet looked at."""
        clean = posixpath.normpath("/" + pattern).lstrip("/")  # what leaves the context begins at its root again
        if not clean:
            return [self.directory]
        if not re.search(r"[*?\[\\]", clean):
            path = self.tree.resolve(posixpath.join(self.directory, clean))
            return [path] if path is not None and self._inside(path) else []
        found = [self.directory]
        for part in clean.split("/"):
            expression = _glob(part)
            found = [
                posixpath.join(above, name) if above else name
                for above in found
                for name in self.tree.directories.get(above, ())
                if expression is not None and expression.fullmatch(name)
            ]
        return [path for path in found if self.tree.is_file(path) or self.tree.is_directory(path)]

    def _inside(self, path: str) -> bool:
        """Whether a path (its links followed) is of this context."""
        return not self.directory or path == self.directory or path.startswith(f"{self.directory}/")

    def inside(self, path: str) -> str:
        """A path of the tree as the context's rules see it."""
        return path[len(self.directory) :].lstrip("/") if self.directory else path

    def keeps(self, path: str) -> bool:
        """Whether .dockerignore lets a path through."""
        inside = self.inside(path)
        return not inside or self.ignore.excludes(inside) is None

    def files(self, directory: str) -> Iterator[str]:
        """Files below a directory that .dockerignore lets through."""
        pending = [(directory, self._matched(directory))]
        while pending:
            here, matched = pending.pop()
            for name in self.tree.directories.get(here, ()):
                path = f"{here}/{name}" if here else name
                step = self.ignore.step(matched, self.inside(path))
                if self.tree.is_directory(path):
                    if not (self.ignore.prunes and self.ignore.decides(step) is not None):
                        pending.append((path, step))
                elif self.tree.is_file(path) and self.ignore.decides(step) is None:
                    yield path

    def _matched(self, directory: str) -> tuple[bool, ...]:
        matched, walked = self.ignore.start(), ""
        for name in self.inside(directory).split("/") if self.inside(directory) else ():
            walked = f"{walked}/{name}" if walked else name
            matched = self.ignore.step(matched, walked)
        return matched

    def copy(
        self,
        files: FileSystem,
        order: CopyOrder,
    ) -> list[Missing]:
        """Copy sources to a path of the stage. Returns what was not found."""
        missing: list[Missing] = []
        target, into, without = order.place, order.into, order.selection.without
        for pattern in order.sources:
            found = self.sources(pattern)
            kept = [path for path in found if self._holds(path)]
            if not kept:
                missing += self._lost(pattern, bool(found), order.line)
            for path in kept:
                if len(files.entries) >= MAX_ENTRIES:
                    files.suspect("/", f"there are more than {MAX_ENTRIES} files in it", DoubtCause.COPY)
                    return missing
                if order.selection.parents:
                    target, into = self._below_pivot(pattern, path, order.place), True
                if self.tree.is_file(path):
                    if without is not None and without.excludes(posixpath.basename(path)) is not None:
                        continue
                    name = posixpath.join(target, posixpath.basename(path)) if into or len(kept) > 1 else target
                    files.add(name, self._file(path, order))
                    continue
                self._copy_directory(files, path, target, order)
        return missing

    def _lost(self, pattern: str, ignored: bool, line: int) -> Iterator[Missing]:
        """A source that is not in the context; a pattern may match nothing."""
        where = f"the build context {self.directory or '.'}"
        if ignored:
            yield Missing(line, pattern, Lack.IGNORED, f"{self.ignore.path} leaves it out of {where}")
        elif not re.search(r"[*?\[]", pattern):
            yield Missing(line, pattern, Lack.CONTEXT, f"it is not in {where}")

    def _copy_directory(self, files: FileSystem, path: str, target: str, order: CopyOrder) -> None:
        made = PathEntry("directory", path, user=order.user, mode=order.mode or 0o755, line=order.line)
        files.add(target, made)
        if next(self.files(path), None) is None:
            files.bare[path] = order.line
        package = self.tree.is_file(posixpath.join(path, "package.json"))
        if package and self.keeps(posixpath.join(path, "node_modules")):
            files.with_modules.add(target)
        for each in self.files(path):
            inside = each[len(path) :].lstrip("/")
            if not order.selection.has(inside):
                continue
            self._directories(files, path, inside, target, order)
            files.add(posixpath.join(target, inside), self._file(each, order))

    def _below_pivot(self, pattern: str, path: str, target: str) -> str:
        """The directory that `--parents` copies a source to; a directory's own name is part of it."""
        inside = self.inside(path)
        if (cut := pattern.find("/./")) >= 0:
            above = posixpath.normpath("/" + pattern[:cut]).strip("/")
            inside = "/".join(inside.split("/")[above.count("/") + 1 if above else 0 :])
        return posixpath.join(target, posixpath.dirname(inside) if self.tree.is_file(path) else inside)

    def _directories(self, files: FileSystem, source: str, inside: str, target: str, order: CopyOrder) -> None:
        above = posixpath.dirname(inside)
        while above:
            path = posixpath.join(target, above)
            if path in files.entries:
                return
            made = PathEntry("directory", posixpath.join(source, above), user=order.user, mode=0o755, line=order.line)
            files.add(path, made)
            above = posixpath.dirname(above)

    def _file(self, path: str, order: CopyOrder) -> PathEntry:
        mode = self.tree.modes.get(path, 0o644) if order.mode is None else order.mode
        return PathEntry("file", path, user=order.user, mode=mode, line=order.line)

    def _holds(self, path: str) -> bool:
        """Whether something of a source is left in the context; an empty directory is."""
        if self.tree.is_file(path):
            return self.keeps(path)
        return self.keeps(path) or next(self.files(path), None) is not None


_CLASS = regex(r"\[(\^?(?:\\.|[^\]\\])+)\]", re.DOTALL)
"""Letters of which one is meant; a backslash takes the next one as it is, a bracket among them."""


@lru_cache(maxsize=1024)
def _glob(part: str) -> re.Pattern[str] | None:
    """Go's filepath.Match for one name; none for a pattern that is malformed."""
    expression, position = "", 0
    part = re.sub(r"\*+", "*", part)
    if part.count("*") > 8:
        return None
    while position < len(part):
        letter = part[position]
        if letter == "[":
            match = _CLASS.match(part, position)
            if match is None:
                return None
            inside = re.sub(r"\\(.)|[\[&|~]|--+", lambda found: re.escape(found[1] or found[0]), match[1])
            expression += f"[{inside}]"
            position = match.end() - 1
        elif letter == "\\" and position + 1 < len(part):
            position += 1
            expression += re.escape(part[position])
        else:
            expression += {"*": ".*", "?": "."}.get(letter) or re.escape(letter)
        position += 1
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        return None
