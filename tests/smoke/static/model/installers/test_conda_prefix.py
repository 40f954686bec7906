"""Where conda and its environments are, and which command is run in them."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from smoke.static.model.installers.conda_prefix import prefix_of, root_prefix, run_in
from tests.smoke.static.model.staged import stage


def test_where_conda_is_by_its_variables() -> None:
    made = stage("debian:12-slim")
    assert root_prefix(made) == "/opt/conda"
    made.environment["CONDA_DIR"] = "/conda"
    assert root_prefix(made) == "/conda" and prefix_of(made, {"-n": ["a"]}) == "/conda/envs/a"
    made.environment["MAMBA_ROOT_PREFIX"] = "/mamba"
    assert root_prefix(made) == "/mamba", "micromamba goes by its own"
    assert prefix_of(made, {"-n": ["root"]}) == "/mamba" and prefix_of(made, {}) == ""


OPTIONS = ["-n web", "--name=web", "-p /srv/env", "--no-capture-output", "--live-stream", "-v", "--cwd /srv"]


@given(
    st.lists(st.sampled_from(OPTIONS), max_size=4),
    st.lists(st.sampled_from(["python", "-m", "a", "-n", "other", "run", "--name=x"]), max_size=4),
)
def test_the_command_begins_behind_the_options_of_conda_run(options: list[str], rest: list[str]) -> None:
    """Options of the command itself, even those named as conda's own, are the command's."""
    command = ["main", *rest]
    found = run_in(stage(), ["conda", "run", *shlex.split(" ".join(options)), *command])
    assert found is not None and found[1] == command
    named = [each for each in options if "web" in each]
    placed = [each for each in options if "/srv/env" in each]
    assert found[0] == ("/srv/env" if placed else "/opt/conda/envs/web" if named else "/opt/conda")


def test_what_is_no_conda_run() -> None:
    assert run_in(stage(), ["conda", "list"]) is None and run_in(stage(), ["conda"]) is None
    assert run_in(stage(), ["conda", "run", "-n"]) == ("/opt/conda", [])
