"""The keys of a scenario: what each says, for `lucid sim show`, an editor's schema and docs/simulator.md."""

from __future__ import annotations

from sim.scenario import Scenario
from sim.scenariofile import dump

ABOUT = {
    "name": "what the run is called",
    "description": "one sentence on what it shows",
    "nodes": "number of nodes, all of them validators",
    "duration": "simulated time: 90s, 10m, 24h, or milliseconds",
    "seed": "everything random follows from it",
    "profile": "delays between places and their jitter: regions, lan, tor or constant",
    "crypto": "real signatures, or a modeled stand-in that costs the same virtual time",
    "regions": "where nodes are, in order and round; all ten regions if empty",
    "pools": "pools of nodes by name: the nodes of one lead as one",
    "links": "kinds of access by name (`dsl`, `fiber`, `lte`, ...), and which nodes have them",
    "transport": "reliable: ordered connections as the services keep them; datagram: each message for itself",
    "slow_start": "idle connections begin with ten segments and double them each round trip",
    "queuing_ms": "what the traffic of others adds to a link's delay in the mean, in ms, for a second or so alike",
    "bandwidth_mbps": "uplink and downlink of nodes that no kind of access names, in Mbit/s",
    "cpu": "what signatures cost: pi4, pi5 or server",
    "disk": "time until a write is durable: microsd, sata, nvme, or constant (disk_us)",
    "disk_us": "microseconds until a write is durable, with a constant disk",
    "anchor_every_ms": "a client attempts an anchor so often in the mean, in ms; 0: never",
    "anchor_arrivals": "poisson: clients that know nothing of each other; fixed: evenly spaced",
    "holdings_every_ms": "a node says so often in the mean what it holds of a session, in ms; 0: never (rules 3)",
    "relays_every_ms": "a node takes a session so often in the mean, in ms, and brings it to others; 0: none (rules 6)",
    "capacities": "tickets that nodes declare, the first node's first, 0 for none (rules 7)",
    "schedule": "who leads: ranked by score (protocol section 4), or weighted: drawn by it (harness/weighted.py)",
    "snapshot_blocks": "final blocks between snapshots",
    "share_execution": "nodes that hold the same parent share a block's execution, which only saves time",
    "parameters": "parameters of the genesis document (protocol section 3)",
    "rules": "rules of the genesis document: their version, and from which height on they hold (protocol section 12)",
    "limits": "the machines' own limits, marked with a degree sign in the protocol",
    "workload": "clients that store chunks and read them again, whose bytes are modeled (sim/chunkload.py)",
    "calm": "from here on no faults, and the Byzantine are silent; 0: never",
    "fault": "what goes wrong: `kind`, `at`, `until`, and the keys of its kind",
}

ABOUT_WORKLOAD = {
    "chunk_every_ms": "a client stores a chunk so often in the mean, in ms",
    "least_bytes": "the smallest chunk",
    "most_bytes": "the largest chunk",
    "most_chunks": "chunks after which no more are stored",
    "read_every_ms": "a client reads a chunk at any node so often in the mean, in ms; 0: never",
    "scrub_ms": "how often a node looks at all chunks that it holds, in ms",
    "bytes_per_s": "how much of a chunk a node asks for in a second, of each that it fetches",
}


def explained(scenario: Scenario) -> str:
    """The scenario as complete TOML, each key under a comment that says what it is."""
    lines = []
    known = ABOUT | {f'"{key}"': about for key, about in ABOUT_WORKLOAD.items()}
    for line in dump(scenario).splitlines():
        key = line.partition("=")[0].strip().strip("[]")
        if key in known and (line.startswith("[") or "=" in line) and not line.startswith(" "):
            about = f"# {known[key]}"
            if about not in lines:
                lines.append(about)
        lines.append(line)
    return "\n".join(lines) + "\n"
