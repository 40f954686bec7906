"""The host's network as it was before a Docker engine ran, so that it can be put back as it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
TABLES = ("nat", "filter")
_CHAIN = re.compile(r"^-N (DOCKER\S*)$")
_DOCKERS = re.compile(r"(?:^| )(?:-j DOCKER\S*|[io!]* ?-[io] (?:docker0|br-[0-9a-f]{12}))(?: |$)")
_POLICY = re.compile(r"^-P FORWARD (\S+)$")
_BRIDGE = re.compile(r"^(docker0|br-[0-9a-f]{12})$")


class Network:
    """Forwarding, filter rules and bridges of this machine. `environment` is where `iptables` and `ip` are found."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def remember(self, path: Path) -> None:
        """Write down what an engine will change. Raises OSError and CalledProcessError."""
        before = {
            "forwarding": FORWARDING.read_text(encoding="ascii").strip(),
            "policy": self._policy(),
            "bridges": self._bridges(),
            "rules": {table: self._rules(table) for table in TABLES},
        }
        path.write_text(json.dumps(before), encoding="utf-8")

    def restore(self, path: Path) -> None:
        """Put back what `remember` wrote down, and take away what Docker added since: its rules, chains and bridges.

        Rules that others have made meanwhile stay. Raises OSError and CalledProcessError.
        """
        before = json.loads(path.read_text(encoding="utf-8"))
        for table in TABLES:
            self._clear(table, before["rules"][table])
        for bridge in self._bridges():
            if bridge not in before["bridges"]:
                self._run("ip", "link", "delete", bridge)
        self._run("iptables", "-w", "-P", "FORWARD", before["policy"])
        FORWARDING.write_text(before["forwarding"], encoding="ascii")

    def _clear(self, table: str, before: list[str]) -> None:
        added = [rule for rule in self._rules(table) if rule not in before]
        for rule in added:
            if rule.startswith("-A ") and not rule.startswith("-A DOCKER") and _DOCKERS.search(rule):
                self._run("iptables", "-w", "-t", table, "-D", *rule.split()[1:])
        chains = [found[1] for rule in added if (found := _CHAIN.match(rule))]
        for action in ("-F", "-X"):  # chains refer to each other: empty all, then delete
            for chain in chains:
                self._run("iptables", "-w", "-t", table, action, chain)

    def _policy(self) -> str:
        found = [match[1] for rule in self._rules("filter") if (match := _POLICY.match(rule))]
        return found[0] if found else "ACCEPT"

    def _rules(self, table: str) -> list[str]:
        return self._run("iptables", "-w", "-t", table, "-S").splitlines()

    def _bridges(self) -> list[str]:
        return sorted(path.name for path in Path("/sys/class/net").iterdir() if _BRIDGE.match(path.name))

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=dict(self._environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True
        )
        return done.stdout
