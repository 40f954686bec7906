"""What other services of a node answer: the type that it should be, or one 503 that names no more than the service."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from lucid.services.explorer.siblings import answer, asked, spoken
from lucid.services.process.sibling import Sibling
from lucid.services.web.problems import Problem
from tests.services.explorer.answering import Other


class Told(msgspec.Struct, frozen=True):
    """What is asked for."""

    chunks: int


def other(status: int, body: bytes) -> Sibling:
    return cast(Sibling, Other(status, body))


async def test_an_answer_is_of_its_type() -> None:
    assert await asked(other(200, b'{"chunks": 3}'), "/status", Told) == Told(3)
    assert await answer(other(404, b"{}"), "/sessions/x") == (404, {})


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (200, b"{"), (200, b'{"chunks": "many"}')])
async def test_any_other_is_unavailable_and_says_no_more_than_which(status: int, body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        await asked(other(status, body), "/status", Told)
    assert caught.value.status == 503 and "127.0.0.1" not in str(caught.value) and "data" in str(caught.value)


def test_what_is_no_fault_of_the_service_goes_on() -> None:
    with pytest.raises(ZeroDivisionError), spoken(other(200, b"")):
        raise ZeroDivisionError
