"""What services answer: written and read by one struct, refused where a terminal or a date would choke on it."""

from __future__ import annotations

import inspect
import json
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from lucid.api import answers
from lucid.api.answers import ChunkState, SessionChunks, SessionState, Time

KINDS = [each for _, each in inspect.getmembers(answers, inspect.isclass) if each.__module__ == answers.__name__]
IDS = [each.__name__ for each in KINDS]
KEY = "ab" * 32
SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
VALUES: dict[Any, Any] = {
    str: "a text",
    int: 7,
    bool: True,
    answers.Key: KEY,
    answers.Owner: KEY,
    answers.Session: SESSION,
    answers.Place: "01" * 48,
    answers.Word: "stored",
}


def sample(kind: Any) -> Any:
    """A value of a type."""
    if kind in VALUES:
        return VALUES[kind]
    origin = get_origin(kind)
    if origin is tuple:
        return (sample(get_args(kind)[0]),) * 2
    if origin in (Union, types.UnionType):
        return sample(get_args(kind)[0])
    if hasattr(kind, "__metadata__"):
        return sample(kind.__origin__)
    return kind(**{name: sample(each) for name, each in get_type_hints(kind, include_extras=True).items()})


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_what_is_written_is_read_and_a_newer_services_fields_are_passed_over(kind: type[msgspec.Struct]) -> None:
    answer = sample(kind)
    data = msgspec.json.encode(answer)
    assert msgspec.json.decode(data, type=kind) == answer
    newer = {**msgspec.json.decode(data), "a_field_of_a_later_release": [1]}
    assert msgspec.json.decode(msgspec.json.encode(newer), type=kind) == answer


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_an_older_services_answer_is_read_and_half_of_one_is_not(kind: type[msgspec.Struct]) -> None:
    """What came later has a default; what was there from the beginning is missed."""
    whole = msgspec.json.decode(msgspec.json.encode(sample(kind)))
    for field in msgspec.structs.fields(kind):
        left = msgspec.json.encode({name: value for name, value in whole.items() if name != field.encode_name})
        if field.required:
            with pytest.raises(msgspec.ValidationError, match=f"missing required field `{field.encode_name}`"):
                msgspec.json.decode(left, type=kind)
        else:
            assert getattr(msgspec.json.decode(left, type=kind), field.name) == field.default


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_an_answer_is_a_value(kind: type[msgspec.Struct]) -> None:
    answer = sample(kind)
    with pytest.raises(AttributeError):
        setattr(answer, answer.__struct_fields__[0], None)


ROWS: tuple[msgspec.Struct, ...] = (SessionChunks(SESSION, KEY, 1, 1_024, 1), ChunkState(KEY, 1_024, "stored", 1))
WRONG = ["\x1b[2K\nall is well", "zz" * 32, "", -1, 2**63, 2**70, None, [], "é" * 64, KEY + "\n", SESSION + "\n"]


@pytest.mark.parametrize("row", ROWS, ids=["session", "chunk"])
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_no_field_of_a_row_takes_what_a_terminal_acts_on_or_no_date_holds(row: msgspec.Struct, wrong: Any) -> None:
    whole = msgspec.json.decode(msgspec.json.encode(row))
    assert msgspec.json.decode(json.dumps(whole), type=type(row)) == row
    for name in whole:
        data = json.dumps({**whole, name: wrong})
        if (name, wrong) == ("owner", ""):
            assert msgspec.json.decode(data, type=SessionChunks).owner == "", "nobody said whose it is"
            continue
        with pytest.raises(msgspec.MsgspecError):
            msgspec.json.decode(data, type=type(row))


def test_times_end_with_the_year_9999() -> None:
    last = 253_402_300_799_999
    assert msgspec.convert(last, Time) == last
    for wrong in (last + 1, -1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Time)


@pytest.mark.parametrize(
    ("copies", "wanted", "replicated"),
    [(None, None, False), (None, 3, False), (2, 3, False), (3, 3, True), (4, 3, True), (1, 1, False), (3, None, False)],
)
def test_replicated_is_all_the_copies_that_there_should_be_and_more_than_one(
    copies: int | None, wanted: int | None, replicated: bool
) -> None:
    state = SessionState(SESSION, "final", None, copies=copies, copies_wanted=wanted)
    assert state.replicated is replicated
