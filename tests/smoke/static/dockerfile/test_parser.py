"""The Dockerfile reader: forms, lines, what a build refuses, an independent parser beside it, and any text at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from smoke.static.dockerfile.expansion import expand
from smoke.static.dockerfile.instructions import Dockerfile, Instruction
from smoke.static.dockerfile.parser import parse
from smoke.static.dockerfile.stages import stages_of
from smoke.static.dockerfile.variables import Variables, platform_arguments
from tests.smoke.trees import DOCKERFILE

ROOT = Path(__file__).parents[4]
SAMPLES = [
    DOCKERFILE,
    *(path.read_text() for path in sorted((ROOT / "images").glob("Dockerfile.*"))),
    'FROM a AS b\nRUN x && \\\n    y \\\n# between\n    z\nCOPY --from=b --chown=1:2 ["p q", "/r/"]\n'
    "LABEL a=b \\\n c='d e'\n",
    'from scratch\nenv A=1 B=\'2 3\'\nexpose 80 81/udp\nentrypoint ["/x", "-y"]\ncmd z\n',
]


def only(text: str) -> Instruction:
    """The one instruction that a text adds to a FROM."""
    parsed = parse(f"FROM a\n{text}")
    assert not parsed.errors and len(parsed.instructions) == 2, parsed
    return parsed.instructions[1]


def test_forms_flags_and_lines() -> None:
    copy = only('COPY --from=build --chown=65532:65532 ["a b", "/c/"]')
    assert (copy.words, copy.flag("from"), copy.flag("chown"), copy.exec_form) == (
        ("a b", "/c/"),
        "build",
        "65532:65532",
        True,
    )
    run = only("RUN one \\\n  # no matter\n\n  two")
    assert run.text.split() == ["one", "two"] and (run.line, run.last) == (2, 5)
    assert not only("CMD [not json]").exec_form
    health = only('HEALTHCHECK --interval=5s CMD ["/x"]')
    assert health.trigger is not None and health.trigger.words == ("/x",)
    assert only("ONBUILD RUN x").trigger is not None


def test_heredocs() -> None:
    parsed = parse("FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY <<-'one' <<two /x/\n\t1 $A\n\tone\n2\ntwo\nUSER u\n")
    assert [each.keyword for each in parsed.instructions] == ["FROM", "RUN", "COPY", "USER"]
    one, two = parsed.instructions[2].heredocs
    assert (one.name, one.content, one.expand) == ("one", "1 $A\n", False) and (two.content, two.expand) == (
        "2\n",
        True,
    )


def test_a_here_document_of_a_file_with_windows_line_ends_keeps_them() -> None:
    run = parse("FROM a\r\nRUN <<EOF\r\n\techo\r\nEOF\r\nUSER u\r\n").instructions[1]
    assert [each.content for each in run.heredocs] == ["\techo\r\n"]


def test_a_no_break_space_belongs_to_the_word() -> None:
    assert only("COPY a\N{NO-BREAK SPACE}b c").words == ("a\N{NO-BREAK SPACE}b", "c")
    assert only("EXPOSE 80 \N{NO-BREAK SPACE} 81").words == ("80", "\N{NO-BREAK SPACE}", "81")


def test_a_health_command_takes_no_flags_of_the_builder() -> None:
    health = only("HEALTHCHECK --retries=2 CMD --retries=3 -- x")
    assert health.flag("retries") == "2" and health.trigger is not None and health.trigger.flags == ()
    assert health.trigger.text == "--retries=3 -- x"


def test_an_escape_at_the_end_of_a_word_is_dropped() -> None:
    assert only("ARG A=1 B=2\\\\\\").words == ("A=1", "B=2\\\\")


def test_a_lone_continuation_mark_begins_an_instruction() -> None:
    assert only("\\\nRUN x").line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FORM a", 1),
        ("FROM a\nRUN true \\\\\n\\", 3),
        ("FROM a\nCOPY --form=b c d", 2),
        ("FROM a\nRUN <<EOF\nx\n", 2),
        ("FROM a\nENV", 2),
        ("", 1),
        ("RUN x", 1),
    ],
)
def test_what_a_build_refuses_is_an_error_with_its_line(text: str, line: int) -> None:
    assert [error.line for error in parse(text).errors] == [line]


def test_the_escape_directive() -> None:
    parsed = parse("# escape=`\nFROM a\nRUN x `\n  y\n")
    assert parsed.escape == "`" and len(parsed.instructions) == 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("$A", "1"), ("${A}b", "1b"), ("${C:-d}", "d"), ("${C-d}", "d"), ("${A:+e}", "e"), ("${C:+e}", ""), ("'$A'", "$A"),
     ('"$A x"', "1 x"), (r"\$A", "$A"), ("${C:-${A}}", "1"), ("$C", "")],
)  # fmt: skip
def test_variables_expand_as_docker_does(text: str, wanted: str) -> None:
    assert expand(text, {"A": "1"}).text == wanted


def test_an_argument_before_from_is_seen_in_a_stage_that_declares_it_only() -> None:
    text = "ARG V=1\nFROM base:${V} AS a\nLABEL x=${V}\nFROM a\nARG V\nLABEL y=${V}\n"
    stages = stages_of(parse(text), platform_arguments("linux/arm64"))
    assert [stage.reference for stage in stages.stages] == ["base:1", "a"] and stages.stages[1].parent == 0
    first, second = stages.variables.stage(), stages.variables.stage()
    assert first.pairs(stages.stages[0].instructions[0]) == ({"x": ""}, ("V",))
    second.declare(stages.stages[1].instructions[0])
    assert second.pairs(stages.stages[1].instructions[1]) == ({"y": "1"}, ())


@pytest.mark.parametrize("text", SAMPLES)
def test_an_independent_parser_sees_the_same_instructions(text: str, tmp_path: Path) -> None:
    other = DockerfileParser(str(tmp_path))
    other.content = text

    def plain(value: str) -> str:
        return re.sub(r"\s+", " ", value).strip()

    theirs = [
        (each["instruction"], each["startline"] + 1, plain(each["value"]))
        for each in other.structure
        if each["instruction"] != "COMMENT"
    ]
    parsed = parse(text)
    ours = [(each.keyword, each.line, plain(each.excerpt().partition(" ")[2])) for each in parsed.instructions]
    assert not parsed.errors and [each[:2] for each in ours] == [each[:2] for each in theirs]
    for (keyword, line, mine), (_, _, other_text) in zip(ours, theirs, strict=True):
        assert mine.replace(" ", "")[:900] == other_text.replace(" ", "")[:900], (keyword, line)


WORDS = [
    "FROM",
    "RUN",
    "COPY",
    "ENV",
    "ARG",
    "ONBUILD",
    "HEALTHCHECK",
    "CMD",
    "--from=x",
    "<<EOF",
    "EOF",
    "\n",
    "\\\n",
    '["a"',
    "]",
    "${",
    "}",
    "a=b",
    "#",
    "'",
    '"',
]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    parsed = parse(text)
    assert isinstance(parsed, Dockerfile)
    stages_of(parsed, {})
    lines = text.count("\n") + 1
    assert all(0 < error.line <= lines + 1 for error in parsed.errors)
    assert all(0 < each.line <= each.last <= lines for each in parsed.instructions)


@given(st.text(), st.dictionaries(st.sampled_from("ABC"), st.text()))
def test_any_text_expands(text: str, values: dict[str, str]) -> None:
    assert isinstance(expand(text, values).text, str)
    assert Variables(values).expand(text).text is not None
