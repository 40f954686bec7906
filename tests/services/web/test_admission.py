"""Who may ask for what, and how often: over real sockets, as a browser, a tool or a sibling would."""

from __future__ import annotations

import pytest

from lucid.chain.errors import Code
from tests.services.web import served
from tests.services.web.pairs import API_TOKEN, NODE_TOKEN, error, kit


async def test_who_may_write() -> None:
    async with served.served(kit(loopback=False, api_tokens=("api",))) as (client, _):
        body = {"name": "a"}
        error(await client.post("/pairs", json=body), 401, Code.TOKEN)
        error(await client.post("/pairs", json=body, headers={"Authorization": "Bearer apix"}), 401, Code.TOKEN)
        error(await client.post("/pairs", json=body, headers={"Authorization": "Basic api"}), 401, Code.TOKEN)
        assert (await client.post("/pairs", json=body, headers=API_TOKEN)).status_code == 202
        assert (await client.post("/pairs", json=body, headers=NODE_TOKEN)).status_code == 202
        assert (await client.get("/things/x")).status_code == 200
        counted = (await client.get("/metrics")).text
        assert f'lucid_requests_refused_total{{code="{Code.TOKEN.code}"}} 3.0' in counted
    async with served.served(kit(loopback=True)) as (client, _):
        assert (await client.post("/pairs", json=body)).status_code == 202
        error(await client.get("/inside"), 401, Code.TOKEN)
        error(await client.get("/inside", headers=API_TOKEN), 401, Code.TOKEN)
        assert (await client.get("/inside", headers=NODE_TOKEN)).status_code == 200


async def test_without_a_token_of_its_own_a_node_lets_nobody_in() -> None:
    async with served.served(kit(token="")) as (client, _):
        error(await client.get("/inside"), 401, Code.TOKEN)
        error(await client.get("/inside", headers={"Authorization": "Bearer"}), 401, Code.TOKEN)


async def test_too_many_requests_are_a_429_for_that_caller_alone() -> None:
    async with served.served(kit(rate=3, api_tokens=("api",))) as (client, _):
        answers = [(await client.get("/ready")).status_code for _ in range(10)]
        assert answers.count(429) >= 3 and answers[0] == 503
        assert (await client.get("/things/x", headers=API_TOKEN)).status_code == 200


OPEN: list[tuple[str, dict[str, str], int]] = [
    ("/pairs", {}, 202),
    ("/pairs", {"Host": "localhost:8084"}, 202),
    ("/pairs", {"Host": "[::1]:8084"}, 202),
    ("/pairs", {"Host": "evil.example"}, 403),
    ("/pairs", {"Host": "127.0.0.1.evil.example"}, 403),
    ("/pairs", {"Host": "pi"}, 403),
    ("/pairs", {"Origin": "http://evil.example"}, 403),
    ("/pairs", {"Origin": "null"}, 403),
    ("/pairs", {"Origin": "http://127.0.0.1:1"}, 403),
    ("/pairs", {"Origin": "http://evil.example", "Host": "evil.example"}, 403),
    ("/pairs", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("/pairs", {"Content-Type": "text/plain"}, 415),
    ("/pairs", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ("/pairs", {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}, 415),
    ("/pairs", {"Content-Type": "application/x-www-form-urlencoded"}, 202),
]


@pytest.mark.parametrize(("path", "headers", "status"), OPEN)
async def test_no_web_page_writes_to_an_open_node(path: str, headers: dict[str, str], status: int) -> None:
    async with served.served(kit()) as (client, _):
        response = await client.post(path, content=b'{"name": "a"}', headers=headers)
        assert response.status_code == status, response.text


async def test_no_name_that_a_stranger_chose_reads_from_an_open_node() -> None:
    async with served.served(kit()) as (client, _):
        error(await client.get("/things/x", headers={"Host": "evil.example"}), 403, Code.FOREIGN)
        for host in ("localhost", "pi", "192.168.1.9:8086", ""):
            assert (await client.get("/things/x", headers={"Host": host})).status_code == 200
        assert (await client.get("/ready", headers={"Host": "evil.example"})).status_code == 503
    async with served.served(kit(api_tokens=("api",))) as (client, _):
        assert (await client.get("/things/x", headers={"Host": "node.example"})).status_code == 200


async def test_tokens_hold_on_this_machine_too() -> None:
    async with served.served(kit(api_tokens=("api",))) as (client, _):
        error(await client.post("/pairs", json={"name": "a"}), 401, Code.TOKEN)
        for token in ("api", "node", "operator"):
            given = {"Authorization": f"Bearer {token}", "Host": "node.example"}
            assert (await client.post("/pairs", json={"name": "a"}, headers=given)).status_code == 202


async def test_a_fresh_junk_token_buys_no_requests() -> None:
    made = kit(rate=3)
    async with served.served(made) as (client, _):
        answers = [
            (await client.get("/things/x", headers={"Authorization": f"Bearer j{number}"})).status_code
            for number in range(12)
        ]
        assert answers.count(429) >= 3
        refused = await client.get("/things/x")
        assert refused.status_code == 429 and refused.headers["retry-after"] == "1"
        assert (await client.get("/ready")).status_code == 503, "who watches is counted apart"
        assert [(await client.get("/nothing")).status_code for _ in range(12)].count(429) >= 3
        assert list(made.admission._limits._buckets) == ["127.0.0.1", "probe 127.0.0.1"]
