"""What is said of a command that failed on a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from lucid.deploy.host import DeployError, Host


def test_the_last_words_of_a_command_are_shown_and_not_a_bare_status(tmp_path: Path) -> None:
    """docker-compose 1 ends with the status of what it ran, alone on a line."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n')
    ssh.chmod(0o755)
    with Host("pi1.local", str(ssh)) as host:
        for said, shown in (("the store is away\\n2", "the store is away"), ("2", "status 2")):
            with pytest.raises(DeployError, match=f"{shown}$"):
                host.run(f"printf '{said}\\n' >&2; exit 2")
