"""Processes that kill themselves with SIGKILL in the middle of what they do, before each of its steps in turn.

A step is a call that changes a file or a folder, or a commit of SQLite. What writes bytes writes half of them first. As
a module this runs one operation for all its steps, and prints what the next process found after each: it forks, which a
process with threads may not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trio

from lucid.storage.sqlite import SqliteStore

CALLS = (
    "fsync",
    "fdatasync",
    "rename",
    "replace",
    "unlink",
    "mkdir",
    "rmdir",
    "utime",
    "truncate",
    "ftruncate",
    "link",
)
WRITES = ("write", "pwrite")


class Operation(NamedTuple):
    """Something of several steps, on a folder. Each part is a process of its own."""

    prepare: Callable[[Path], Awaitable[None]]
    act: Callable[[Path, Steps], Awaitable[None]]
    """Between `begin` and `acknowledge` of the steps."""
    judge: Callable[[Path, bool], Awaitable[None]]
    """After the kill; told whether the operation had been acknowledged."""


class Steps:
    """Counts steps from `begin` on, and kills the process before the one numbered `last`."""

    def __init__(self, last: int | None, told: int) -> None:
        self.names: list[str] = []
        self._last = last
        self._told = told
        self._begun = False
        self._plain = {name: getattr(os, name) for name in (*CALLS, *WRITES)}
        for name in CALLS:
            setattr(os, name, partial(self._called, name))
        for name in WRITES:
            setattr(os, name, partial(self._written, name))
        self._commit = SqliteStore.commit
        steps = self

        def commit(self: SqliteStore, *arguments: Any) -> None:
            steps._step("commit")
            steps._commit(self, *arguments)

        SqliteStore.commit = commit  # type: ignore[method-assign, assignment]

    def begin(self) -> None:
        """What follows is what is cut."""
        self._begun = True

    def acknowledge(self) -> None:
        """Whoever asked for it has been told that it is done."""
        self._plain["write"](self._told, b"acknowledged\n")

    def _called(self, name: str, *arguments: Any, **named: Any) -> Any:
        self._step(name)
        return self._plain[name](*arguments, **named)

    def _written(self, name: str, file: int, data: bytes, *place: int) -> int:
        if self._begun and self._last == len(self.names):
            self._plain[name](file, bytes(data)[: len(data) // 2], *place)
        self._step(name)
        count: int = self._plain[name](file, data, *place)
        return count

    def _step(self, name: str) -> None:
        if self._begun:
            if self._last == len(self.names):
                os.kill(os.getpid(), signal.SIGKILL)
            self.names.append(name)


class Cut(NamedTuple):
    """What became of an operation that was killed before one of its steps."""

    number: int
    step: str
    killed: bool
    acknowledged: bool
    wrong: str
    """What the next process found wrong; nothing where all was as it should be."""


def cuts(operation: Operation, folder: Path) -> Iterator[Cut]:
    """Kill the operation before each of its steps. The folder is to be empty."""
    base = folder / "base"
    base.mkdir()
    assert _forked(lambda _: operation.prepare(base)).status == 0
    whole = _case(base, folder / "whole")

    async def counted(told: int) -> None:
        steps = Steps(None, told)
        await operation.act(whole, steps)
        steps._plain["write"](told, json.dumps(steps.names).encode())

    ended = _forked(counted)
    assert ended.status == 0, ended.said
    found = _forked(lambda _: operation.judge(whole, True))
    assert found.status == 0, found.said
    names = json.loads(ended.said.splitlines()[-1])
    for number, name in enumerate(names):
        case = _case(base, folder / f"cut{number}")
        ended = _forked(lambda told, at=number, place=case: operation.act(place, Steps(at, told)))  # type: ignore[misc]
        acknowledged = "acknowledged" in ended.said
        found = _forked(lambda _, place=case, was=acknowledged: operation.judge(place, was))  # type: ignore[misc]
        wrong = "" if found.status == 0 else found.said or f"status {found.status}"
        yield Cut(number, name, ended.status == -signal.SIGKILL, acknowledged, wrong)
        shutil.rmtree(case)


class _Ended(NamedTuple):
    status: int
    said: str


def _case(base: Path, place: Path) -> Path:
    shutil.copytree(base, place, symlinks=True)
    return place


def _forked(work: Callable[[int], Awaitable[None]]) -> _Ended:
    """Do it in a process of its own; returns how that ended, and what it said."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _be_child(work, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    return _Ended(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said)


def _be_child(work: Callable[[int], Awaitable[None]], told: int) -> None:
    write = os.write
    try:
        trio.run(work, told)
    except BaseException:
        write(told, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)


def operation(name: str) -> Operation:
    """The one of that name."""
    from tests.services.chunks.killed import OPERATIONS  # noqa: PLC0415 - which needs what is here

    return OPERATIONS[name]


if __name__ == "__main__":
    for cut in cuts(operation(sys.argv[1]), Path(sys.argv[2])):
        print(json.dumps(cut), flush=True)
