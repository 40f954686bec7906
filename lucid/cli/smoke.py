"""`lucid smoke static`, `image`, `live` and `all`: the smoke checks, on any tree."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lucid.cli.failure import Failure
from lucid.cli.smokeinit import add_init, root_option
from lucid.cli.smokereports import report_options, wanted_reports, write_reports

if TYPE_CHECKING:
    from smoke.judgment import Judgment
    from smoke.static.treejudge import Say
    from smoke.subject import Subject

    Kinds = argparse._SubParsersAction[argparse.ArgumentParser]
    Judge = Callable[[argparse.Namespace, Subject, Say], Judgment]

LOADED_LATE = ("packaging", "yaml", "tree_sitter", "tree_sitter_bash")
"""What `[static]` brings and a check loads only for a tree that has something for it to read."""
LIVE_OPTIONS = ("blocks", "mongod", "redis", "consul")
"""What a node of Lucid is tried with."""
GARBAGE = 50_000
"""Objects made before garbage is looked for: a tree has many and no cycles, and a tenth of a run went there."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lucid smoke`."""
    smoke = commands.add_parser(
        "smoke",
        help="would the containers of a tree start?",
        description="Would a tree's containers start, isolated and healthy?",
    )
    kinds = smoke.add_subparsers(metavar="KIND", required=True)
    for add in (_add_static, _add_image, _add_live, _add_all, add_init):
        add(kinds)


def _add_static(kinds: Kinds) -> None:
    static = kinds.add_parser(
        "static",
        help="judge a tree from its files alone",
        description="Judge what a tree's containers would do when started, from its files alone: nothing is built, "
        "nothing of the tree is run, no network is used. An inconclusive check is skipped, with the reason.",
        epilog="Exit status: 0 nothing critical failed, 1 something did, 2 the harness could not do its work. "
        "Without a smoke.toml, every Dockerfile is found and the rest is inferred.",
    )
    _judges_by(static, _judge_files)
    _static_options(static)


def _add_image(kinds: Kinds) -> None:
    image = kinds.add_parser(
        "image",
        help="build the images, or look at those that were built",
        description="Look at the images of smoke.toml, in the engine that DOCKER_HOST names (unix://, tcp:// or "
        "ssh://): what they are, what they hold, whether all modules load in them. With --build they are built first, "
        "by the docker command.",
        epilog="Exit status: 0 nothing critical failed, 1 something did, 2 no engine or image is there.",
    )
    _judges_by(image, _judge_images)
    _image_options(image)


def _add_live(kinds: Kinds) -> None:
    live = kinds.add_parser(
        "live",
        help="exercise a node and inject failures",
        description="Run the services of smoke.toml in hardened containers (the engine that DOCKER_HOST names) or, "
        "with --host, as processes; use them, stop and kill them, and take everything away again. With --node, use a "
        "node of Lucid that runs already, without stopping or killing anything of it.",
        epilog="Exit status: 0 nothing critical failed, 1 something did, 2 the node could not be run.",
    )
    _judges_by(live, _judge_live)
    _live_options(live)


def _add_all(kinds: Kinds) -> None:
    everything = kinds.add_parser(
        "all",
        help="all three, in one report",
        description="Judge the files, then the images, then a node in containers of them. Where no engine answers, "
        "images are skipped, and the node is run as processes.",
        epilog="Exit status: 0 nothing critical failed, 1 something did, 2 the harness could not do its work.",
    )
    _judges_by(everything, _judge_all)
    for add_options in (_static_options, _image_options, _live_options):
        add_options(everything)


def _judges_by(command: argparse.ArgumentParser, judge: Judge) -> None:
    """What every kind that judges has."""
    root_option(command)
    report_options(command)
    command.set_defaults(judge=judge, run=run_checks)


def _static_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--manifest", type=Path, metavar="FILE", help="what the tree is held to (default: its smoke.toml)"
    )
    command.add_argument("--literal", action="store_true", help="also run the original report's greps")


def _image_options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(manifest=None)
    command.add_argument("--build", action="store_true", help="build each image first, as its manifest says")
    command.add_argument(
        "--again", action="store_true", help="build each again from a younger copy: the result must be identical"
    )
    command.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE", help="a build argument")
    command.add_argument(
        "--network", default="", metavar="NAME", help="network that builds may use (none: no network access)"
    )
    command.add_argument(
        "--budget", type=int, default=135, metavar="MB", help="size that an image may have (default 135)"
    )
    command.add_argument(
        "--journals", type=Path, metavar="DIR", help="journals of a run with real signatures, to replay"
    )
    command.add_argument(
        "--sbom", type=Path, metavar="DIR", help="write each image's bill of materials (CycloneDX) there"
    )


