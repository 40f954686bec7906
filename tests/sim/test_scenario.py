"""Scenario files: the shipped ones are sound, what is written is read back, and what is wrong is named on one line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from lucid.chain.genesis import NAME_BYTES
from sim.durations import duration_ms
from sim.faults import KINDS
from sim.faults.fault import Fault
from sim.latency import PROFILES, region_names
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from sim.scenariofile import dump, load, parse, shipped

CASES = {
    "chunks", "crash-restart", "day", "default", "hundred", "lan", "late-join", "lossy", "mute-leader", "one-node",
    "pools", "rolling-upgrade", "short-epochs", "small-cooldown", "split", "tor", "wrong-clock",
}  # fmt: skip


# -- the shipped ones --------------------------------------------------------------------------------------------


def test_there_is_a_scenario_for_each_case_that_must_hold() -> None:
    assert set(shipped()) == CASES


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_scenario_is_sound_and_says_what_it_shows(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.description and "\n" not in scenario.description
    assert len(scenario.description) <= 130
    assert scenario.seed == 1, "seeds belong on the command line"
    assert parse(dump(scenario), "again") == scenario
    for fault in scenario.fault:
        assert fault.at_ms < scenario.duration_ms
        assert fault.until_ms is None or fault.until_ms < scenario.duration_ms - 60_000, "what ends is seen to end"


def test_a_scenario_loads_by_name_by_file_and_by_the_folder_of_a_run(tmp_path: Path) -> None:
    scenario = changed(load("split"), seed=77)
    (tmp_path / "scenario.toml").write_text(dump(scenario), "utf-8")
    assert load(str(tmp_path)) == load(str(tmp_path / "scenario.toml")) == scenario


# -- reading and writing -----------------------------------------------------------------------------------------

durations = st.one_of(
    st.integers(1, 10**9),
    st.builds(lambda number, unit: f"{number}{unit}", st.integers(1, 900), st.sampled_from(["ms", "s", "m", "h", "d"])),
    st.just("1h30m"),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def some(nodes: int) -> st.SearchStrategy[list[int]]:
    """Some of the nodes, each once."""
    return st.lists(st.integers(0, nodes - 1), unique=True, min_size=1)


@st.composite
def groups(draw: st.DrawFn, nodes: int) -> list[list[int]]:
    order = draw(st.permutations(range(nodes)))
    cut = draw(st.integers(1, nodes - 1))
    return [order[:cut], order[cut:]]


KEYS: dict[str, Callable[[int], st.SearchStrategy[Any]]] = {
    "node": lambda nodes: st.integers(0, nodes - 1),
    "nodes": some,
    "groups": groups,
    "percent": lambda nodes: st.floats(0, 100, exclude_min=True),
    "offset_ms": lambda nodes: st.integers(-86_400_000, 86_400_000).filter(bool),
    "over_ms": lambda nodes: st.integers(100, 10**6),
    "effects": lambda nodes: st.integers(0, 10**6),
    "down_ms": lambda nodes: st.integers(1, 10**6),
    "most_ms": lambda nodes: st.integers(1, 10**6),
    "back_ms": lambda nodes: st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
    "sees": some,
    "stall_ms": lambda nodes: st.integers(1, 10**5),
    "ppm": lambda nodes: st.integers(1, 10**5),
    "to": some,
    "times": lambda nodes: st.integers(2, 100),
    "kbps": lambda nodes: st.integers(1, 10**6),
    "victim": lambda nodes: st.integers(0, nodes - 1),
    "stays": lambda nodes: st.booleans(),
}
"""Values for the keys that a kind of fault may have; the others keep their defaults."""

FOR_SEVERAL = ("eclipse", "flapping", "partition")
"""Kinds that need more than one node."""


@st.composite
def faults(draw: st.DrawFn, nodes: int) -> Fault:
    kind = draw(st.sampled_from([each for each in sorted(KINDS) if nodes > 1 or each not in FOR_SEVERAL]))
    at = draw(st.integers(0, 10**6))
    values: dict[str, Any] = {"at": at, "until": draw(st.none() | st.integers(at + 1, at + 10**6))}
    for key in KINDS[kind].__struct_fields__:
        if key in KEYS:
            values[key] = draw(KEYS[key](nodes))
    if values.get("victim") == values.get("node", -1):
        values["node"] = (values["victim"] + 1) % nodes
    made = KINDS[kind](**values)
    try:
        made.check(nodes)
    except ScenarioError:
        reject()  # some values do not go together, such as nobody cut off from nobody
    return made


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    nodes = draw(st.integers(1, 12))
    pooled = draw(st.lists(st.integers(0, nodes - 1), unique=True))
    names = texts.filter(lambda text: 0 < len(text.encode()) <= NAME_BYTES)
    pool_names = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    pools: dict[str, list[int]] = {}
    for index in pooled:
        pools.setdefault(draw(st.sampled_from(pool_names)), []).append(index)
    return changed(
        Scenario(),
        name=draw(st.from_regex(r"\A[a-z][a-z0-9_.-]{0,20}\Z")),
        description=draw(texts),
        nodes=nodes,
        duration=draw(durations),
        seed=draw(st.integers(0, 2**63 - 1)),
        profile=draw(st.sampled_from(sorted(PROFILES))),
        crypto=draw(st.sampled_from(["real", "modeled"])),
        regions=draw(st.lists(st.sampled_from(region_names()), max_size=4)),
        pools=pools,
        links={"dsl": sorted(set(range(nodes)) - set(pooled))},
        transport=draw(st.sampled_from(["reliable", "datagram"])),
        disk_us=draw(st.integers(0, 10_000_000)),
        rules=draw(st.sampled_from([{}, {"version": 2}, {"version": 3, "height": 7}])),
        parameters=draw(st.dictionaries(st.sampled_from(["cooldown_slots", "base_mb_per_session"]), st.just(16))),
        workload=draw(st.sampled_from([None, {"chunk_every_ms": 7, "most_bytes": 2_000_000, "read_every_ms": 9}])),
        fault=[msgspec.to_builtins(each) for each in draw(st.lists(faults(nodes), max_size=3))],
    )


@given(scenarios())
def test_what_is_written_is_complete_and_read_back_the_same(scenario: Scenario) -> None:
    text = dump(scenario)
    assert parse(text, "again") == scenario
    written = tomllib.loads(text)
    tables = {"pools", "links", "parameters", "rules", "limits", "workload", "fault"}
    assert set(Scenario.__struct_fields__) - set(written) <= tables, "complete but for empty"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("1h30m", 5_400_000),
        ("1 h 30 m", 5_400_000),
        ("250ms", 250),
        ("2d", 172_800_000),
        (1_500, 1_500),
    ],
)
def test_durations(text: str | int, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "h", "10", "10 minutes", "1.5h", "-5m", "5m!", "s5", -1])
def test_what_is_no_duration(text: str | int) -> None:
    with pytest.raises(ScenarioError, match="is not a duration"):
        duration_ms(text)


# -- what is wrong -----------------------------------------------------------------------------------------------

WRONG = [
    # file, line, key, what the sentence says
    ("nodes = 0", 1, "nodes", "must be at least 1"),
    ("# a comment\n\nnodes = 5000", 3, "nodes", "must be at most 1024"),
    ('nodes = "four"', 1, "nodes", "must be a whole number, not text"),
    ("nodes = 4\nnods = 3", 2, "nods", "no such key"),
    ('name = "a/b"', 1, "name", "regex"),
    ('name = "x\\n"', 1, "name", "regex"),
    ("seed = -1", 1, "seed", "must be at least 0"),
    ("seed = 99999999999999999999999999", 1, "seed", "must be at most"),
    ('crypto = "none"', 1, "crypto", "no 'none'; there are model"),
    ('schedule = "drawn"', 1, "schedule", "no 'drawn'; there are ranked, weighted"),
    ('[[fault]]\nkind = "crash"\nnode = "x"', 3, "fault[0].node", "must be a whole number or leader, not 'x'"),
    ("nodes = 2\ncapacities = [1, 1, 1]", 2, "capacities", "there are 2 nodes"),
    ('profile = "moon"', 1, "profile", "no 'moon'; there are regions"),
    ('nodes = 4\nregions = [\n  "mars",\n]', 2, "regions", "no 'mars'"),
    ('duration = "soon"', 1, "duration", "'soon' is not a duration"),
    ("duration = 1.5", 1, "duration", "not a number"),
    ("duration = 0", 1, "duration", "within 1.."),
    ('duration = "9999999d"', 1, "duration", "within 1.."),
    ("disk_us = -1", 1, "disk_us", "must be at least 0"),
    ("bandwidth_mbps = 0", 1, "bandwidth_mbps", "must be at least 1"),
    ("snapshot_blocks = 0", 1, "snapshot_blocks", "must be at least 1"),
    ("pools = 3", 1, "pools", "not a whole number"),
    ("[pools]\nred = [1]\nblue = [2, 11]", 3, "pools.blue", "no node 11 among 10"),
    ("[pools]\nred = [1]\nblue = [1]", 3, "pools.blue", "node 1 is in pool red already"),
    ("[pools]\nred = [1]\nblue = 2", 3, "pools.blue", "not a whole number"),
    ("[pools]\nred = [1, 1]", 2, "pools.red", "names a node twice"),
    ("[pools]\nred = [1]\n" + '"' + "x" * 65 + '" = [2]', 3, "pools." + "x" * 65, "1 to 64 bytes"),
    ("[parameters]\nepoch_slots = 5\nspeed = 3", 3, "parameters.speed", "no such parameter"),
    ("[limits]\nspeed = 3", 2, "limits.speed", "no such limit"),
    ("[limits]\nanswer_ms = 0", 2, "limits.answer_ms", "at least 1"),
    ("[limits]\nanswer_ms = 'x'", 2, "limits.answer_ms", "not text"),
    ("parameters.speed = 3", 1, "parameters.speed", "no such parameter"),
    ("parameters = {speed = 3}", 1, "parameters.speed", "no such parameter"),
    ('[parameters]\nepoch_slots = 5\ncooldown_slots = "x"', 3, "parameters.cooldown_slots", "not text"),
    ("[parameters]\nepoch_slots = 5\ncooldown_slots = 99", 3, "parameters.cooldown_slots", "within 8..64"),
    ("[parameters]\nslot_duration_ms = 15000", 2, "parameters.slot_duration_ms", "multiple"),
    ("[parameters]\nmax_clock_drift_ms = 4000", 1, "parameters.slot_timeout_ms", "exceed twice"),
    ('[[fault]]\nat = "5m"', 1, "fault[0].kind", "is missing"),
    ('[[fault]]\nkind = "crash"\nnode = 1\n\n[[fault]]\nkind = "quake"', 6, "fault[1].kind", "'quake'"),
    ('[[fault]]\nkind = "crash"\nnode = 1\n\n[[fault]]\nkind = "crash"\nnode = 10', 7, "fault[1].node", "no node 10"),
    ('[[fault]]\nkind = "crash"', 1, "fault[0].node", "a crash needs this"),
    ('[[fault]]\nkind = "crash"\nnode = 1\npercent = 3.0', 4, "fault[0].percent", "a crash has none"),
    ('[[fault]]\nkind = "crash"\nnode = 1\npercent = nan', 4, "fault[0].percent", "a crash has none"),
    ('[[fault]]\nkind = "crash"\nnode = 1\nhard = "y"', 4, "fault[0].hard", "no such key"),
    ('[[fault]]\nkind = "partition"\ngroups = [[0, 1], []]', 3, "fault[0].groups", "empty group"),
    ("nodes = 4\nduration = 5\ncalm = 5", 3, "calm", "before the end"),
    ('[[fault]]\nkind = "crash"\nnode = 1\nat = "10m"\nuntil = "5m"', 5, "fault[0].until", "within 600001.."),
    ('[[fault]]\nkind = "crash"\nnode = 1\nat = "tea"', 4, "fault[0].at", "is not a duration"),
    ('[[fault]]\nkind = "loss"\npercent = 101.0', 3, "fault[0].percent", "at most 100"),
    ('[[fault]]\nkind = "loss"\npercent = nan', 3, "fault[0].percent", "at most 100"),
    ('[[fault]]\nkind = "loss"', 1, "fault[0].percent", "a loss needs this"),
    ('[[fault]]\nkind = "partition"\ngroups = [[0, 1]]', 3, "fault[0].groups", "two groups"),
    ('[[fault]]\nkind = "partition"\ngroups = [[0, 1], [1, 2]]', 3, "fault[0].groups", "names a node twice"),
    ('[[fault]]\nkind = "partition"\ngroups = [0, 1]', 3, "fault[0].groups[0]", "not a whole number"),
    ('[[fault]]\nkind = "clock"\nnode = 1', 1, "fault[0].offset_ms", "a clock needs this"),
    ('[[fault]]\nkind = "clock"\nnode = 1\noffset_ms = 99999999999', 4, "fault[0].offset_ms", "at most 86400000"),
    ('fault = [{kind = "crash", node = 1},\n{kind = "crash", node = 12}]', 1, "fault[1].node", "no node 12"),
]


@pytest.mark.parametrize(
    ("text", "line", "key", "says"), WRONG, ids=[f"{key}-{n}" for n, (_, _, key, _) in enumerate(WRONG)]
)
def test_a_wrong_file_is_one_line_that_names_the_line_and_the_key(text: str, line: int, key: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "some.toml")
    sentence = str(caught.value)
    assert sentence.startswith(f"some.toml:{line}: {key}: "), sentence
    assert says in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("text", ["nodes =", "nodes = 3\nnodes = 4", "[[fault]\n", "\x00", 'name = "a'])
def test_what_is_no_toml_is_one_line_with_a_place(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"\Asome\.toml: .*\(at (line \d+, column \d+|end of document)\)\Z"):
        parse(text, "some.toml")


@given(st.text(max_size=60))
def test_any_text_is_a_scenario_or_one_line(text: str) -> None:
    try:
        parse(text, "some.toml")
    except ScenarioError as error:
        assert str(error).startswith("some.toml") and "\n" not in str(error)


WORDS = (
    "nodes", "name", "seed", "fault", "[[fault]]", "[pools]", "[parameters]", "kind", "groups", "percent", "=", "=",
    "=", '"crash"', '"loss"', '"5m"', "[[0], [1]]", "[1]", "true", "1979-05-27", "1.5", "-1", "7", "nan", "\n", "\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
def test_any_heap_of_words_is_a_scenario_or_one_line(text: str) -> None:
    try:
        scenario = parse(text, "some.toml")
    except ScenarioError as error:
        assert str(error).startswith("some.toml") and "\n" not in str(error)
    else:
        assert parse(dump(scenario), "again") == scenario


def test_an_override_is_checked_like_a_file() -> None:
    pools = load("pools")
    for values, key in (({"nodes": 2}, "pools.reykjavik"), ({"nodes": 0}, "nodes"), ({"seed": -1}, "seed")):
        with pytest.raises(ScenarioError) as caught:
            changed(pools, **values)
        assert caught.value.key == key and "\n" not in str(caught.value)
    assert pools == load("pools"), "the original is left alone"


def test_a_name_that_is_neither_shipped_nor_a_file_is_told_the_choice(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="neither a file nor one of chunks, crash-restart, day"):
        load(str(tmp_path / "nothing.toml"))
    (tmp_path / "latin.toml").write_bytes("name = 'þjóð'".encode("latin-1"))
    with pytest.raises(ScenarioError) as caught:
        load(str(tmp_path / "latin.toml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_made_by_name_told_and_documented(kind: str) -> None:
    wanted = {"node": 1, "groups": [[0, 1], [2, 3]], "nodes": [2], "percent": 5.0, "offset_ms": 300, "over_ms": 500}
    wanted |= {"effects": 7, "down_ms": 100, "most_ms": 100, "back_ms": [5, 6], "to": [1], "stall_ms": 9, "ppm": 5}
    wanted |= {"kbps": 300, "times": 9, "victim": 2}
    values: dict[str, Any] = {key: each for key, each in wanted.items() if key in KINDS[kind].__struct_fields__}
    fault: Fault = Fault(kind=kind, **values)  # type: ignore[call-arg]  # by its metaclass
    assert type(fault) is KINDS[kind] and fault.kind == kind
    assert fault.text() and "\n" not in fault.text()
    assert KINDS[kind].__doc__
    assert changed(Scenario(nodes=4), fault=[msgspec.to_builtins(fault)]).fault == [fault]
