"""Chunks come from several nodes at once: from whichever has them, whatever the others do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from harness.notary import SESSION
from lucid.chain.chunks import chunk_id
from lucid.chain.errors import Code
from lucid.chain.manifests import ChunkEntry
from lucid.cli.main import main
from lucid.client.calls import Call, ClientError
from lucid.client.downloading import MAX_WRONG, SessionDownload
from lucid.client.http import Client
from tests.client.bench import Bench, bench
from tests.client.lying import DEEP, Answer, lying_node

__all__ = ["bench"]


def test_all_nodes_are_asked_at_once_and_a_slow_one_holds_nothing_up(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 40}
    bench.hold(files)
    sending, go = threading.Event(), threading.Event()
    with lying_node() as slow:

        def stuck() -> Iterator[bytes]:
            sending.set()
            assert go.wait(60)
            yield b"too late"

        slow.answers |= {each: bench.node.answers[each] for each in ("/manifest", "/receipt")}
        for identity in bench.node.chunks:
            slow.answers[identity] = Answer(body=stuck)
        bench.config("slow.toml", slow.url)
        try:
            assert bench.fetch("--config", "slow.toml")[0] == 0
        finally:
            go.set()
        assert sending.is_set() or not any("/chunks/" in path for path in slow.asked)
    assert (bench.folder / "out" / "a").read_bytes() == files["a"] and bench.left() == ["a"]


@pytest.mark.parametrize("lies", [Answer(body=b"lies"), Answer(500, DEEP)], ids=["lies", "deep"])
def test_the_next_node_is_asked_when_one_lies_or_is_away(bench: Bench, lies: Answer) -> None:
    bench.hold({"a": b"1"})
    bench.config("away.toml", "http://127.0.0.1:9")
    with lying_node() as liar:
        liar.answers[""] = lies
        bench.config("liar.toml", liar.url)
        status = main(
            [
                *("fetch", str(SESSION), "--owner", "owner.key", "--output", "out"),
                *("--config", "away.toml", "--config", "liar.toml", "--config", "node.toml"),
            ]
        )
    assert status == 0 and bench.left() == ["a"]


def test_each_chunk_comes_from_whichever_node_has_it(bench: Bench) -> None:
    files = {"a": bytes(range(250)) * 20}
    bench.hold(files)
    with lying_node() as other:
        for number, identity in enumerate(list(bench.node.chunks)):
            if number % 2:
                other.chunks[identity] = bench.node.chunks.pop(identity)
        bench.config("other.toml", other.url)
        assert bench.fetch("--config", "other.toml")[0] == 0
        assert (bench.folder / "out" / "a").read_bytes() == files["a"]
        other.chunks.clear()
        bench.node.chunks.clear()
        status, _, err = bench.fetch("--config", "other.toml", "--output", "new/folder")
        assert status == 2 and "3002" in err and not (bench.folder / "new").exists(), "not even the folder is left"


# -- the download itself, with nodes that answer at once -----------------------------------------------------------


class Source(Client):
    """A node that has some chunks, and says something of the others; `asked` are the places of what it was asked."""

    def __init__(self, chunks: dict[str, bytes], other: ClientError) -> None:
        self.chunks = chunks
        self.other = other
        self.asked: list[str] = []

    def send(self, call: Call[Any]) -> Any:
        """See `Client`."""
        name = call.path.rpartition("/")[2]
        self.asked.append(name)
        if name not in self.chunks:
            raise self.other
        return call.read(self.chunks[name])


MISSING = ClientError(Code.NOT_FOUND, "there is no such thing", 404)
FAULT = ClientError(Code.STORE_FAILED, "the store", 500)
AWAY = ClientError(Code.UNAVAILABLE, "connection refused")


def entries(count: int) -> tuple[tuple[ChunkEntry, ...], dict[str, bytes]]:
    """Chunks of a manifest, and their bytes by their ids."""
    parts = [bytes([number]) * 1_024 for number in range(count)]
    made = tuple(ChunkEntry(place, len(part), chunk_id(part).hex()) for place, part in enumerate(parts))
    return made, {each.id: part for each, part in zip(made, parts, strict=True)}


def got(chunks: tuple[ChunkEntry, ...], *sources: Source) -> list[int]:
    """The places of what a download takes, in their order."""
    taken: list[tuple[int, bytes]] = []
    SessionDownload(chunks, lambda chunk, data: taken.append((chunk.index, data))).run(sources)
    assert all(chunk_id(data).hex() == chunks[place].id for place, data in taken)
    return sorted(place for place, _ in taken)


def test_each_chunk_is_taken_once_however_many_have_it() -> None:
    chunks, held = entries(40)
    assert got(chunks, *[Source(held, MISSING) for _ in range(4)]) == list(range(40))
    assert got((), Source(held, MISSING)) == []


def test_what_one_lacks_another_one_has() -> None:
    chunks, held = entries(12)
    names = [each.id for each in chunks]
    sources = [Source({name: held[name] for name in names[part::3]}, MISSING) for part in range(3)]
    assert got(chunks, *sources) == list(range(12))
    assert all(len(each.asked) == len(set(each.asked)) for each in sources), "nobody is asked twice for one chunk"


def test_a_node_that_answers_wrongly_is_soon_left_alone_and_one_that_lacks_them_is_not() -> None:
    chunks, held = entries(10)
    lies = Source(dict.fromkeys(held, b"lies"), FAULT)
    assert got(chunks[:1], lies, Source(held, MISSING)) == [0]
    for source, most in ((Source({}, FAULT), MAX_WRONG), (Source({}, AWAY), 1), (Source({}, MISSING), 10), (lies, 3)):
        source.asked.clear()
        with pytest.raises(ClientError):
            got(chunks, source)
        assert len(source.asked) == most


@pytest.mark.parametrize(
    ("says", "told"),
    [([AWAY], AWAY), ([MISSING], MISSING), ([AWAY, MISSING], MISSING), ([MISSING, AWAY], MISSING), ([], None)],
)
def test_of_what_nobody_gives_the_word_of_a_node_that_answers_is_told(
    says: list[ClientError], told: ClientError | None
) -> None:
    chunks, _ = entries(1)
    with pytest.raises(ClientError) as refused:
        got(chunks, *[Source({}, each) for each in says])
    assert refused.value is told or (told is None and refused.value.code is Code.UNAVAILABLE)


def test_what_cannot_be_kept_ends_it() -> None:
    """A disk without room: what it raises comes out of the threads."""
    chunks, held = entries(10)
    source = Source(held, MISSING)

    def full(chunk: ChunkEntry, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        SessionDownload(chunks, full).run([source])
    assert len(source.asked) == 1


def test_ctrl_c_ends_it_and_nothing_is_taken_afterwards() -> None:
    chunks, held = entries(2)
    began, go, over = threading.Event(), threading.Event(), threading.Event()
    taken: list[int] = []

    class Slow(Source):
        def send(self, call: Call[Any]) -> Any:
            began.set()
            assert go.wait(60)
            try:
                return super().send(call)
            finally:
                over.set()

    download = SessionDownload(chunks, lambda chunk, data: taken.append(chunk.index))

    class Pressed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            self.release()
            try:
                assert began.wait(60)
            finally:
                self.acquire()
            raise KeyboardInterrupt

    download._changed = Pressed()
    with pytest.raises(KeyboardInterrupt):
        download.run([Slow(held, MISSING)])
    go.set()
    assert over.wait(60)
    for thread in threading.enumerate():
        if thread.name == "fetch 0":
            thread.join(60)
    assert taken == []
