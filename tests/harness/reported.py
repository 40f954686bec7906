"""Runs as a report meets them, made up by a small generator, and its page as a strict reader takes it."""

from __future__ import annotations

import random
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import msgspec

from harness.report import text
from harness.report.page import render
from harness.result import RunResult
from sim.samples import spread

HOSTILE = "<script>alert('1')</script>\"&amp;]]><!-- \x00\u202e\ud800 Þjóð 節點 🐢 </title></style>"
SELF_CLOSING = {"meta", "link", "rect", "circle", "path"}


def page_of(document: dict[str, Any], timeline: bool = False) -> str:
    """The page of a run whose `metrics.json` holds this document."""
    return render(msgspec.convert(document, RunResult), timeline)


def percentiles(values_ms: list[float]) -> dict[str, float | None]:
    found: dict[str, float | None] = msgspec.to_builtins(spread([round(1000 * value) for value in values_ms]))
    return found


def fake_chain(
    chance: random.Random, nodes: int, blocks: int, faults: list[dict[str, Any]], epoch_views: int, delay_ms: float
) -> dict[str, list[list[float]]]:
    """Series of a run with a tenure of 12 views, a timeout of 5 s for a leader that is down, and halts while split."""
    series: dict[str, list[list[float]]] = {name: [] for name in ("chain", "skips", "forks", "finality")}
    epoch, view, now_ms, height, leader = 0, 0, 10_000.0, 0, 0
    while height < blocks:
        view += 1
        if view % 12 == 1:
            leader = chance.randrange(nodes)
        hit = [f for f in faults if f["at_ms"] <= now_ms < f["until_ms"]]
        split = next((f for f in hit if f["kind"] == "partition"), None)
        if split:
            now_ms = split["until_ms"] + 5_000
        down = any(f["kind"] == "crash" and f["what"] == f"n{leader:02}" for f in hit)
        if down or (nodes > 3 and chance.random() < 0.004):
            series["skips"].append([epoch, view, round(now_ms) + 5_000])
            if chance.random() < 0.2:
                series["forks"].append([epoch, view, height + 1, round(now_ms) + 4_900])
            now_ms += 5_000
            leader = chance.randrange(nodes)
            continue
        height += 1
        latency = 3 * delay_ms * chance.lognormvariate(0.05, 0.12) + (900 if chance.random() < 0.01 else 0)
        tick = now_ms // 10_000 * 10_000
        final_ms, transactions = round(now_ms + latency), chance.choice([0, 1, 3])
        series["chain"].append([height, epoch, view, int(tick), round(now_ms), final_ms, leader, transactions])
        series["finality"].append([final_ms, latency, 1.2 * latency, 3 * delay_ms])
        now_ms = max(now_ms + 400, tick + 10_000 + chance.uniform(0, 20))
        if view >= epoch_views:
            epoch, view = epoch + 1, 0
    return series


