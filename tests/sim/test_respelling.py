"""A scenario as an earlier release wrote it is read, and written as this one spells it."""

from __future__ import annotations

import pytest

from sim.scenarioerror import ScenarioError
from sim.scenariofile import dump, parse

OLD = 'nodes = 2\nduration = "10s"\ncrypto = "modelled"\n[links]\ndatacentre = [0]\nfibre = [1]\n'


def test_what_an_earlier_release_wrote_is_what_this_one_means() -> None:
    scenario = parse(OLD, "old")
    assert scenario.crypto == "modeled"
    assert scenario.links == {"datacenter": [0], "fiber": [1]}
    assert "modelled" not in dump(scenario) and parse(dump(scenario), "new") == scenario


@pytest.mark.parametrize(
    "text", ['crypto = "modelledd"\n', "crypto = 7\n", "links = 7\n", "[links]\nfibre = [0]\nfiber = [1]\n"]
)
def test_anything_else_is_refused_as_before(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse(text, "wrong")
