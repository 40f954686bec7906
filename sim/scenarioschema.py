"""The JSON Schema of scenarios, for editors (`lucid sim schema`) and the table of keys on the site."""

from __future__ import annotations

from typing import Any

import msgspec

from lucid.chain.genesis import Activation
from lucid.chain.parameters import Parameters
from lucid.machines.limits import Limits
from sim.latency import PROFILES, region_names
from sim.links import LINKS
from sim.scenario import Scenario
from sim.scenariokeys import ABOUT, ABOUT_WORKLOAD


def schema() -> dict[str, Any]:
    """A JSON Schema of scenarios, for editors: what the types say, and the names that they leave open."""
    found = msgspec.json.schema(Scenario)
    keys = found["$defs"]["Scenario"]["properties"]
    for key, about in ABOUT.items():
        keys[key]["description"] = about
    for key, about in ABOUT_WORKLOAD.items():
        found["$defs"]["ChunkLoad"]["properties"][key]["description"] = about
    keys["name"]["pattern"] = r"^\w[\w.-]{0,63}$"  # JavaScript's, too
    keys["profile"]["enum"] = list(PROFILES)
    keys["regions"]["items"]["enum"] = region_names()
    keys["links"]["propertyNames"] = {"enum": list(LINKS)}
    for table, kind, left_out in (
        ("parameters", Parameters, ""),
        ("rules", Activation, ""),
        ("limits", Limits, "snapshot_blocks"),
    ):
        names = [name for name in kind.__struct_fields__ if name != left_out]
        keys[table]["properties"] = {name: {"type": "integer"} for name in names}
        keys[table]["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "lucid-scenario", **found}
