"""Processes tied to the one that started them: they end with it, and are otherwise as if it had started them itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from lucid.services.process.children import tied
from tests.waiting import wait_until

PARENT = """
import subprocess, sys, time
from lucid.services.process.children import tied
child = subprocess.Popen(tied(["sleep", "600"]))
print(child.pid, flush=True)
time.sleep(600)
"""


def program(pid: int) -> str:
    """What a process runs; nothing once it has ended, whether or not anyone took notice."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_a_child_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(lambda: program(child) == "sleep", "the child has become its command")
        parent.send_signal(signal.SIGKILL)
        parent.wait(60)
    wait_until(lambda: not program(child), "the child has ended")


def test_it_is_the_command_itself_with_its_arguments_and_its_status() -> None:
    said = "import os, sys; print(os.getpid(), sys.argv[1:]); sys.exit(7)"
    with subprocess.Popen(
        tied([sys.executable, "-c", said, "two words", "", "--flag"]), stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.read() == f"{child.pid} ['two words', '', '--flag']\n"
        assert child.wait(60) == 7


def test_one_whose_parent_has_ended_already_does_not_begin(tmp_path: Path) -> None:
    command = tied(["touch", str(tmp_path / "begun")])
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "the process that started this has ended\n")
    assert not (tmp_path / "begun").exists()


def test_a_command_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "no-program").write_text("text")
    for name, why in (("no-such-program", "No such file"), (str(tmp_path / "no-program"), "Permission denied")):
        done = subprocess.run(tied([name]), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1 and done.stderr.startswith(f"{name}: {why}") and done.stderr.count("\n") == 1
