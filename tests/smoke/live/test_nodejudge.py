"""The live checks on a tree that has nothing to do with Lucid, run as processes of this machine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lucid.cli.main import main
from smoke.finding import Finding, Verdict
from smoke.judgment import Judgment
from smoke.live.failure import LiveError
from smoke.live.nodejudge import live
from smoke.live.plain import product_of
from smoke.manifestfile import read_manifest
from tests.smoke.live.shop import FRONT, MANIFEST, WORKER, write_shop

ROOT = Path(__file__).parents[3]


def tried(root: Path) -> Judgment:
    manifest = read_manifest(root / "smoke.toml")
    return live(product_of(root, manifest, {}), title=manifest.title, containers=False)


def failed(judgment: Judgment) -> list[Finding]:
    return [each for each in judgment.findings if each.verdict is Verdict.FAIL]


def odd(*words: str, manifest: str = MANIFEST, start_s: int = 60) -> str:
    """A manifest whose first service behaves oddly."""
    changed = manifest.replace('NAME = "shop",', f'NAME = "shop", ODD = "{" ".join(words)}",', 1)
    return changed.replace("start_s = 60", f"start_s = {start_s}").replace("grace_s = 5", "grace_s = 2")


def test_a_tree_of_three_services_is_started_used_killed_and_stopped(tmp_path: Path) -> None:
    judgment = tried(write_shop(tmp_path, MANIFEST + FRONT + WORKER))
    assert not failed(judgment), failed(judgment)
    assert judgment.title == "Shop" and judgment.services == ("shop", "front", "worker")
    said = {(each.check, each.subject, each.message) for each in judgment.findings if each.verdict is Verdict.PASS}
    assert ("live.health", "shop", '{"status": "healthy", "service": "shop"}') in said
    assert ("live.health", "worker", "it runs") in said
    assert ("live.api", "shop", "GET /orders answers 200") in said
    assert ("live.api", "shop", "POST /orders answers 400") in said
    assert ("live.api", "shop", "GET /orders/0 answers 404") in said, "a name stands in for the braces"
    assert ("live.api", "front", "GET /shop answers 200") in said, "it was told where the other answers"
    assert {check for check, _, _ in said} == {"live.health", "live.api", "live.lifecycle"}
    skipped = [each for each in judgment.findings if each.verdict is Verdict.SKIP]
    assert [each.check for each in skipped] == ["live.hardened"], "processes are not containers"


WRONG = {
    "it gives another name": (MANIFEST.replace('service = "shop"', 'service = "market"'), "health", '"market"}'),
    "it is degraded": (odd("degraded", start_s=10), "health", "shop is not healthy after 10 s: {'status': 'degraded'"),
    "it dies": (odd("dies"), "health", "shop has ended: there is no database"),
    "its program is missing": (MANIFEST.replace("{python}", "{root}/python"), "health", "shop cannot be started"),
    "it has no command": (MANIFEST.replace('command = ["{python}", "{root}/server.py"]\n', ""), "health", "no command"),
    "it lacks what its manifest names": (
        MANIFEST.replace('"GET /orders"', '"GET /goods"'),
        "api",
        "/goods answers 404",
    ),
    "it is deaf to SIGTERM": (odd("deaf"), "lifecycle", "137"),
    "it does not come back": (odd("locks"), "lifecycle", "shop has ended: locked: it has not ended well"),
    "it ends with its neighbor": (
        MANIFEST + odd("clings", manifest=FRONT.replace('"front",', '"shop",')),
        "health",
        "it ended when shop did",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_is_found_by_its_check(tmp_path: Path, fault: str) -> None:
    manifest, check, says = WRONG[fault]
    judgment = tried(write_shop(tmp_path, manifest))
    assert {each.check for each in failed(judgment)} == {f"live.{check}"}, failed(judgment)
    assert any(says in each.message for each in failed(judgment)), failed(judgment)
    assert judgment.status == 1


def test_endpoints_that_are_not_there_or_fail_are_named(tmp_path: Path) -> None:
    wanted = 'endpoints = ["GET /orders", "POST /goods", "PUT /orders", "POST /orders", "DELETE /goods/{number}"]'
    manifest = odd("fails", "crashes", manifest=re.sub("endpoints = .*", wanted, MANIFEST))
    found = {each.message for each in failed(tried(write_shop(tmp_path, manifest)))}
    assert found == {
        "GET /orders answers 500",
        "POST /goods answers 404",
        "PUT /orders answers 501",
        "DELETE /goods/0 answers 501",
        "a path that it does not have is answered 500",
    }


def test_the_command_tries_a_tree_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_shop(tmp_path)
    assert main(["smoke", "live", "--host", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == 0
    assert not servers(root)


def servers(root: Path) -> list[str]:
    """Processes that run the tree's server."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue  # it has ended meanwhile
        if f"{root}/server.py".encode() in words:
            found.append(entry.name)
    return found


def test_sigterm_takes_the_services_away(tmp_path: Path) -> None:
    root = write_shop(tmp_path)
    command = [sys.executable, "-m", "lucid.cli.main", "smoke", "live", "--host", "--root", str(root)]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not servers(root):
            assert time.monotonic() < deadline and run.poll() is None
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 130
    finally:
        run.kill()
        run.wait()
        for left in servers(root):
            os.kill(int(left), signal.SIGKILL)
    assert not servers(root)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", "--blocks", "2"], "--blocks: "),
        (["--node", "client.toml"], "--node: "),
        ([], "names no image of shop; --host runs processes"),
    ],
)
def test_what_a_tree_has_no_plug_in_for_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    root = write_shop(tmp_path)
    assert main(["smoke", "live", "--root", str(root), *words]) == 2
    said = capsys.readouterr().err
    assert says in said and len(said.splitlines()) == 1, said


def test_a_service_that_names_no_other_is_refused(tmp_path: Path) -> None:
    root = write_shop(tmp_path, MANIFEST + FRONT.replace("{url:shop}", "{url:shops}"))
    with pytest.raises(LiveError, match=r"service front: \{url:shops\} is not a service with a port"):
        tried(root)
    with pytest.raises(LiveError, match="names no services"):
        tried(write_shop(tmp_path / "empty", 'title = "x"\n'))
