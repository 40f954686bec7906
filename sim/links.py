"""How a node is attached to the network: uplink, downlink and the delay of its access, by kind of access."""

from __future__ import annotations

from typing import NamedTuple

MEGABIT = 1_000_000


class AccessLink(NamedTuple):
    """Bits per second up and down, and one-way microseconds between the node and its provider."""

    up_bps: int
    down_bps: int
    access_us: int
    about: str


LINKS = {
    "datacenter": AccessLink(1_000 * MEGABIT, 1_000 * MEGABIT, 0, "1 Gbit/s both ways; assumed"),
    "fiber": AccessLink(100 * MEGABIT, 500 * MEGABIT, 2_000, "500/100 Mbit/s home fiber, 2 ms; assumed"),
    "dsl": AccessLink(10 * MEGABIT, 50 * MEGABIT, 10_000, "50/10 Mbit/s VDSL with interleaving, 10 ms; assumed"),
    "lte": AccessLink(10 * MEGABIT, 30 * MEGABIT, 25_000, "30/10 Mbit/s mobile, 25 ms; assumed"),
    "europe2019": AccessLink(20_700_000, 40 * MEGABIT, 0, "SimBlock's Europe of 2019"),
    "north-america2019": AccessLink(19_200_000, 52 * MEGABIT, 0, "SimBlock's North America of 2019"),
    "south-america2019": AccessLink(5_800_000, 18 * MEGABIT, 0, "SimBlock's South America of 2019"),
    "asia-pacific2019": AccessLink(15_700_000, 22_800_000, 0, "SimBlock's Asia Pacific of 2019"),
    "japan2019": AccessLink(10_200_000, 22_800_000, 0, "SimBlock's Japan of 2019"),
    "australia2019": AccessLink(11_300_000, 29_900_000, 0, "SimBlock's Australia of 2019"),
}
"""Kinds of access by name. SimBlock's figures: its `NetworkConfiguration`, bandwidths of 2019, read 2026-11-28."""


def symmetric(bps: int) -> AccessLink:
    """A link of the same rate both ways, without a delay of its own."""
    return AccessLink(bps, bps, 0, "")
