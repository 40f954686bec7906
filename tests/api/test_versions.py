"""The version of the HTTP API: client and service of one release say the same, and of two each says which there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lucid.api import versions
from lucid.api.answers import Credits
from lucid.api.versions import API_HEADER, API_VERSION
from lucid.chain.errors import Code
from lucid.client import AsyncClient, ClientError, calls
from tests.services.web import served

SERVICES_PAGE = Path(versions.__file__).parents[2] / "docs" / "services.md"


async def asked() -> ClientError | None:
    """Why a client gets no answer of a service that has what it wants."""
    kit = served.web()

    @kit.route("GET", "/consensus/credits", "What each has", gives=Credits)
    async def credits() -> Credits:
        return Credits(())

    async with served.served(kit) as (_, port):
        url = f"http://127.0.0.1:{port}"
        async with AsyncClient(url, url, engine_url=url) as client:
            try:
                await client.send(calls.credits())
            except ClientError as error:
                return error
    return None


async def test_both_sides_of_one_release_understand_each_other() -> None:
    assert await asked() is None


@pytest.mark.parametrize(
    ("newer", "says"),
    [
        (("client.nodeaccess", "client.nodeanswer"), "it speaks version 1 of the API, this client version 2"),
        (("services.web.web",), "this release speaks version 2 alone; the request is of version 1"),
    ],
)
async def test_of_two_releases_each_says_which_two_there_are(
    newer: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in newer:
        monkeypatch.setattr(f"lucid.{module}.API_VERSION", "2")
    found = await asked()
    assert found is not None and found.code is Code.API_VERSION and says in found.detail


def test_it_is_a_number_that_paths_and_documents_have_too() -> None:
    assert re.fullmatch("[1-9][0-9]*", API_VERSION)
    text = SERVICES_PAGE.read_text("utf-8")
    assert API_HEADER in text and f"/api/v{API_VERSION}" in text
    paths = {call.path.partition("?")[0] for call in (calls.credits(), calls.chain_rules(), calls.data_status())}
    assert all(path.startswith(f"/api/v{API_VERSION}/") for path in paths)