def fake_metrics(
    nodes: int = 10,
    blocks: int = 360,
    faults: list[dict[str, Any]] | None = None,
    epoch_views: int = 8_640,
    delay_ms: float = 74.0,
    verdict: str = "pass",
) -> dict[str, Any]:
    """A plausible metrics document of a run that made so many blocks."""
    chance, faults = random.Random(blocks * 1009 + nodes), faults or []
    series = fake_chain(chance, nodes, blocks, faults, epoch_views, delay_ms)
    spreading = sorted(delay_ms * chance.lognormvariate(0, 0.6) for _ in range(400 if blocks else 0))
    series["propagation_cdf"] = [[at, (i + 1) / 400] for i, at in enumerate(spreading)]
    led = [sum(row[6] == index for row in series["chain"]) for index in range(nodes)]
    uneven = sum(abs(a - b) for a in led for b in led) / 2 / nodes / max(1, blocks)
    sizes = {"proposal": 2_100, "notarize": 180, "finalize": 180, "certificate": 900, "transaction": 520, "ping": 60}
    sent = {kind: blocks * nodes * chance.randint(1, nodes) for kind in sizes if blocks}
    messages, volume = sum(sent.values()), sum(count * sizes[kind] for kind, count in sent.items())
    latencies = [row[1] for row in series["finality"]]
    checks = {"agreement": blocks, "validity": blocks, "no_double_vote": 4 * blocks, "progress": 0}
    ppm = [1_000_000 * count // max(1, blocks) for count in led]
    shares = [{"node": i, "name": f"n{i:02}", "blocks": led[i], "ppm": ppm[i]} for i in range(nodes)]
    broken = "agreement" if verdict == "diverged" else ""
    reason = {"pass": "", "no_progress": "no block became final for 412 s"}.get(verdict, "agreement at height 211")
    return {
        **{"lucid": "0.1.0", "commit": "", "python": "3.11.2", "scenario": "default", "seed": 1, "nodes": nodes},
        **{"crypto": "modeled", "profile": "regions", "profile_about": "ten regions"},
        **{"verdict": verdict, "invariant": broken, "reason": reason, "notes": []},
        "description": "A handful of nodes in five regions, with a session anchored every few seconds.",
        "command": f"lucid sim run default --nodes {nodes} --duration 1h --seed 1 --crypto modeled",
        "duration_ms": int(max([60_000, *(row[5] for row in series["chain"])]) + 9_000),
        **{key: f"{chance.getrandbits(256):064x}" for key in ("trace_hash", "state_root", "chain_id")},
        "blocks": {"final": blocks, "height": blocks, "forked": len(series["forks"]), "epoch": blocks // epoch_views},
        "finality_ms": percentiles(latencies),
        "finality_at_best_ms": percentiles([3 * delay_ms] * blocks),
        **{"one_way_delay_ms": delay_ms, "tick_to_proposal_ms": percentiles([]), "late_ms": percentiles([])},
        "waits": {"cpu_ms": None, "disk_ms": None, "stores": None},
        "finality_ratio": sum(latencies) / blocks / 3 / delay_ms if blocks else None,
        "halts": {
            **{"longest_ms": 61_000.0, "longest_at_ms": 1_000.0, "wait_ms": percentiles(latencies), "waiting": 0},
            "recoveries": [
                {"at_ms": fault["at_ms"], "kind": fault["kind"], "what": fault["what"], "begins": True, "ms": None}
                for fault in faults
            ],
        },
        "interval_ms": {"mean": 10_003.4 if blocks else None, "deviation": 212.7 if blocks else None},
        "propagation_ms": percentiles(spreading),
        **{"missed_views": len(series["skips"]), "timeouts": 4 * len(series["skips"])},
        "leaders": {"gini": uneven, "gini_floor": 0.1, "slots": blocks // 12, "shares": shares},
        "traffic": {
            **{"messages": messages, "messages_per_node_block": messages / nodes / blocks if blocks else None},
            **{
                "bytes": volume,
                "wire_bytes": 2 * volume,
                "bytes_per_node_block": volume / nodes / blocks if blocks else None,
            },
            "by_kind": [{"kind": kind, "messages": n, "bytes": n * sizes[kind]} for kind, n in sent.items()],
        },
        "speed": {
            **{"events": messages * 2, "events_per_second": int(messages / 4.07), "wall_seconds": 8.14},
            **{"delivered": messages, "delivered_per_second": int(messages / 8.14)},
        },
        "sessions": {
            **{"attempts": blocks, "final": max(0, blocks - 2), "waiting": 2, "latency_ms": percentiles(latencies)},
            **{"unreachable": 0, "refused": 0, "unanswered": 0, "submitted": blocks, "accepted": blocks},
            **{"most_waiting": 2, "final_per_second": 0.1, "waiting_ms": percentiles([])},
        },
        **{"transactions_per_second": 0.1, "evicted": 0, "caught_up": {}},
        "refusals": {"LUCID_ERR_7001": 31, "LUCID_ERR_5004": 2} if faults else {},
        "invariants": [
            {"name": name, "checks": checks[name], "broken": int(name == broken), "unbound": []} for name in checks
        ],
        "faults": faults,
        "series": series,
    }


def fault(kind: str, what: str, at_ms: int, until_ms: int | None) -> dict[str, Any]:
    """A fault as `metrics.json` records it."""
    color = kind if kind in ("crash", "partition") else "disturbance"
    lane = "process" if kind == "crash" else "network"
    return {"at_ms": at_ms, "until_ms": until_ms, "kind": kind, "what": what, "lane": lane, "color": color}


STORM: list[dict[str, Any]] = [
    fault("crash", "n03", 600_000, 1_260_000),
    fault("partition", "n00 n01 n02 n03 n04 | the rest", 1_500_000, 1_860_000),
    fault("loss", "5% on all links", 2_300_000, 2_900_000),
    fault("crash", "n07", 2_500_000, 3_200_000),
]
DAY_OF_FAULTS = [
    *(fault("crash", f"n{at // 4_000_000:02}", at, at + 2_000_000) for at in range(4_000_000, 80_000_000, 4_000_000)),
    fault("partition", "half", 30_000_000, 37_000_000),
]

RUNS: dict[str, dict[str, Any]] = {
    "no block": fake_metrics(4, 0, verdict="no_progress"),
    "one node": fake_metrics(1, 6),
    "small": fake_metrics(4, 6),
    "minutes": fake_metrics(4, 40, [fault("crash", "n02", 60_000, 170_000)]),
    "default": fake_metrics(),
    "storm": fake_metrics(10, 320, STORM, verdict="diverged"),
    "hundred nodes": fake_metrics(100, 60, delay_ms=900.0),
    "a day": fake_metrics(100, 8_640, DAY_OF_FAULTS, epoch_views=1_440),
    "a day of four": fake_metrics(4, 8_640, epoch_views=8_640),
}


class StrictPage(HTMLParser):
    """Fails on what a browser would have to guess: unclosed, wrongly nested or wrongly self-closed elements."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.elements.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SELF_CLOSING, f"<{tag}/> leaves <{tag}> open in HTML"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(page: str) -> StrictPage:
    """The page after both strict parsers accepted it."""
    ElementTree.fromstring(page.encode())
    reader = StrictPage()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def words_of(page: str) -> str:
    return " ".join(parsed(page).words).replace(text.NARROW_SPACE, " ")
