"""What a request's Range asks for of bytes that never change: one range of RFC 9110, or all of them."""

from __future__ import annotations

import pytest
from quart import Quart, Response

from lucid.chain.errors import Code
from lucid.services.web.problems import Problem
from lucid.services.web.ranges import ranged

DATA = bytes(range(100))


async def asked(wanted: str | None, data: bytes = DATA, method: str = "GET") -> Response:
    """The answer to a request with this Range."""
    headers = {} if wanted is None else {"Range": wanted}
    async with Quart(__name__).test_request_context("/chunks/x", method=method, headers=headers):
        return ranged(len(data), lambda first, end: data[first:end], "tag")


@pytest.mark.parametrize(
    ("wanted", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=-7", 93, 100),
        ("bytes=-999", 0, 100),
        ("bytes=50-999", 50, 100),
    ],
)
async def test_a_range(wanted: str, first: int, end: int) -> None:
    found = await asked(wanted)
    assert (found.status_code, await found.get_data()) == (206, DATA[first:end])
    assert found.headers["Content-Range"] == f"bytes {first}-{end - 1}/100"
    assert found.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize("wanted", [None, "", "bytes=-", "bytes=9-3", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"])
async def test_what_is_no_single_range_is_answered_whole(wanted: str | None) -> None:
    found = await asked(wanted)
    assert (found.status_code, await found.get_data()) == (200, DATA)
    assert "Content-Range" not in found.headers and found.headers["ETag"] == '"tag"'


async def test_of_head_no_range_can_be_asked() -> None:
    found = await asked("bytes=0-9", method="HEAD")
    assert (found.status_code, found.headers["Content-Length"]) == (200, "100")


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
async def test_what_lies_beyond_the_end_is_refused(wanted: str) -> None:
    with pytest.raises(Problem) as caught:
        await asked(wanted)
    assert (caught.value.code, caught.value.headers) == (Code.RANGE, {"Content-Range": "bytes */100"})