def _live_options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(manifest=None)
    where = command.add_mutually_exclusive_group()
    where.add_argument("--host", action="store_true", help="processes of this machine in place of containers")
    where.add_argument("--node", type=Path, metavar="FILE", help="client settings for a node that is already running")
    command.add_argument("--blocks", type=int, metavar="N", help="blocks whose times are judged (default 4)")
    command.add_argument("--mongod", metavar="PROGRAM", help="the mongod to try the services on (default: on the PATH)")
    command.add_argument("--redis", metavar="PROGRAM", help="the redis-server to try them on (default: on the PATH)")
    command.add_argument("--consul", metavar="PROGRAM", help="the consul to register them at (default: on the PATH)")


def run_checks(options: argparse.Namespace) -> int:
    """`lucid smoke static`, `image`, `live` and `all`."""
    _load_msgspec()
    try:
        from smoke.live.failure import LiveError
        from smoke.manifestfile import ManifestError
        from smoke.subject import find_subject
    except ModuleNotFoundError as error:
        raise _lacking(error.name or "") from None
    for module in LOADED_LATE:
        if find_spec(module) is None:
            raise _lacking(module)

    wanted = wanted_reports([*options.report, *(["json"] if options.json else [])])
    try:
        subject = find_subject(options.root, options.manifest, options.profile)
        with _progress(long=options.judge is not _judge_files) as say:
            judgment = options.judge(options, subject, say)
    except (ManifestError, LiveError) as error:
        raise Failure(str(error)) from None
    write_reports(judgment, wanted or [("text", None)])
    return int(judgment.status)


def _lacking(name: str) -> Failure:
    return Failure(f"{name} is missing: pip install 'lucid-blocks[static]' brings it")


def _load_msgspec() -> None:
    """Load msgspec as it loads where there is no typing_extensions, of which it needs nothing from Python 3.11 on.

    That module took a twentieth of the time that the checks need to start."""
    if "msgspec" in sys.modules or "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]


def _judge_files(options: argparse.Namespace, subject: Subject, say: Say) -> Judgment:
    from smoke.static.treejudge import judge

    gc.set_threshold(GARBAGE)
    return judge(subject, strict=options.strict, literal=options.literal, say=say)


def _judge_images(options: argparse.Namespace, subject: Subject, say: Say) -> Judgment:
    from smoke.image.build import Builder
    from smoke.image.imagejudge import Wanted, look_at_images

    if not any(service.image for service in subject.manifest.services):
        raise Failure(f"{options.root}: no smoke.toml names images there")
    for argument in options.build_arg:
        if "=" not in argument:
            raise Failure(f"--build-arg: {argument!r} must be NAME=VALUE")
    wanted = Wanted(
        build=options.build,
        again=options.again,
        budget=options.budget * 1_000_000,
        journals=options.journals,
        sbom=options.sbom,
    )
    builder = Builder(arguments=dict(each.split("=", 1) for each in options.build_arg), network=options.network)
    return look_at_images(subject, wanted, builder, strict=options.strict, say=say)


def _judge_live(options: argparse.Namespace, subject: Subject, say: Say) -> Judgment:
    from functools import partial

    from harness.live.product import Lucid, product
    from smoke.live.nodejudge import live
    from smoke.live.plain import product_of

    manifest = subject.manifest
    given = {name: value for name in LIVE_OPTIONS if (value := getattr(options, name)) is not None}
    # A tree that says nothing of what runs: the services are those that this command comes with.
    ours = not manifest.services and manifest.live.plugin is None
    known = product(manifest, given) if ours else product_of(options.root, manifest, given)
    if given and not isinstance(known, Lucid):
        raise Failure(f"--{next(iter(given))}: {subject.manifest_name} has no plug-in that knows it")
    standing = None
    if options.node is not None:
        if not isinstance(known, Lucid):
            raise Failure(f"--node: {subject.manifest_name} has no plug-in that knows nodes that run already")
        standing = partial(known.standing, settings=options.node)
    containers = not options.host and options.node is None
    lacking = [name for name, service in known.services.items() if service.image is None]
    if containers and lacking:
        raise Failure(
            f"{options.root}: its smoke.toml names no image of {' and '.join(lacking)}; --host runs processes"
        )
    return live(
        known,
        title=manifest.title,
        containers=containers,
        standing=standing,
        strict=options.strict,
        say=say,
    )


def _judge_all(options: argparse.Namespace, subject: Subject, say: Say) -> Judgment:
    from msgspec.structs import replace

    from smoke.image.environment import ENVIRONMENT
    from smoke.live.containers import connect
    from smoke.live.failure import LiveError

    files = _judge_files(options, subject, say)
    findings = [*files.findings]
    try:
        connect().close()
    except LiveError as error:
        options.host = options.node is None
        findings.append(ENVIRONMENT.skip(str(error)))
    else:
        findings += _judge_images(options, subject, say).findings
    findings += _judge_live(options, subject, say).findings
    return replace(files, findings=tuple(findings))


@contextmanager
def _progress(long: bool = False) -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is under way; where nobody looks, one for each step of a `long` run."""
    if not sys.stderr.isatty():
        began = time.monotonic()
        yield lambda text: print(f"{time.monotonic() - began:5.0f} s  {text}", file=sys.stderr) if long else None
        return
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        yield lambda text: None
        return
    with Console(stderr=True).status("") as status:
        yield status.update
