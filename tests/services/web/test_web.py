"""The HTTP kit over real sockets: routes, health, versions, and one envelope for what goes wrong."""

from __future__ import annotations

import re

import pytest

from lucid import __version__
from lucid.chain.errors import Code
from lucid.chain.versions import RULES_KNOWN
from lucid.services.peer.speaking import NEWEST_MESSAGES, OLDEST_MESSAGES
from lucid.services.web.health import Condition
from tests.services.web import served
from tests.services.web.pairs import error, kit


async def test_a_body_is_decoded_and_an_answer_encoded_under_both_paths() -> None:
    async with served.served(kit()) as (client, _):
        for path in ("/pairs", "/api/v1/pairs"):
            response = await client.post(path, json={"name": "a"}, headers={"X-Request-Id": "mine.1"})
            assert (response.status_code, response.json()) == (202, {"name": "a", "number": 0})
            assert response.headers["x-request-id"] == "mine.1"
        assert (await client.get("/things/x?n=7")).json() == {"name": "x", "number": 7}


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
