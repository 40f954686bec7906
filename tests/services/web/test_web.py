"""The HTTP kit over real sockets: what comes in is checked, what goes wrong is one envelope."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from quart import Response

from lucid import __version__
from lucid.chain.errors import Code, Refusal
from lucid.chain.versions import RULES_KNOWN
from lucid.services.peer.speaking import NEWEST_MESSAGES, OLDEST_MESSAGES
from lucid.services.web import http, requested, streams, web
from lucid.services.web.admission import NODE, WRITE
from lucid.services.web.bodies import decode_json
from lucid.services.web.problems import Problem
from lucid.services.web.requested import query_number
from lucid.services.web.web import Condition, Web
from tests.services.web import served

NODE_TOKEN = {"Authorization": "Bearer node"}
API_TOKEN = {"Authorization": "Bearer api"}


class Pair(msgspec.Struct, forbid_unknown_fields=True):
    """A body."""

    name: str
    number: int = 0


def kit(**options: Any) -> Web:
    """A service with a route of each kind."""
    made = served.web(**options)

    @made.route("POST", "/pairs", "Echo", takes=Pair, gives=Pair, status=202, access=WRITE)
    async def pairs(body: Pair) -> Pair:
        return body

    @made.route("GET", "/things/<name>", "By name", gives=Pair)
    async def thing(name: str) -> Pair:
        if name == "refused":
            raise Refusal(Code.SESSION_DUPLICATE, "as a test")
        if name == "broken":
            raise RuntimeError("as a test")
        if name == "gone":
            raise Problem(Code.NOT_FOUND, "thing", {"name": name})
        return Pair(name, query_number("n", 1, 0, 9))

    @made.route("GET", "/inside", "For the node", access=NODE)
    async def inside() -> Pair:
        return Pair("inside")

    return made


def error(response: Any, status: int, code: Code) -> dict[str, Any]:
    """The envelope's inside."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    inside: dict[str, Any] = response.json()["error"]
    assert set(inside) == {"code", "message", "details", "request_id", "service"}
    assert (inside["code"], inside["service"]) == (code.code, "test-service")
    assert response.headers["x-request-id"] == inside["request_id"]
    return inside


async def test_a_body_is_decoded_and_an_answer_encoded_under_both_paths() -> None:
    async with served.served(kit()) as (client, _):
        for path in ("/pairs", "/api/v1/pairs"):
            response = await client.post(path, json={"name": "a"}, headers={"X-Request-Id": "mine.1"})
            assert (response.status_code, response.json()) == (202, {"name": "a", "number": 0})
            assert response.headers["x-request-id"] == "mine.1"
        assert (await client.get("/things/x?n=7")).json() == {"name": "x", "number": 7}


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


async def test_whatever_goes_wrong_is_one_envelope(caplog: pytest.LogCaptureFixture) -> None:
    async with served.served(kit()) as (client, _):
        assert error(await client.get("/things/gone"), 404, Code.NOT_FOUND)["details"] == {"name": "gone"}
        error(await client.get("/things/refused"), 400, Code.SESSION_DUPLICATE)
        inside = error(await client.get("/things/broken"), 500, Code.INTERNAL)
        assert "as a test" not in inside["message"], "what failed is the log's to say"
        assert "as a test" in caplog.text
        error(await client.get("/nothing"), 404, Code.NOT_FOUND)
        error(await client.put("/pairs"), 405, Code.METHOD)
        for query in ("-1", "10", "x", "", "1e1", "9" * 30, "²"):
            error(await client.get("/things/x", params={"n": query}), 400, Code.REQUEST)


async def test_a_large_body_is_a_413_also_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MAX_BODY_BYTES", 1_000)

    async with served.served(kit()) as (client, port):
        error(await client.post("/pairs", content=b"x" * 1_001), 413, Code.TOO_LARGE)
        assert (await client.post("/pairs", json={"name": "a" * 900})).status_code == 202
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            head = b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            await stream.send_all(head + b"64\r\n" + b"x" * 100 + b"\r\n")
            await stream.send_all((b"64\r\n" + b"x" * 100 + b"\r\n") * 10)
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 413")


