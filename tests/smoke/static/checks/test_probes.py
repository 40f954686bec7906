"""Health checks as words: what they start, and which ports they ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.checks.probes import health_programs, ports_asked
from smoke.static.model.image import HealthCheck
from tests.smoke.cases import outcomes


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("curl http://localhost:8080/health", {8080}),
        ("curl 127.0.0.1:80", {80}),
        ("curl http://[::1]:81/", {81}),
        ("s.connect(('localhost', 5432))", {5432}),
        ('s.connect(("0.0.0.0", 6379))', {6379}),
        ("curl http://localhost/", set()),
        ("curl http://example.org:8080", set()),
        ("pg_isready -p 5432", set()),
        ("curl http://localhost:8080 && curl http://localhost:9090", {8080, 9090}),
    ],
)
def test_ports_of_this_machine_alone_are_asked(text: str, ports: set[int]) -> None:
    """What another machine answers at says nothing of this container."""
    assert ports_asked(text) == ports


@given(st.integers(10, 65535), st.sampled_from(["localhost", "127.0.0.1", "0.0.0.0", "[::1]"]))
def test_a_port_is_found_behind_each_name_of_this_machine(port: int, host: str) -> None:
    assert ports_asked(f"wget -qO- http://{host}:{port}/") == {port}


@pytest.mark.parametrize(
    ("words", "shell_form", "programs"),
    [
        (("curl", "-f", "x"), False, ["curl"]),
        (("curl -f x || exit 1",), True, ["curl"]),
        (("curl -f x || wget x",), True, []),
        (("",), False, []),
        ((), False, []),
    ],
)
def test_programs_that_decide(words: tuple[str, ...], shell_form: bool, programs: list[str]) -> None:
    assert health_programs(HealthCheck(1, words, shell_form)) == programs


ROUTED = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\ndef root():\n    return {}\n"


@pytest.mark.parametrize(
    ("check", "main", "lost"),
    [
        ("curl -fsS http://localhost:8000/health", ROUTED, True),
        ("curl http://localhost:8000/health", ROUTED, False),
        ("curl -f http://localhost:8000/", ROUTED, False),
        ("curl -f http://localhost:8000/docs", ROUTED, False),
        ("curl -f http://localhost:8000/health", ROUTED.replace("'/'", "'/health'"), False),
        ("curl -f http://localhost:8000/health", ROUTED.replace("'/'", "'/{rest:path}'"), False),
        ("curl -f http://localhost:8000/health", ROUTED.replace("'/'", "PATHS[0]") + "from lost import *\n", False),
    ],
)
def test_a_path_that_no_module_has(tmp_path: Path, check: str, main: str, lost: bool) -> None:
    packages = "RUN apt-get update && apt-get install -y curl && pip install fastapi uvicorn\n"
    start = 'CMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n'
    text = f"FROM python:3.12-slim\n{packages}COPY main.py .\nHEALTHCHECK CMD {check}\n{start}"
    found = outcomes(tmp_path, {"Dockerfile": text, "main.py": main}, "dockerfile.health")
    assert any(kind == "critical" and "no module that is loaded" in message for kind, message in found) == lost
