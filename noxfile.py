"""Every check and measurement of the project, each in an environment built from the hash lock. `nox -l` lists them."""

from __future__ import annotations

import nox

nox.options.reuse_existing_virtualenvs = True
# Tests come last so that pytest's own verdict closes the output.
nox.options.sessions = ["lint", "types", "contracts", "tests"]

PURE_COVERAGE_PERCENT = 95


def install(session: nox.Session) -> None:
    """Install what the lock names, checked against its hashes, and then the project itself, editable."""
    session.install("--require-hashes", "-r", "requirements.lock")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and formatting."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


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
def tests(session: nox.Session) -> None:
    """All tests; the pure packages must be covered by lines and branches. Arguments go to pytest, without the floor."""
    install(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
    else:
        session.run("pytest", "--cov", f"--cov-fail-under={PURE_COVERAGE_PERCENT}")


@nox.session
def sim(session: nox.Session) -> None:
    """The main job: the default simulated network. Arguments go to `lucid sim run`."""
    install(session)
    session.run("lucid", "sim", "run", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The simulator's speed against a bare SimPy broadcast. Arguments go to `lucid bench sim`."""
    install(session)
    session.run("lucid", "bench", "sim", *session.posargs)


@nox.session
def smoke(session: nox.Session) -> None:
    """Would this tree's containers start? Arguments go to `lucid smoke static`."""
    install(session)
    session.run("lucid", "smoke", "static", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew from pyproject.toml."""
    session.install("uv")
    options = ["--all-extras", "--generate-hashes", "--universal", "--python-version", "3.11"]
    command = ["uv", "pip", "compile", "pyproject.toml", *options, "--output-file", "requirements.lock"]
    session.run(*command, *session.posargs, env={"UV_CUSTOM_COMPILE_COMMAND": "nox -s lock"}, silent=True)
