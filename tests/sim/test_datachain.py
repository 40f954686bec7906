"""Data chains in virtual time: chunks that come to where they belong over links that take their time."""

from __future__ import annotations

from typing import Any

import pytest

from lucid.machines.replicamessages import ChunkPart
from sim.card import Card
from sim.chunkload import ChunkLoad
from sim.datachain import DataChain
from sim.faults.chunk_rot import ChunkRot
from sim.faults.crash import Crash
from sim.faults.false_parts import FalseParts
from sim.faults.fault import Fault, tag
from sim.scenario import Scenario
from sim.scenarioerror import ScenarioError
from sim.scenariofile import dump, parse
from sim.trace import Trace
from sim.world import World

CHUNK = bytes(range(32))


def world(*faults: Fault, load: dict[str, Any] | None = None, **values: Any) -> World:
    """A network with chunks, started."""
    few: dict[str, Any] = {"chunk_every_ms": 500, "most_chunks": 8, "least_bytes": 2_000, "most_bytes": 200_000}
    keys: dict[str, Any] = {"nodes": 4, "profile": "lan", "anchor_every_ms": 0} | values
    made = World(Scenario(workload=ChunkLoad(**(few | (load or {}))), fault=list(faults), **keys), Trace())
    made.start()
    return made


def data(made: World, index: int) -> DataChain:
    """A node's data chain."""
    found = made.nodes[index].data
    assert found is not None
    return found


def holders(made: World, chunk: bytes) -> list[int]:
    """The nodes whose cards have a chunk's bytes."""
    return [node.index for node in made.nodes if data(made, node.index).card.intact(chunk)]


def test_each_chunk_comes_to_where_it_belongs() -> None:
    made = world()
    made.run(60_000)
    assert made.chunks is not None and len(made.chunks.acknowledged) == 8
    for chunk, told in made.chunks.acknowledged.items():
        machine = data(made, 0).machine
        assert machine is not None
        homes = {made.index[key] for key in machine.neighborhood.wanted(chunk)}
        assert set(holders(made, chunk)) == homes | {told.node}


def test_the_bytes_of_a_chunk_take_their_time_on_the_link_and_are_not_there() -> None:
    slow, fast = (world(bandwidth_mbps=rate, load={"least_bytes": 200_000, "most_chunks": 3}) for rate in (1, 1_000))
    for made in (slow, fast):
        made.run(4_000)
    copies = [sum(len(data(made, node.index).card.chunks()) for node in made.nodes) for made in (slow, fast)]
    assert copies[0] < copies[1]


def test_what_a_card_lost_is_found_and_comes_back() -> None:
    made = world(ChunkRot(node=1, percent=100.0, at=20_000), load={"scrub_ms": 5_000})
    made.run(20_001)
    lost = data(made, 1).card.chunks()
    assert lost and not any(data(made, 1).card.intact(chunk) for chunk in lost)
    made.run(60_000)
    assert all(data(made, 1).card.intact(chunk) for chunk in lost)
    machine = data(made, 1).machine
    assert machine is not None and machine.repaired == len(lost)


def test_false_bytes_are_not_kept_and_another_source_gives_the_right_ones() -> None:
    made = world(FalseParts(node=0))
    made.run(60_000)
    assert made.chunks is not None and made.byzantine == {0}
    for chunk, told in made.chunks.acknowledged.items():
        if told.node != 0:
            assert len(holders(made, chunk)) >= 3
    assert made.network.messages[tag(ChunkPart)] > 0


def test_a_crash_loses_what_was_not_durable_and_nothing_else() -> None:
    made = world(Crash(node=2, at=10_000, until=15_000))
    made.run(9_999)
    assert made.chunks is not None
    before = data(made, 2).card.chunks()
    made.run(12_000)
    assert data(made, 2).machine is None and data(made, 2).card.chunks() == before
    made.run(40_000)
    machine = data(made, 2).machine
    assert machine is not None and len(machine.name) == 16
    assert all(len(holders(made, chunk)) >= 3 for chunk in made.chunks.acknowledged)


def test_a_read_gives_right_bytes_or_none() -> None:
    made = world(
        ChunkRot(node=1, percent=50.0, at=5_000), FalseParts(node=0),
        load={"read_every_ms": 100},
    )  # fmt: skip
    made.run(60_000)
    assert made.chunks is not None and made.chunks.read > 300 and not made.chunks.wrong


def test_a_card_shows_what_its_node_knows() -> None:
    card, other = Card(), bytes(32)
    assert not card.kept(CHUNK) and card.page(b"", 9) == ([], b"")
    card.keep(CHUNK, 5)
    card.keep(other, 6)
    assert (
        card.page(b"", 1) == ([other], other + b"\0")
        and card.page(other + b"\0", 9) == ([CHUNK], b"")
        and card.size(CHUNK) == 5
    )
    card.damage(CHUNK)
    assert card.sound(CHUNK) and card.offered(CHUNK) and not card.intact(CHUNK), "it does not know yet"
    card.doubt(CHUNK)
    assert not card.sound(CHUNK) and card.faulty(b"", 1) == ([CHUNK], CHUNK) and card.faulty(CHUNK, 1) == ([], b"")
    card.keep(CHUNK, 5)
    assert card.intact(CHUNK) and card.sound(CHUNK) and card.faulty(b"", 9) == ([], b"") and not card.gone(CHUNK)


def test_a_scenario_with_chunks_is_written_and_read_back() -> None:
    made = Scenario(workload=ChunkLoad(chunk_every_ms=7, most_bytes=9_999, least_bytes=2_000))
    assert parse(dump(made), "here") == made and "workload" not in dump(Scenario())
    with pytest.raises(ScenarioError, match=r"most_bytes: must be at least least_bytes, 5000"):
        parse("[workload]\nchunk_every_ms = 1\nleast_bytes = 5_000\nmost_bytes = 4_000", "here")
