"""Sealed frames: each is the peer's next one, of a kind and size that exists, under a key that does not last."""

from __future__ import annotations

import pytest
import trio

from lucid.services.peer import sealed
from lucid.services.peer.dialing import ConnectionLost
from lucid.services.peer.frames import LENGTH_BYTES
from lucid.services.peer.sealed import PART_BYTES, FrameKind
from tests.services.peer.acquainted import framed, sealed_pair


@pytest.mark.parametrize("what", ["flip", "repeat", "drop", "reflect", "cut"])
async def test_a_frame_that_is_not_the_next_one_ends_the_connection(what: str) -> None:
    dialer, listener, wire = await sealed_pair()
    await dialer.send(FrameKind.LAST, b"first")
    first = bytes(await wire.listener.receive_some())
    if what == "reflect":
        await wire.listener.send_all(first)
        with pytest.raises(ConnectionLost, match="next one"):
            await dialer.receive()
        return
    if what == "repeat":
        await wire.dialer.send_all(first + first)
        assert await listener.receive() == (FrameKind.LAST, b"first")
    elif what == "flip":
        await wire.dialer.send_all(first[:-1] + bytes([first[-1] ^ 1]))
    elif what == "drop":
        await dialer.send(FrameKind.LAST, b"second")
    else:
        await wire.dialer.send_all(framed(first[LENGTH_BYTES:-1]))
    with pytest.raises(ConnectionLost, match="next one"):
        await listener.receive()


@pytest.mark.parametrize(
    "opened",
    [b"", b"\x05", b"\xff" + bytes(20), b"\x00" + bytes(PART_BYTES - 1), b"\x03x", b"\x04x", b"\x02x"],
    ids=["empty", "kind 5", "kind 255", "short part", "long ping", "long rekey", "long proof"],
)
async def test_frames_that_do_not_exist_end_the_connection(opened: bytes) -> None:
    dialer, listener, wire = await sealed_pair()
    await wire.dialer.send_all(framed(dialer._sends.seal(opened)))
    with pytest.raises(ConnectionLost, match=r"does not exist|a frame of"):
        await listener.receive()


async def test_keys_are_replaced_by_bytes_and_by_time(monkeypatch: pytest.MonkeyPatch, autojump_clock: object) -> None:
    monkeypatch.setattr(sealed, "REKEY_BYTES", 1_000)
    dialer, listener, _ = await sealed_pair()
    keys = set()
    for _ in range(10):
        keys.add(dialer._sends._key)
        await dialer.send(FrameKind.LAST, bytes(400))
        got = [await listener.receive()]
        if got[0][0] == FrameKind.REKEY:
            got.append(await listener.receive())
        assert got[-1] == (FrameKind.LAST, bytes(400))
    assert len(keys) >= 3
    held = dialer._sends._key
    await trio.sleep(sealed.REKEY_S + 1)
    await dialer.send(FrameKind.PING)
    assert dialer._sends._key != held
    assert (await listener.receive())[0] == FrameKind.REKEY and (await listener.receive())[0] == FrameKind.PING


async def test_a_peer_that_never_replaces_its_key_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    dialer, listener, _ = await sealed_pair()
    await dialer.send(FrameKind.LAST, bytes(400))
    assert (await listener.receive())[0] == FrameKind.LAST
    monkeypatch.setattr(sealed, "REKEY_BYTES", 100)
    with pytest.raises(ConnectionLost, match="does not replace its key"):
        await listener.receive()
