"""`lucid deploy`: a node on a host over SSH, from a bare Pi to healthy, upgraded, and back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure, duration

if TYPE_CHECKING:
    from lucid.deploy.deployment import Deployment, Step

ACTIONS = ("install", "upgrade", "rollback", "status", "logs", "backup")
WENT_BACK, NOT_HEALTHY = 1, 20
BLOCKS = 2
EXTRA_NAMES = ("redis", "consul", "tor")


def expand(arguments: list[str]) -> list[str]:
    """`lucid deploy HOST` means `lucid deploy install HOST`."""
    if arguments[:1] == ["deploy"] and len(arguments) > 1 and arguments[1] not in (*ACTIONS, "-h", "--help"):
        return ["deploy", "install", *arguments[1:]]
    return arguments


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid deploy`."""
    deploy = commands.add_parser(
        "deploy",
        help="put a node on a host over SSH",
        description="Put a node on a host over SSH and look after it: lucid deploy HOST, or an action and a HOST.",
    )
    actions = deploy.add_subparsers(metavar="HOST | ACTION", required=True)
    install = _action(
        actions,
        "install",
        run_install,
        "check a host, send images, key and settings, start, wait until healthy, and try the node",
        "Exit status: 0 the node runs and works, 1 it did not and the release before runs again (if there was one), "
        "2 the host can't be used as asked; nothing was changed then.",
    )
    install.add_argument("--genesis", type=Path, metavar="FILE", help="the chain's document (first time)")
    install.add_argument("--key", type=Path, metavar="FILE", help="the node's key, used nowhere else (first time)")
    install.add_argument("--restore", type=Path, metavar="DIR", help="begin with the data of a backup (first time)")
    upgrade = _action(
        actions,
        "upgrade",
        run_install,
        "send new images to a host that has a node, and go back if they don't work",
        "Exit status: as of install.",
    )
    upgrade.set_defaults(genesis=None, key=None, restore=None, upgrade=True)
    for each in (install, upgrade):
        source = each.add_mutually_exclusive_group()
        source.add_argument("--registry", default="", metavar="PREFIX", help="the host fetches the images from there")
        source.add_argument(
            "--images", type=Path, metavar="FILE", help="send those of an archive (docker save), not of the engine here"
        )
        each.add_argument("--peer", action="append", default=[], metavar="ID@ws://HOST:PORT", help="another node")
        each.add_argument(
            "--with", action="append", default=[], dest="extras", choices=EXTRA_NAMES, help="run this beside the node"
        )
        each.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of compose.yaml")
        each.add_argument(
            "--try", choices=("full", "health"), default="full", dest="trial", help="health: for the first nodes of a "
            "chain of several, where no block can come yet"
        )  # fmt: skip
    rollback = _action(
        actions, "rollback", run_rollback, "bring the release before back", "Exit status: 0 it runs, 2 otherwise."
    )
    for each in (install, upgrade, rollback):
        each.add_argument("--dry-run", action="store_true", help="look at the host, print every step, change nothing")
    status = _action(
        actions, "status", run_status, "what runs on a host", "Exit status: 0 all are healthy, 20 not, 2 otherwise."
    )
    status.add_argument("--json", action="store_true", help="print JSON")
    logs = _action(actions, "logs", run_logs, "what the services of a host said", "Exit status: that of the host.")
    logs.add_argument("service", nargs="?", default="", metavar="SERVICE", help="one service (default: all)")
    logs.add_argument("--lines", type=int, default=100, metavar="N", help="the last lines (default 100)")
    logs.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    backup = _action(
        actions,
        "backup",
        run_backup,
        "copy a node's data to a folder here",
        "The services stand still meanwhile. Key and log of votes are no part of it. Exit status: 0 done, 2 not.",
    )
    backup.add_argument("folder_here", type=Path, metavar="DIR", help="a new folder")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
    epilog: str,
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=epilog)
    action.add_argument("host", metavar="HOST", help="what ssh takes: HOST or USER@HOST")
    action.add_argument("--ssh", default="ssh", metavar="COMMAND", help="ssh and what it is to be told (default ssh)")
    action.add_argument(
        "--dir", default="lucid", dest="folder", metavar="DIR", help="Compose's folder in the home there"
    )
    action.add_argument("--wait", type=duration, default=180_000, metavar="TIME", help="for a start (default 180s)")
    action.set_defaults(run=run, upgrade=False)
    return action


@contextmanager
def _deployment(options: argparse.Namespace) -> Iterator[Deployment]:
    """The host's node, looked at; what goes wrong with it is one sentence."""
    from lucid.deploy.deployment import Deployment
    from lucid.deploy.host import DeployError, Host

    try:
        with Host(options.host, options.ssh) as host:
            deployment = Deployment(host, options.folder, options.wait / 1000)
            deployment.check()
            yield deployment
    except DeployError as error:
        raise Failure(str(error)) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_install(options: argparse.Namespace) -> int:
    """`lucid deploy HOST` and `lucid deploy upgrade HOST`."""
    from lucid.deploy.deployment import Wanted, perform
    from lucid.deploy.host import DeployError

    with _deployment(options) as deployment:
        _tell_checks(deployment)
        if options.upgrade:
            deployment.settings()
        wanted = Wanted(
            options.genesis,
            options.key,
            tuple(options.peer),
            tuple(options.extras),
            tuple(options.set),
            options.registry,
            options.images,
        )
        steps = deployment.plan(wanted, _restoring(deployment, options.restore))
        if options.dry_run:
            return _print_plan(steps, options.trial)
        try:
            perform(steps, _say)
            if options.trial == "full":
                _try_node(deployment)
        except DeployError as error:
            return _go_back(deployment, str(error))
        print(f"{options.host}: the node runs")
    return 0


