"""A SimPy world that runs networks of the product's machines from a seed, with faults, in virtual time.

For programs and notebooks (docs/simulator.md, "From Python"): `Scenario`, how to get one, and what a `Fault` of one's
own is made of.
"""

from __future__ import annotations

from sim.faulthooks import Hooks
from sim.faults.fault import Fault
from sim.scenario import Scenario
from sim.scenariochecks import changed
from sim.scenarioerror import ScenarioError
from sim.scenariofile import load

__all__ = ["Fault", "Hooks", "Scenario", "ScenarioError", "changed", "load"]
