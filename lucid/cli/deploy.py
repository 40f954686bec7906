"""`lucid deploy`: a node on a host over SSH, from a bare Pi to healthy, upgraded, and back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucid.cli.arguments import duration
from lucid.cli.deploychange import change, print_plan, say, tell, trial_step, undo
from lucid.cli.failure import Failure

if TYPE_CHECKING:
    from lucid.deploy.deployment import Deployment, DeployRequest
    from lucid.deploy.plan import Step

ACTIONS = ("install", "upgrade", "rollback", "status", "logs", "token", "backup", "remove")
NOT_HEALTHY = 20
NOT_STARTED = 1
EXTRA_NAMES = ("redis", "consul", "tor")
_STATUSES = (
    "Exit status: 0 the node runs and works; 1 it did not, and the release before runs again; 2 it cannot be done as "
    "asked, and nothing that runs was changed; 3 it did not work, and there is no release before: what was started is "
    "left as it is; 4 it did not work, and the release before could not be brought back; 130 interrupted half way."
)


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
    _register_changes(actions)
    _register_care(actions)


def _register_changes(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What changes which release runs."""
    install = _action(
        actions,
        "install",
        run_install,
        "check a host, send images, key and settings, start, wait until healthy, and try the node",
        _STATUSES,
    )
    install.add_argument("--genesis", type=Path, metavar="FILE", help="the chain's document (first time)")
    install.add_argument("--key", type=Path, metavar="FILE", help="the node's key, used nowhere else (first time)")
    install.add_argument("--restore", type=Path, metavar="DIR", help="begin with the data of a backup (first time)")
    upgrade = _action(
        actions,
        "upgrade",
        run_install,
        "send new images or settings to a host that has a node, and go back if they do not work",
        _STATUSES,
    )
    upgrade.set_defaults(genesis=None, key=None, restore=None, upgrade=True)
    for each in (install, upgrade):
        _register_wanted(each)
    rollback = _action(
        actions,
        "rollback",
        run_rollback,
        "bring the release before back, or what ran before an upgrade that was not finished",
        "Exit status: 0 it runs; 1 it is not healthy, and the release that ran runs again; 2 there is none, and "
        "nothing was changed; 4 neither runs; 130 interrupted half way.",
    )
    remove = _action(
        actions,
        "remove",
        run_remove,
        "take a node's containers, images and files off a host",
        "Its key, chain, sessions and chunks stay unless --with-data is given. Exit status: 0 done, 2 not.",
    )
    remove.add_argument("--with-data", action="store_true", help="its key, chain, sessions and chunks too, permanently")
    for each in (install, upgrade, rollback, remove):
        each.add_argument("--dry-run", action="store_true", help="look at the host, print every step, change nothing")


def _register_wanted(action: argparse.ArgumentParser) -> None:
    source = action.add_mutually_exclusive_group()
    source.add_argument("--registry", default="", metavar="PREFIX", help="registry that the host pulls the images from")
    source.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="send the images of this archive (docker save) instead of the local engine's",
    )
    source.add_argument(
        "--keep-images", action="store_true", help="send no images: change settings only; needs no Docker here"
    )
    many: dict[str, Any] = {"action": "append", "default": []}
    action.add_argument("--peer", metavar="ID@tcp://HOST:PORT", help="add a node, or its new address", **many)
    action.add_argument("--no-peer", metavar="ID", help="leave a node out again", **many)
    action.add_argument("--with", dest="extras", choices=EXTRA_NAMES, help="run this beside the node", **many)
    action.add_argument("--without", choices=EXTRA_NAMES, help="no longer run this beside the node", **many)
    action.add_argument("--set", metavar="NAME=VALUE", help="a variable of compose.yaml", **many)
    action.add_argument(
        "--try",
        choices=("full", "health"),
        default="full",
        dest="trial",
        help="health: for the first nodes of a chain of several, where no block can come yet, and for a lone node that "
        "was restored",
    )


