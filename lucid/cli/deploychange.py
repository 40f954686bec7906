"""A change on a host that `lucid deploy` carries out: step by step, tried, and taken back where it does not work."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TextIO

from lucid.cli.failure import INTERRUPTED, Failure

if TYPE_CHECKING:
    from lucid.deploy.deployment import Deployment
    from lucid.deploy.plan import Step

WENT_BACK, NOTHING_BEFORE, ADRIFT = 1, 3, 4
BLOCKS = 2
"""Blocks that a node which is tried has to see."""


def say(text: str) -> None:
    """Say what goes on, beside the output."""
    tell(text, sys.stderr)


def tell(text: str, stream: TextIO | None = None) -> None:
    """What a reader who has gone does not read is no reason to leave a host half changed."""
    stream = stream or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def print_plan(steps: list[Step]) -> int:
    """Print every step as an operator could type it; returns the exit status."""
    for number, step in enumerate(steps, 1):
        tell(f"{number}. {step.title}")
        for line in step.command.splitlines():
            tell(f"     {line}")
    return 0


def change(deployment: Deployment, steps: list[Step], again: str) -> int:
    """Carry out a change, whose first step records what runs and whose last accepts what came; go back when it fails.

    Returns the exit status.
    """
    from lucid.deploy.plan import perform

    host = deployment.host.name
    try:
        perform(steps[:1], lambda text: None)
        try:
            perform(steps[:-1], say, done=1)
        except Exception as error:
            say(f"lucid: {_sentence(error)}")
            return _go_back(deployment)
        _accept(deployment, steps[-1])
    except KeyboardInterrupt:
        raise Failure(
            f"interrupted, and {host} is left half way: {again} {host} once more goes on, lucid deploy rollback {host} "
            "brings back what ran before",
            INTERRUPTED,
        ) from None
    return 0


def _accept(deployment: Deployment, step: Step) -> None:
    """A node that was tried and works is not taken down again because the line is lost now."""
    from lucid.deploy.host import DeployError

    say(step.title)
    try:
        try:
            step.act()
        except DeployError:
            deployment.host.await_reachable(deployment.healthy_s)
            step.act()
    except DeployError as error:
        say(f"warning: {_sentence(error)}; the same command once more tidies up")


def _sentence(error: Exception) -> str:
    from lucid.deploy.host import DeployError

    return str(error) if isinstance(error, DeployError | OSError) else f"{type(error).__name__}: {error}"


def _go_back(deployment: Deployment) -> int:
    """Bring back what was recorded, and forget what failed: the release before stays the one before."""
    from lucid.deploy.plan import perform
    from lucid.deploy.release import BEFORE_FOLDER, NoRelease

    host = deployment.host.name
    deployment.be_patient()
    try:
        deployment.host.await_reachable(deployment.healthy_s)
        steps = deployment.back_steps(BEFORE_FOLDER)
        say("going back to the release before")
        perform([*steps, deployment.forget_step()], say)
    except NoRelease:
        raise Failure(
            f"{host}: there is no release before; what was started is left as it is", NOTHING_BEFORE
        ) from None
    except Exception as error:
        raise Failure(
            f"{host}: the release before could not be brought back: {_sentence(error)}; "
            f"lucid deploy rollback {host} tries it again",
            ADRIFT,
        ) from None
    tell(f"{host}: the release before runs again")
    return WENT_BACK


def trial_step(deployment: Deployment) -> Step:
    """The step that tries the node."""
    from lucid.deploy.plan import Step

    return Step("try the node", "# lucid smoke live --node FILE, here, through ssh", lambda: _try_node(deployment))


def _try_node(deployment: Deployment) -> None:
    """`lucid smoke live` against the node, through SSH. Raises `DeployError` when it fails."""
    from functools import partial

    from harness.live.product import product
    from lucid.deploy.deployment import client_settings
    from lucid.deploy.host import DeployError
    from smoke.live.failure import LiveError
    from smoke.live.nodejudge import live
    from smoke.manifest import Manifest
    from smoke.reports.terminal import summary

    with deployment.host.forwarded(deployment.addresses()) as ports, TemporaryDirectory(prefix="lucid-try-") as folder:
        genesis = Path(folder) / "genesis.toml"
        genesis.write_bytes(deployment.genesis())
        config = Path(folder) / "client.toml"
        config.touch(mode=0o600)
        config.write_text(client_settings(ports, deployment.settings(), genesis), encoding="utf-8")
        try:
            known = product(Manifest(), {"blocks": BLOCKS})
            judgment = live(
                known,
                title=f"The node at {deployment.host.name}",
                containers=False,
                standing=partial(known.standing, settings=config, emulated=deployment.facts.emulated),
                say=say,
            )
        except LiveError as error:
            raise DeployError(str(error)) from None
    say(summary(judgment).strip())
    if judgment.status:
        failed = [finding.message for finding in judgment.findings if finding.verdict == "fail"]
        raise DeployError(f"the node does not work: {'; '.join(failed[:3])}")


def undo(deployment: Deployment, steps: list[Step]) -> int:
    """Bring back what ran before an upgrade that was not finished; returns the exit status."""
    from lucid.deploy.host import DeployError
    from lucid.deploy.plan import perform

    host = deployment.host.name
    try:
        perform(steps, say)
    except DeployError as error:
        raise Failure(f"{error}; lucid deploy rollback {host} tries it again", ADRIFT) from None
    except KeyboardInterrupt:
        raise Failure(f"interrupted: lucid deploy rollback {host} once more goes on", INTERRUPTED) from None
    tell(f"{host}: what ran before the upgrade that was not finished runs again")
    return 0
