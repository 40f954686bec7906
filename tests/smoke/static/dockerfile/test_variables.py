"""What names stand for: the scopes of ARG and ENV."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.variables import MAX_SPENT, Variables, platform_arguments


def arg(*words: str) -> Instruction:
    return Instruction("ARG", " ".join(words), 1, 1, words=words)


def test_a_stage_sees_an_argument_before_from_only_once_it_declares_it() -> None:
    whole = Variables()
    whole.declare_global(arg("VERSION=1"))
    stage = whole.stage()
    assert stage.expand("$VERSION").text == "" and stage.expand("$VERSION").unset == ("VERSION",)
    stage.declare(arg("VERSION"))
    assert stage.expand("$VERSION").text == "1"
    assert whole.stage().expand("$VERSION").text == "", "another stage declares it again"
    assert stage.child().expand("$VERSION").text == "1", "one that builds on it does not"


def test_what_is_given_goes_before_a_default_and_env_before_both() -> None:
    stage = Variables({"A": "given"}).stage()
    assert stage.expand("$A").text == "", "an argument that is not declared is not seen"
    stage.declare(arg("A=default", "B=$A-x"))
    assert stage.expand("$A $B").text == "given given-x"
    stage.environment["A"] = "env"
    assert stage.expand("$A").text == "env"


def test_proxies_need_no_arg() -> None:
    assert Variables({"HTTP_PROXY": "p", "OTHER": "o"}).expand("$HTTP_PROXY$OTHER").text == "p"


@pytest.mark.parametrize(
    ("platform", "parts"),
    [("linux/arm64", ("linux", "arm64", "")), ("linux/arm/v7", ("linux", "arm", "v7")), ("linux", ("linux", "", ""))],
)
def test_the_platform_in_its_parts(platform: str, parts: tuple[str, str, str]) -> None:
    found = platform_arguments(platform)
    assert (found["TARGETOS"], found["TARGETARCH"], found["TARGETVARIANT"]) == parts
    assert found["TARGETPLATFORM"] == platform and found["BUILDARCH"] == "amd64"


@given(st.integers(1, 30))
def test_a_file_cannot_blow_up_by_its_own_variables(rounds: int) -> None:
    """A = AA, thirty times over, would be a gigabyte."""
    stage = Variables().stage()
    stage.declare(arg("A=" + "x" * 64))
    for _ in range(rounds):
        stage.declare(arg("A=$A$A"))
    assert len(stage.arguments["A"]) <= 2 * MAX_SPENT