async def test_a_slow_body_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requested, "BODY_S", 0.1)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(b"POST /pairs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
            with trio.fail_after(60):
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 408")


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


async def test_health_names_every_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    made = kit()
    troubles: list[Condition | str | None] = [None, None]
    made.checks += [lambda: troubles[0], lambda: troubles[1]]
    async with served.served(made) as (client, _):
        response = await client.get("/health")
        assert (response.status_code, response.json()) == (200, {"status": "healthy", "service": "test-service"})
        troubles[:] = ["one", Condition("disk low", "two", "make room")]
        response = await client.get("/health")
        assert response.status_code == 503
        assert response.json() == {
            "status": "degraded",
            "service": "test-service",
            "reasons": ["one", "two"],
            "conditions": [
                {"state": "starting", "sentence": "one", "remedy": ""},
                {"state": "disk low", "sentence": "two", "remedy": "make room"},
            ],
        }
        monkeypatch.setattr("lucid.services.web.web.STARTING_S", 0.0)
        response = await client.get("/health")
        assert [each["state"] for each in response.json()["conditions"]] == ["degraded", "disk low"]
        assert (await client.get("/ready")).json()["status"] == "starting"
        made.ready = True
        assert (await client.get("/ready")).status_code == 200


async def test_it_describes_itself() -> None:
    async with served.served(kit()) as (client, _):
        document = (await client.get("/openapi.json")).json()
        assert document["openapi"] == "3.1.0"
        assert set(document["paths"]) == {
            *("/health", "/ready", "/metrics", "/version", "/openapi.json", "/docs"),
            *("/pairs", "/things/{name}", "/inside"),
        }
        post = document["paths"]["/pairs"]["post"]
        assert post["requestBody"]["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Pair"
        wanted = {*("202", "400", "401", "403", "408", "409", "413", "415", "429", "503"), "default"}
        assert set(post["responses"]) == wanted and post["security"]
        assert document["components"]["schemas"]["Pair"]["examples"] == [{"name": "pi1", "number": 1}]
        operations = [each["operationId"] for path in document["paths"].values() for each in path.values()]
        assert len(set(operations)) == len(operations)
        page = await client.get("/docs")
        assert "text/html" in page.headers["content-type"]
        assert not re.search(r"[\"'`(=]//", page.text), "nothing is loaded from elsewhere; comments may stand"


async def test_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.2)
    async with served.served(kit()) as (_, port):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            await stream.send_all(b"GET /things/x HTTP/1.1\r\nHost: x\r\n\r\n")
            data = b""
            with trio.fail_after(60):
                while part := await stream.receive_some():
                    data += part
            assert data.startswith(b"HTTP/1.1 200")


async def test_a_client_that_stopped_reading_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALLED_S", 1.0)
    made = kit()

    @made.route("GET", "/flood", "More than fits in between")
    async def flood() -> Any:
        return Response(b"x" * (64 << 20), content_type="application/octet-stream")

    with trio.fail_after(60):
        async with served.served(made) as (_, port):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive_some(1)
        await trio.aclose_forcefully(stream)


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


async def test_pages_and_answers_are_guarded_and_405_says_what_is_allowed() -> None:
    async with served.served(kit()) as (client, _):
        for path in ("/docs", "/nothing", "/things/x"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"].startswith("default-src 'none'")
        response = await client.put("/pairs")
        assert response.status_code == 405 and set(response.headers["allow"].split(", ")) == {"OPTIONS", "POST"}
        head = await client.head("/things/x")
        assert head.status_code == 200 and head.content == b"" and int(head.headers["content-length"]) > 0


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


@pytest.mark.parametrize(
    ("path", "said"),
    [("/api/v2/pairs", "version 1"), ("/api/v10", "version 1"), ("/api/pairs", "version 1"), ("/api/v1/x", "/docs")],
)
async def test_another_version_of_the_interface_is_refused_in_a_sentence(path: str, said: str) -> None:
    async with served.served(kit()) as (client, _):
        answer = await client.get(path)
        assert answer.status_code == 404 and said in answer.json()["error"]["message"]


async def test_each_answer_says_its_version_and_another_major_is_refused_in_a_sentence() -> None:
    async with served.served(kit()) as (client, _):
        for path in ("/things/x", "/api/v1/things/x", "/nothing", "/things/broken"):
            assert (await client.get(path)).headers["Lucid-API-Version"] == "1"
        for spoken in ("1", "1.7"):
            assert (await client.get("/things/x", headers={"Lucid-API-Version": spoken})).status_code == 200
        for spoken in ("2", "0", "x", "2.1", "9" * 500):
            answer = await client.get("/things/x", headers={"Lucid-API-Version": spoken})
            said = error(answer, 400, Code.API_VERSION)["message"]
            assert f"this release speaks version 1 alone; the request is of version {spoken[:20]}" in said


async def test_a_service_says_which_versions_it_speaks() -> None:
    async with served.served(kit()) as (client, _):
        assert (await client.get("/version")).json() == {
            "release": __version__,
            "api": 1,
            "oldest_messages": OLDEST_MESSAGES,
            "newest_messages": NEWEST_MESSAGES,
            "rules": RULES_KNOWN,
        }


async def test_what_will_keep_a_service_from_its_work_is_a_warning_and_no_failure() -> None:
    made = kit()
    made.warnings += [lambda: None, lambda: Condition("due", "it is due", "do it")]
    async with served.served(made) as (client, _):
        answer = await client.get("/health")
        assert answer.status_code == 200 and answer.json()["status"] == "healthy"
        assert answer.json()["warnings"] == [{"state": "due", "sentence": "it is due", "remedy": "do it"}]