def _register_care(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What looks, and copies."""
    status = _action(
        actions,
        "status",
        run_status,
        "what runs on a host",
        "Exit status: 0 all services are healthy, 20 some are not, 2 otherwise.",
    )
    status.add_argument("--json", action="store_true", help="print JSON")
    logs = _action(actions, "logs", run_logs, "what the services of a host said", "Exit status: that of the host.")
    logs.add_argument("service", nargs="?", default="", metavar="SERVICE", help="one service (default: all)")
    logs.add_argument("--lines", type=int, default=100, metavar="N", help="the last lines (default 100)")
    logs.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    _action(actions, "token", run_token, "print the token for lucid anchor", "Exit status: 0 printed, 2 not.")
    backup = _action(
        actions,
        "backup",
        run_backup,
        "copy a node's data to a folder here",
        "Most chunks are copied first; for the rest the services are stopped, and started again even if the "
        "connection is lost. Key and log of votes are not part of it. Exit status: 0 done; 1 the copy is whole, but "
        "the node was "
        "not started again; 2 there is no copy.",
    )
    backup.add_argument("folder_here", type=Path, metavar="DIR", help="a new folder; DIR.part until it is whole")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
    epilog: str,
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=epilog)
    action.add_argument("host", metavar="HOST", help="what ssh takes: HOST or USER@HOST")
    action.add_argument("--ssh", default="ssh", metavar="COMMAND", help="ssh with its options (default ssh)")
    action.add_argument(
        "--dir", default="lucid", dest="folder", metavar="DIR", help="Compose's folder in the home there"
    )
    action.add_argument(
        "--wait", type=duration, default=180_000, metavar="TIME", help="how long a start may take (default 180s)"
    )
    action.set_defaults(run=run, upgrade=False)
    return action


@contextmanager
def _deployment(options: argparse.Namespace) -> Iterator[Deployment]:
    """The host's node, looked at; what goes wrong with it is one sentence."""
    from lucid.deploy.deployment import Deployment
    from lucid.deploy.host import DeployError, Host

    try:
        with Host(options.host, options.ssh) as host:
            deployment = Deployment(host, options.folder, options.wait / 1000, say)
            deployment.check()
            yield deployment
    except DeployError as error:
        raise Failure(str(error)) from None


def run_install(options: argparse.Namespace) -> int:
    """`lucid deploy HOST` and `lucid deploy upgrade HOST`."""
    with _deployment(options) as deployment:
        _tell_checks(deployment)
        deployment.check_fit()
        if options.upgrade:
            deployment.settings()
        begin, restoring = _restoring(deployment, options)
        steps = deployment.plan(_wanted(options), restoring, begin=begin)
        if options.trial == "full":
            steps.append(trial_step(deployment))
        steps.append(deployment.accept_step())
        if options.dry_run:
            return print_plan(steps)
        status = change(deployment, steps, f"lucid deploy {'upgrade' if options.upgrade else 'install'}")
        if status == 0:
            tell(f"{options.host}: the node runs")
    return status


def _wanted(options: argparse.Namespace) -> DeployRequest:
    from lucid.deploy.deployment import DeployRequest
    from lucid.deploy.settings import Changes

    changes = Changes(*map(tuple, (options.peer, options.no_peer, options.extras, options.without, options.set)))
    return DeployRequest(options.genesis, options.key, changes, options.registry, options.images, options.keep_images)


def _restoring(deployment: Deployment, options: argparse.Namespace) -> tuple[list[Step], list[Step]]:
    """The steps of a restore: before all others, and before the start."""
    from lucid.deploy.backup import begin_steps, restore_steps
    from lucid.deploy.identity import read_identity

    if options.restore is None:
        return [], []
    if options.key is None or options.genesis is None:
        raise Failure("--restore: name the node's --genesis and its --key too")
    who = read_identity(options.key, options.genesis)
    deployment.restored = True
    return begin_steps(deployment, options.restore, who), restore_steps(deployment, options.restore)


def _tell_checks(deployment: Deployment) -> None:
    from lucid.deploy.preflight import requirements

    for each in requirements(deployment.facts):
        say(f"{each.name}: {each.found}" + (f" ({each.warning})" if each.warning else ""))
    if unfinished := deployment.facts.unfinished:
        say(f"one {unfinished} before this was not finished")


def run_rollback(options: argparse.Namespace) -> int:
    """`lucid deploy rollback HOST`."""
    from lucid.deploy import release

    with _deployment(options) as deployment:
        deployment.must_be_installed()
        host, unfinished = options.host, deployment.facts.unfinished
        if unfinished == release.UPGRADE:
            steps = [*deployment.back_steps(release.BEFORE_FOLDER), deployment.forget_step()]
            return print_plan(steps) if options.dry_run else undo(deployment, steps)
        steps = [
            deployment.record_step(release.ROLLBACK),
            *deployment.back_steps(release.PREVIOUS_FOLDER),
            deployment.accept_step(),
        ]
        if options.dry_run:
            return print_plan(steps)
        status = change(deployment, steps, "lucid deploy rollback")
        if status == 0:
            tell(f"{host}: the release before runs again; lucid deploy rollback goes forward again")
    return status


def run_status(options: argparse.Namespace) -> int:
    """`lucid deploy status HOST`."""
    from lucid.deploy import images as images_there
    from lucid.deploy import release
    from lucid.deploy.preflight import requirements

    with _deployment(options) as deployment:
        deployment.must_be_installed(restored=False)
        facts = deployment.facts
        states = deployment.states()
        images = images_there.there(deployment.host, release.current())
        healthy = all("(healthy)" in states.get(service, "") for service in release.IMAGES)
    warnings = [f"{each.name}: {each.found}; {each.lacking}" for each in requirements(facts) if each.lacking]
    if facts.restoring:
        warnings.append("a backup was restored only in part: repeat the install with --restore")
    elif facts.unfinished:
        warnings.append(f"{facts.unfinished}: not finished; the same command goes on, lucid deploy rollback undoes it")
    if options.json:
        tell(
            json.dumps(
                {"host": options.host, "healthy": healthy, "services": states, "images": images, "warnings": warnings}
            )
        )
        return 0 if healthy else NOT_HEALTHY
    for service, state in states.items():
        image = images.get(f"{release.IMAGES.get(service, '')}:{release.LATEST}", "")
        tell(f"{service:12} {state:32} {image[7:19]}".rstrip())
    for warning in warnings:
        say(f"warning: {warning}")
    return 0 if healthy else NOT_HEALTHY


def run_logs(options: argparse.Namespace) -> int:
    """`lucid deploy logs HOST`."""
    with _deployment(options) as deployment:
        deployment.settings()
        if options.service and options.service not in (known := deployment.states()):
            raise Failure(f"{options.service!r} must be one of {', '.join(known)}")
        follow = "--follow " if options.follow else ""
        command = deployment.compose(f"logs --no-color {follow}--tail {max(0, options.lines)} {options.service}")
        return deployment.host.follow(command.rstrip())


def run_token(options: argparse.Namespace) -> int:
    """`lucid deploy token HOST`."""
    with _deployment(options) as deployment:
        tell(deployment.settings()["LUCID_API_TOKENS"].partition(",")[0])
    return 0


def run_backup(options: argparse.Namespace) -> int:
    """`lucid deploy backup HOST DIR`."""
    from lucid.deploy.backup import NotStarted, back_up

    with _deployment(options) as deployment:
        deployment.must_be_installed()
        deployment.settings()
        try:
            back_up(deployment, options.folder_here)
        except NotStarted as error:
            raise Failure(str(error), NOT_STARTED) from None
    tell(f"{options.folder_here} holds the node's data, without its key and its log of votes")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """`lucid deploy remove HOST`."""
    from lucid.deploy.plan import perform

    with _deployment(options) as deployment:
        steps = deployment.remove_steps(options.with_data)
        if options.dry_run:
            return print_plan(steps)
        perform(steps, say)
        kept = "" if options.with_data else "; its key, chain, sessions and chunks are still there"
        tell(f"{options.host}: the node is gone{kept}")
    return 0
