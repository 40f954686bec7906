"""The simulator against real nodes: the arithmetic by hand, and one short run of both."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from harness.calibration import calibrate as module
from harness.calibration.calibrate import calibrate, like_here
from harness.calibration.comparison import compare
from harness.calibration.delays import delays
from harness.calibration.meter import MeterError, MeterReading, of_happened
from harness.soak.links import Links
from harness.timeline.journals import Happened
from lucid.machines.effects import BlockFinal, Broadcast, Proposed, Send
from lucid.services.process.ports import free_ports
from sim.samples import spread
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError


def block(height: int) -> dict[str, Any]:
    """The fields of a fact of a block."""
    return {"epoch": 0, "view": height, "height": height, "hash": bytes([height]) * 32}


def a_chain(blocks: int) -> list[Happened]:
    """Three nodes; a block a second, final after 100, 200 and 300 ms, and one broadcast and one message for each."""
    found: list[Happened] = []
    for height in range(1, blocks + 1):
        at_ms = 1_000 * height
        found.append((at_ms, 0, Proposed(**block(height))))
        found += [(at_ms + 100 * (lane + 1), lane, BlockFinal(**block(height))) for lane in range(3)]
        found += [(at_ms + 10, 0, Broadcast(bytes(50))), (at_ms + 20, 1, Send(bytes(32), bytes(7)))]
    return found


def test_blocks_above_a_height_are_measured_but_the_last() -> None:
    found = of_happened(a_chain(12), 3, above=2)
    assert found.blocks == 9
    assert (found.finality_ms.n, found.finality_ms.p50, found.finality_ms.max) == (27, 200, 300)
    assert (found.messages_per_block, found.bytes_per_block) == (3, 107), "a broadcast has two receivers"


def test_a_block_whose_proposal_nobody_kept_is_left_out() -> None:
    chain = [each for each in a_chain(12) if not (isinstance(each[2], Proposed) and each[2].height == 5)]
    found = of_happened(chain, 3, above=2)
    assert found.blocks == 8 and found.finality_ms.n == 24


@pytest.mark.parametrize(("blocks", "above"), [(0, 0), (1, 0), (5, 4)])
def test_too_few_blocks_are_no_measurement(blocks: int, above: int) -> None:
    with pytest.raises(MeterError, match="too few to measure"):
        of_happened(a_chain(blocks), 3, above)


def figures(ms: int, messages: float = 40.0, n: int = 200) -> MeterReading:
    """A measurement in which every sample is the same."""
    return MeterReading(
        blocks=50, finality_ms=spread([1_000 * ms] * n), messages_per_block=messages, bytes_per_block=1e4
    )


def test_differences_are_of_the_median_run_and_a_miss_is_a_miss() -> None:
    lines = {each.figure: each for each in compare(figures(200), [figures(150, 41), figures(170), figures(190, 39)])}
    p50, p99 = lines["finality p50"], lines["finality p99"]
    assert (p50.real, p50.simulated, p50.least, p50.largest) == (200, 170, 150, 190)
    assert p50.difference == -0.15 and p50.holds is False
    assert p99.holds is False, "200 is beyond what the runs differ by"
    assert lines["messages per block"].holds and lines["bytes per block"].difference == 0


def test_what_a_sample_is_too_small_for_neither_holds_nor_misses() -> None:
    lines = {each.figure: each for each in compare(figures(200, n=20), [figures(200)])}
    assert lines["finality p99"].holds is None and lines["finality p99"].difference is None
    assert lines["finality p90"].holds is True


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"fault": [{"kind": "crash", "node": 1, "at": "1s"}]}, "a calibration has no faults"),
        ({"transport": "datagram"}, "reliable transport"),
        ({"links": {"lte": [0]}}, "no links"),
        ({"queuing_ms": 5}, "no links, queuing"),
    ],
)
def test_what_no_devnet_can_do_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        like_here(changed(Scenario(), nodes=4, **values))


def test_the_scenario_is_paced_as_a_devnet_and_keeps_what_it_says() -> None:
    plain = like_here(changed(Scenario(), nodes=4))
    assert plain.parameters["block_interval_ms"] == 2_000 and plain.parameters["slot_timeout_ms"] == 4_000
    assert plain.anchor_arrivals == "fixed"
    kept = like_here(changed(Scenario(), nodes=4, parameters={"block_interval_ms": 5_000}))
    assert kept.parameters["block_interval_ms"] == 5_000


def test_a_link_delays_what_it_carries_and_keeps_its_order() -> None:
    ports = free_ports(2)
    with socket.create_server(("127.0.0.1", ports[1])) as server:
        drawn = iter([0.5, 0.1, *[0.0] * 9])
        links = Links(ports, lambda sender, receiver: next(drawn) if sender == 0 else 0.0)
        try:
            with socket.create_connection(("127.0.0.1", links.port(0, 1)), 60) as one:
                other, _ = server.accept()
                with other:
                    began = time.monotonic()
                    one.sendall(b"first")
                    got = other.recv(5, socket.MSG_WAITALL)
                    assert got == b"first" and time.monotonic() - began >= 0.5
                    one.sendall(b"second")
                    assert other.recv(6, socket.MSG_WAITALL) == b"second"
                    other.sendall(b"back")
                    assert one.recv(4, socket.MSG_WAITALL) == b"back"
                    one.shutdown(socket.SHUT_WR)
                    assert other.recv(1) == b"", "its end comes too"
        finally:
            links.close()


def test_delays_are_those_of_the_scenarios_links() -> None:
    draw = delays(changed(Scenario(), nodes=3, profile="constant"))
    assert {draw(0, 1), draw(2, 0)} == {0.1}
    near = delays(changed(Scenario(), nodes=2, regions=["west-europe"]))
    assert all(0.0004 < near(0, 1) < 0.002 for _ in range(200)), "half a millisecond, with jitter"


def test_real_nodes_and_simulated_ones_are_measured_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEEDS", 2)
    scenario = changed(
        Scenario(), nodes=2, duration="2s", profile="constant", parameters={"block_interval_ms": 1_000}, disk_us=500
    )
    said: list[str] = []
    found = calibrate(scenario, tmp_path, said.append)
    assert found.real.blocks >= 3 and [each.blocks >= 3 for each in found.simulated] == [True, True]
    for each in (found.real, *found.simulated):
        assert each.finality_ms.p50 is not None
        assert each.finality_ms.p50 >= 200, "a proposal there and votes back, 100 ms each way"
        assert each.messages_per_block >= 5 and each.bytes_per_block > 1_000
    assert [line.figure for line in found.lines][:2] == ["finality p50", "finality p90"]
    assert found.costs["write"].n > 3 and found.costs["VoteMessage"].n > 3 and found.costs["message 2"].n > 3
    assert said[:2] == [
        "measuring what this machine takes for an event, a message and a write",
        "starting 2 real nodes",
    ]
