"""Bodies of JSON: the struct that a route takes, or every fault at once."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucid.chain.errors import Code, Refusal
from lucid.services.web.bodies import MAX_FAULTS, decode_json, explained
from lucid.services.web.problems import Problem, envelope
from tests.services.web import served
from tests.services.web.pairs import Pair, error, kit


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": 1}',
        b'{"other": "x", "name": "a"}',
        b"\xff",
        b"[" * 100_000,
        b'{"name": "\xed\xa0\x80"}',
    ],
)
async def test_a_body_that_is_none_is_a_400(body: bytes) -> None:
    async with served.served(kit()) as (client, _):
        error(await client.post("/pairs", content=body), 400, Code.REQUEST)


@settings(deadline=None)
@given(
    st.binary()
    | st.text().map(str.encode)
    | st.builds(lambda x: json.dumps(x).encode(), st.dictionaries(st.text(), st.integers()))
)
def test_any_bytes_are_a_body_or_a_problem(data: bytes) -> None:
    try:
        assert isinstance(decode_json(data, Pair), Pair)
    except Problem as problem:
        assert problem.status == 400


async def test_all_faults_of_a_body_are_told_at_once() -> None:
    async with served.served(kit()) as (client, _):
        inside = error(await client.post("/pairs", json={"name": 1, "number": "x", "\x1b[2J": 0}), 400, Code.REQUEST)
        assert [each["path"] for each in inside["details"]["faults"]] == ["$.name", "$.number", "$"]
        assert inside["details"]["format"] == "/openapi.json#/components/schemas/Pair"
        assert inside["message"].isprintable()
        inside = error(await client.post("/pairs", json={}), 400, Code.REQUEST)
        assert inside["details"]["faults"] == [{"path": "$", "fault": "it lacks the field 'name'"}]
        inside = error(await client.post("/pairs", json=[1]), 400, Code.REQUEST)
        assert inside["details"]["faults"][0]["path"] == "$"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a body."""

    text: Annotated[str, msgspec.Meta(pattern="^[a-z]*$", max_length=3)]


class Outer(msgspec.Struct):
    """A body with parts; fields that it does not know are left alone."""

    inner: Inner
    numbers: tuple[int, ...] = ()
    other: str | None = None


FAULTS: dict[str, list[tuple[str, str]]] = {
    '{"inner": {"text": "abc"}, "unknown": 1}': [],
    '{"inner": {"text": 1}, "numbers": ["x"], "other": 2}': [
        ("$.inner.text", "Expected `str`, got `int`"),
        ("$.numbers[0]", "Expected `int`, got `str`"),
        ("$.other", "Expected `str | null`, got `int`"),
    ],
    '{"inner": {"text": "A"}}': [("$.inner.text", "Expected `str` matching regex '^[a-z]*$'")],
    '{"inner": {"tex": ""}}': [("$.inner", "it lacks the field 'text'"), ("$.inner", "there is no field 'tex'")],
    '{"numbers": []}': [("$", "it lacks the field 'inner'")],
    "3": [("$", "Expected `object`, got `int`")],
    "null": [("$", "Expected `object`, got `null`")],
}


@pytest.mark.parametrize(("body", "faults"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_has_its_place(body: str, faults: list[tuple[str, str]]) -> None:
    if not faults:
        assert decode_json(body.encode(), Outer) == Outer(Inner("abc"))
        return
    with pytest.raises(Problem) as caught:
        decode_json(body.encode(), Outer)
    assert [(each["path"], each["fault"]) for each in caught.value.details["faults"]] == faults
    assert caught.value.details["format"] == "/openapi.json#/components/schemas/Outer"
    refusal = Refusal(Code.MANIFEST, "as it is")
    said = explained(refusal, body.encode(), Outer)
    assert isinstance(said, Problem) and (said.code, said.status) == (Code.MANIFEST, 400)


def test_a_refusal_without_a_fault_of_a_field_stays_as_it_is() -> None:
    refusal = Refusal(Code.MANIFEST, "as it is")
    for body in (b'{"inner": {"text": ""}}', b"{", b"\xff", b"[" * 100_000):
        assert explained(refusal, body, Outer) is refusal


def test_of_many_faults_the_first_are_told_in_a_line_that_prints() -> None:
    with pytest.raises(Problem) as caught:
        decode_json(json.dumps({f"\n{number}" + "x" * 1_000: 1 for number in range(1_000)}).encode(), Pair)
    problem = caught.value
    assert len(problem.details["faults"]) == MAX_FAULTS and problem.detail.isprintable() and len(problem.detail) < 3_000
    assert max(len(each["fault"]) for each in problem.details["faults"]) < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("text"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(st.fixed_dictionaries({}, optional={"inner": JSON, "numbers": JSON, "other": JSON}))
def test_any_json_is_a_body_or_names_faults_that_are_there(value: dict[str, Any]) -> None:
    try:
        found = decode_json(json.dumps(value).encode(), Outer)
    except Problem as problem:
        assert problem.status == 400 and problem.details.get("faults", True)
        assert msgspec.json.decode(envelope(problem, "id", "service"))
    else:
        assert msgspec.convert(value, Outer) == found