def _restoring(deployment: Deployment, backup: Path | None) -> list[Step]:
    from lucid.deploy.backup import restore_steps

    if backup is None:
        return []
    if deployment.facts is not None and deployment.facts.installed:
        raise Failure(f"{deployment.host.name}: a node is installed there: a backup is read into a new one only")
    return restore_steps(deployment, backup)


def _tell_checks(deployment: Deployment) -> None:
    from lucid.deploy.preflight import requirements

    assert deployment.facts is not None
    for each in requirements(deployment.facts):
        _say(f"{each.name}: {each.found}" + (f" ({each.warning})" if each.warning else ""))


def _print_plan(steps: list[Step], trial: str) -> int:
    for number, step in enumerate(steps, 1):
        print(f"{number}. {step.title}")
        for line in step.command.splitlines():
            print(f"     {line}")
    if trial == "full":
        print(f"{len(steps) + 1}. try the node\n     lucid smoke live --node FILE")
    return 0


def _try_node(deployment: Deployment) -> None:
    """`lucid smoke live` against the node, through SSH. Raises `DeployError` when it fails."""
    from lucid.deploy.deployment import client_settings
    from lucid.deploy.host import DeployError
    from smoke.live.node import LiveError
    from smoke.live.run import live
    from smoke.reports.terminal import summary

    assert deployment.facts is not None
    _say("trying the node")
    deployment.check()
    with deployment.host.forwarded(deployment.addresses()) as ports, TemporaryDirectory(prefix="lucid-try-") as folder:
        genesis = Path(folder) / "genesis.toml"
        genesis.write_bytes(deployment.genesis())
        config = Path(folder) / "client.toml"
        config.touch(mode=0o600)
        config.write_text(client_settings(ports, deployment.settings(), genesis), encoding="utf-8")
        try:
            judgement = live(
                images=None,
                title=f"The node at {deployment.host.name}",
                blocks=BLOCKS,
                standing=config,
                emulated=deployment.facts.emulated,
                say=_say,
            )
        except LiveError as error:
            raise DeployError(str(error)) from None
    _say(summary(judgement).strip())
    if judgement.status:
        failed = [finding.message for finding in judgement.findings if finding.verdict == "fail"]
        raise DeployError(f"the node does not work: {'; '.join(failed[:3])}")


def _go_back(deployment: Deployment, why: str) -> int:
    from lucid.deploy.deployment import perform
    from lucid.deploy.host import DeployError

    _say(f"lucid: {why}")
    try:
        steps = deployment.back_steps()
    except DeployError:
        raise Failure(
            f"{deployment.host.name}: what was started is left as it is; there is no release before", 1
        ) from None
    _say("going back to the release before")
    perform(steps, _say)
    print(f"{deployment.host.name}: the release before runs again")
    return WENT_BACK


def run_rollback(options: argparse.Namespace) -> int:
    """`lucid deploy rollback HOST`."""
    from lucid.deploy.deployment import perform

    with _deployment(options) as deployment:
        deployment.settings()
        steps = deployment.back_steps()
        if options.dry_run:
            return _print_plan(steps, "health")
        perform(steps, _say)
        print(f"{options.host}: the release before runs again; lucid deploy rollback goes forward again")
    return 0


def run_status(options: argparse.Namespace) -> int:
    """`lucid deploy status HOST`."""
    from lucid.deploy import release

    with _deployment(options) as deployment:
        deployment.settings()
        states = deployment.states()
        images = release.there(deployment.host, release.current())
        healthy = all("(healthy)" in states.get(service, "") for service in release.IMAGES)
    if options.json:
        print(json.dumps({"host": options.host, "healthy": healthy, "services": states, "images": images}))
    else:
        for service, state in states.items():
            image = images.get(f"{release.IMAGES.get(service, '')}:{release.LATEST}", "")
            print(f"{service:12} {state:32} {image[7:19]}".rstrip())
    return 0 if healthy else NOT_HEALTHY


def run_logs(options: argparse.Namespace) -> int:
    """`lucid deploy logs HOST`."""
    with _deployment(options) as deployment:
        deployment.settings()
        if options.service and options.service not in (known := deployment.states()):
            raise Failure(f"{options.service!r} is none of {', '.join(known)}")
        follow = "--follow " if options.follow else ""
        command = deployment.compose(f"logs --no-color {follow}--tail {max(0, options.lines)} {options.service}")
        return deployment.host.follow(command.rstrip())


def run_backup(options: argparse.Namespace) -> int:
    """`lucid deploy backup HOST DIR`."""
    from lucid.deploy.backup import back_up

    with _deployment(options) as deployment:
        deployment.settings()
        back_up(deployment, options.folder_here, _say)
    print(f"{options.folder_here} holds the node's data, without its key and its log of votes")
    return 0
