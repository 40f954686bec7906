"""What stops dash."""

from __future__ import annotations

import pytest

from smoke.static.model.dash import dash_stops, has_dash
from tests.smoke.static.model.staged import stage


@pytest.mark.parametrize(
    "line",
    [
        *["a=(1 2)", "cat <(echo a)", "cat <<<text", "echo ${name//a/b}", "echo ${name^^}", "echo ${names[0]}"],
        *["echo ${!x}", "echo ${x:1:2}", "echo ${x: -1}", "set -o pipefail", "set -euo pipefail"],
    ],
)
def test_what_only_bash_reads_stops_it(line: str) -> None:
    assert dash_stops(f"#!/bin/sh\n{line}\nexec x\n", errexit=False).startswith("line 2 ")


@pytest.mark.parametrize("line", ["source ./env", "declare a=1", "function go { echo; }"])
def test_unknown_commands_stop_it_where_a_failure_does(line: str) -> None:
    assert not dash_stops(f"{line}\nexec x\n", errexit=False)
    assert dash_stops(f"{line}\nexec x\n", errexit=True)


@pytest.mark.parametrize(
    "text",
    [
        "exec serve --port ${PORT:-8000} --host ${HOST:-0.0.0.0} ${N:-1} ${M:=5} ${O:+3}",
        "echo ${name%%a} ${name##*/} ${name:-b} ${#name} ${name:+c}",
        "if false; then echo ${name//a/b}; fi",
        "source ./env || true",
        "echo 'a=(1 2)' \"<(b)\"",
        "cat <<END\n${name}\na=(b)\nEND",
        "local a=1\nexport b=2\ngo() { echo; }",
        "set -e",
    ],
)
def test_what_it_can_read_is_left_alone(text: str) -> None:
    assert dash_stops(f"#!/bin/sh\n{text}\n", errexit=True) == ""


@pytest.mark.parametrize(("base", "has"), [("debian:12-slim", True), ("alpine:3.20", False)])
def test_debian_has_it(base: str, has: bool) -> None:
    assert has_dash(stage(base)) is has
