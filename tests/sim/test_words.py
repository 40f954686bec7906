"""Scenarios changed by words: settings, faults, and what is said of those that are wrong."""

from __future__ import annotations

import re

import pytest

from sim.faults.crash import Crash
from sim.faults.loss import Loss
from sim.faults.one_way import OneWay
from sim.faults.partition import Partition
from sim.faults.selective import Selective
from sim.scenario import Scenario
from sim.scenarioerror import ScenarioError
from sim.scenariofile import load, parse, shipped
from sim.scenariokeys import ABOUT, explained
from sim.scenarioschema import schema
from sim.words import with_words


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("nodes=25", "nodes", 25),
        ("disk=microsd", "disk", "microsd"),
        ("duration=3m", "duration", "3m"),
        ("slow_start=true", "slow_start", True),
        ("anchor_every_ms=2s", "anchor_every_ms", 2_000),
        ("anchor_every=2s", "anchor_every_ms", 2_000),
        ("regions=west-europe,us-east", "regions", None),
        ("block_interval=2s", "parameters", {"block_interval_ms": 2_000}),
        ("parameters.block_interval_ms=2000", "parameters", {"block_interval_ms": 2_000}),
        ("cooldown_slots=9", "parameters", {"cooldown_slots": 9}),
    ],
)
def test_a_setting_is_the_key_that_it_names(setting: str, key: str, value: object) -> None:
    if value is None:
        with pytest.raises(ScenarioError, match="us-east"):
            with_words(Scenario(), [setting])
        return
    assert getattr(with_words(Scenario(), [setting]), key) == value


def test_a_key_of_the_workload_is_set_alone_and_a_whole_table_is_not() -> None:
    load_of = with_words(Scenario(), ["chunk_every=3s", "workload.most_chunks=7"]).workload
    assert load_of is not None and (load_of.chunk_every_ms, load_of.most_chunks) == (3_000, 7)
    for setting, says in (("limits=3", "set one of its keys, such as limits."), ("fault=crash", "use --fault")):
        with pytest.raises(ScenarioError, match="is a table: ") as caught:
            with_words(Scenario(), [setting])
        assert says in str(caught.value)


def test_loss_is_a_fault_and_none_of_it_is_none() -> None:
    assert with_words(Scenario(), ["loss=5%"]).fault == [Loss(percent=5)]
    assert with_words(Scenario(), ["loss=0"]).fault == []
    assert with_words(load("lossy"), ["loss=0"]).fault == []
    assert with_words(load("lossy"), ["loss=1%"]).fault == [Loss(percent=1)]


def test_a_fault_of_several_nodes_by_region_and_by_role_is_one_for_each() -> None:
    base = Scenario(nodes=7, regions=["west-europe", "japan-east", "north-europe"])
    faults = with_words(base, faults=["crash regions=europe at=1m until=2m"]).fault
    assert faults == [Crash(node=node, at="1m", until="2m") for node in (0, 2, 3, 5, 6)]
    spare = [fault.node for fault in with_words(base, faults=["crash role=f"]).fault if isinstance(fault, Crash)]
    many = [fault.node for fault in with_words(base, faults=["crash role=quorum"]).fault if isinstance(fault, Crash)]
    assert len(set(spare)) == 2 and len(set(many)) == 3
    assert with_words(base, faults=["crash role=f"]).fault == with_words(base, faults=["crash role=f"]).fault


def test_lists_of_a_fault_are_what_they_list() -> None:
    faults = ["selective node=1 messages=vote,proposal to=0,2 at=1m", "one_way nodes=0 to=1"]
    selective, one_way = with_words(Scenario(), faults=faults).fault
    assert selective == Selective(node=1, messages=["vote", "proposal"], to=[0, 2], at="1m")
    assert one_way == OneWay(nodes=[0], to=[1])


def test_faults_by_nodes_by_regions_and_by_chance() -> None:
    base = Scenario(nodes=4, regions=["west-europe", "japan-east"])
    words = ["crash node=2 at=10m until=20m", "partition at=1m until=2m regions=europe", "crash random=a at=5s"]
    crash, split, chosen = with_words(base, faults=words).fault
    assert crash == Crash(node=2, at="10m", until="20m")
    assert split == Partition(groups=[[0, 2], [1, 3]], at="1m", until="2m")
    assert isinstance(chosen, Crash) and 0 <= chosen.node < 4
    assert with_words(base, faults=words).fault[2] == chosen, "the same seed chooses the same node"


@pytest.mark.parametrize(
    ("settings", "faults", "says"),
    [
        (["nodes"], [], "'nodes' is not KEY=VALUE"),
        (["nods=4"], [], "did you mean 'nodes'"),
        (["block_intervall=2s"], [], "did you mean 'block_interval'"),
        (["nodes=many"], [], "nodes: 'many' is not a whole number"),
        (["block_interval=soon"], [], "'soon' is not a duration such as 2s"),
        (["loss=lots"], [], "'lots' is not a number of percent"),
        (["disk=floppy"], [], "disk"),
        ([], ["crush node=1"], "did you mean 'crash'"),
        ([], ["crash nod=1"], "did you mean 'node'"),
        ([], ["crash 1"], "'1' of the fault crash is not KEY=VALUE"),
        ([], ["partition groups=[[0],[1]]"], "groups='[[0],[1]]' must be node indexes such as groups=0,1|2,3"),
        ([], [""], "no fault ''"),
        ([], ["crash role=boss"], "no role 'boss'; there are leader"),
        ([], ["crash regions=atlantis"], "no node is in a region of 'atlantis'"),
        (["nodes=3"], ["crash role=f"], "of 3 nodes none may fail"),
        ([], ["loss percent=1 role=f"], "a loss has no 'role'"),
        ([], ["partition regions="], "no node is in a region of ''"),
        ([], ["twin node=1 sees=all"], "sees='all' must be node indexes such as sees=0,1"),
        ([], ["eclipse at=1m"], "an eclipse needs this"),
        ([], ["partition regions=atlantis"], "no node is in a region of 'atlantis'"),
    ],
)
def test_what_is_wrong_is_named(settings: list[str], faults: list[str], says: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(says)):
        with_words(Scenario(), settings, faults)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_what_is_shown_is_the_scenario_and_explains_every_key(name: str) -> None:
    scenario = load(name)
    text = explained(scenario)
    assert parse(text, "shown") == scenario
    for key in Scenario.__struct_fields__:
        assert f"\n{key} = " not in f"\n{text}" or f"# {ABOUT[key]}\n" in text


def test_every_key_is_explained_once() -> None:
    assert set(ABOUT) == set(Scenario.__struct_fields__)
    described = schema()["$defs"]["Scenario"]["properties"]
    assert all(described[key]["description"] == about for key, about in ABOUT.items())
