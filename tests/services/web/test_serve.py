"""Taking connections: there is room for the next one, and the end comes in time whatever clients are at."""

from __future__ import annotations

import resource
import ssl
from pathlib import Path

import httpx
import pytest
import trio

from lucid.services.web import serve
from tests.services.process.certificates import certified
from tests.services.web import served
from tests.services.web.flooding import kit
from tests.services.web.rawhttp import POST, small_window, told
from tests.services.web.reading import reading
from tests.waiting import until


async def test_the_longest_idle_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 20)
    made = kit()
    async with served.served(made) as (client, port):
        idle = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(60)]
        assert (await client.get("/ready")).status_code == 503
        assert made.edge.open <= 21
        for stream in idle:
            await trio.aclose_forcefully(stream)


async def test_who_leaves_is_gone_at_once_and_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    made = reading()
    async with served.served(made) as (_, port):
        starts = [b"", b"GET /re", b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n", POST % (b"/read", 9, b"") + b"half"]
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in starts]
        for stream, data in zip(streams, starts, strict=True):
            await stream.send_all(data)
        with trio.fail_after(60):
            while made.edge.open < len(starts):
                await trio.sleep(0.02)
        for stream in streams:
            await trio.aclose_forcefully(stream)
        with trio.fail_after(60):
            while made.edge.open:
                await trio.sleep(0.02)
    assert made.edge.failed == 0 and not caplog.records


async def test_whatever_clients_are_at_the_end_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "GRACE_S", 0.5)
    made = kit()
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            async with served.served(made) as (_, port):
                trickling, uploading = await small_window(port), await small_window(port)
                await trickling.send_all(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
                await uploading.send_all(POST % (b"/read", 9, b"") + b"half")
                idle = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(50)]

                async def trickle() -> None:
                    while True:
                        await trickling.receive_some(512)
                        await trio.sleep(0.1)

                nursery.start_soon(trickle)
                await trio.sleep(0.5)
                began = trio.current_time()
            assert trio.current_time() < began + 15
            nursery.cancel_scope.cancel()
        for stream in (trickling, uploading, *idle):
            await trio.aclose_forcefully(stream)
    assert made.edge.open == 0 and made.edge.budget.held == 0


def test_a_place_that_is_taken_or_nobody_s_is_an_error_of_the_system() -> None:
    with serve.listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="Address already in use"):
        serve.listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(OSError, match="Cannot assign"):
        serve.listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("soft", "hard", "most", "set_to"),
    [
        (1_024, 1 << 20, serve.MAX_CONNECTIONS, serve.MAX_CONNECTIONS + serve.SPARE_FILES),
        (1_024, resource.RLIM_INFINITY, serve.MAX_CONNECTIONS, serve.MAX_CONNECTIONS + serve.SPARE_FILES),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, serve.MAX_CONNECTIONS, None),
        (256, 1_024, 1_024 - serve.SPARE_FILES, 1_024),
        (100, 100, 16, 100),
        (1 << 20, 1 << 20, serve.MAX_CONNECTIONS, None),
    ],
)
def test_there_are_as_many_connections_as_the_system_has_files_for(
    soft: int, hard: int, most: int, set_to: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: made.append(limits))
    assert serve.most_connections() == most
    assert made == ([] if set_to is None else [(set_to, hard)])


async def test_over_tls_a_client_is_answered_and_who_speaks_none_or_never_ends_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = certified(tmp_path)
    made, stop = kit(), trio.Event()
    listening = serve.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    trust = ssl.create_default_context(cafile=str(found["tls_ca"]))
    async with trio.open_nursery() as nursery:
        pair = found["tls_cert"], found["tls_key"]
        await nursery.start(serve.serve, made.app, listening, stop, pair, made.edge)
        async with httpx.AsyncClient(verify=trust) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/ready", timeout=60)).status_code == 503
        got = await trio.to_thread.run_sync(told, port, b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in got
        monkeypatch.setattr(serve, "HANDSHAKE_S", 0.1)
        assert await trio.to_thread.run_sync(told, port, b"\x16\x03\x01\x02\x00\x01") == b""
        await until(lambda: not made.edge.open)
        stop.set()
    assert made.edge.failed == 0
