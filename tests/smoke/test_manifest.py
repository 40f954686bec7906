"""The manifest: what is demanded of a tree, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from smoke.finding import Severity, Verdict
from smoke.manifest import PROFILES, Manifest, Service, held_to, resolved
from smoke.manifestfile import parse_manifest
from tests.smoke.cases import judge_files

PLAIN = {
    "Dockerfile": 'FROM python:3.12-slim\nCOPY worker.py /srv/\nCMD ["python", "/srv/worker.py"]\n',
    "worker.py": "usdt = 'tron'\nprint('up')\n",
    "compose.yaml": "services:\n  worker:\n    build: .\n    privileged: true\n",
}


def test_nothing_is_demanded_of_a_tree_that_asks_for_nothing(tmp_path: Path) -> None:
    for manifest in ({}, {"smoke.toml": 'title = "x"\n'}):
        judgment = judge_files(tmp_path, {**PLAIN, **manifest})
        failed = [each for each in judgment.findings if each.verdict is Verdict.FAIL]
        assert {each.severity for each in failed} == {Severity.INFO} and judgment.status == 0
        assert not any(each.check.startswith("tron.") for each in judgment.findings)


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ('profile = "step12"\n', {"dockerfile.stages", "dockerfile.user", "compose.hardening", "tron.strings"}),
        ("[policy]\ndistroless = true\n", {"dockerfile.stages"}),
        ('[policy]\nuser = "1000"\n', {"dockerfile.user"}),
        ("[policy]\nhardening = true\n", {"compose.hardening"}),
        ("[policy]\nisolation = true\n", {"tron.strings", "tron.identifiers"}),
        ("[isolation]\n", {"tron.strings", "tron.identifiers"}),
        ('profile = "step12"\n[policy]\ndistroless = false\nuser = ""\nhardening = false\nisolation = false\n', set()),
    ],
)
def test_what_is_demanded_is_held_against_the_tree(tmp_path: Path, text: str, checks: set[str]) -> None:
    judgment = judge_files(tmp_path, {**PLAIN, "smoke.toml": text})
    found = {each.check for each in judgment.findings if judgment.blocks(each)}
    assert found >= checks and (checks or not found)


def test_a_service_goes_before_the_policy_and_the_policy_before_the_profile() -> None:
    service = Service(name="a", dockerfile="Dockerfile", user="7", health="")
    held = held_to(service, PROFILES["step12"])
    assert (held.user, held.health, held.platform) == ("7", None, "linux/arm64")
    policy = resolved(parse_manifest(b'[policy]\nuser = "9"\n'), "step12").policy
    assert (policy.user, policy.health, policy.isolation) == ("9", "/health", True)
    assert resolved(Manifest()).policy.user is None
