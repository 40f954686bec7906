"""What answers at a sibling's address may be anything: the service that asks lives and says so."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trio
from msgspec.structs import replace

from lucid.services.anchoring import AnchoringService
from lucid.services.devnet import Devnet
from lucid.services.process.config import load_config
from tests.services.peer.answering import ANSWERS


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An HTTP answer of JSON, or what says so."""
    length = str(len(body)).encode()
    return (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + length + b"\r\n\r\n" + body
    )


BODIES = {
    "no json": answer(b"<html>"),
    "a list": answer(b"[]"),
    "nothing": answer(b""),
    "a number": answer(b"1"),
    "no fields": answer(b"{}"),
    "odd blocks": answer(b'{"blocks": [1], "height": "x"}'),
    "odd ids": answer(b'{"blocks": [{"height": 1, "transactions": ["zz"]}], "height": 1}'),
    "deep": answer(b"[" * 20_000),
    "not utf-8": answer(b'{"\xff": 1}'),
    "gzip that is none": answer(b"x").replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
    "a redirect to nowhere": b"HTTP/1.1 302 X\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "created": answer(b"[]", b"202 Accepted"),
    **ANSWERS,
}


@pytest.mark.parametrize("said", BODIES.values(), ids=BODIES.keys())
async def test_whatever_answers_at_a_sibling_s_address_the_service_lives(tmp_path: Path, said: bytes) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while await stream.receive_some(4_096):
                await stream.send_all(said)
        await trio.aclose_forcefully(stream)

    node = Devnet(tmp_path, 1, 1_000).nodes[0]
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(
            lambda task_status: trio.serve_tcp(serve, 0, host="127.0.0.1", task_status=task_status)
        )
        other = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        config = load_config({}, node.folder / "node.toml")
        service = AnchoringService(replace(config, manager_url=other, engine_url=other, port=0))
        stop = trio.Event()
        port = await nursery.start(service.run, stop)
        await trio.sleep(0.5)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert (await client.get("/health")).status_code in (200, 503)
        stop.set()
        await service.ended.wait()
        nursery.cancel_scope.cancel()
