"""Turns the metrics of one run into `report.html`: a single page that needs nothing but itself."""

from __future__ import annotations

from typing import NamedTuple

from harness.report import plots, text
from harness.report.chainpicture import SINGLE_BLOCKS, ChainPicture, end_ms_of
from harness.report.document import document
from harness.report.faults import Point, drawn_faults
from harness.report.tiles import tiles
from harness.result import RunResult
from harness.verdict import RunVerdict
from lucid.chain.errors import Code


class _Banner(NamedTuple):
    """What a verdict means, its sign as a path in a box of 24 by 24, and the color of both."""

    meaning: str
    sign: str
    color: str = "no_progress"


_BANNERS = {
    RunVerdict.PASS: _Banner("Every invariant held, and the chain kept growing.", "M4 12.5l5 5L20 6.5", "pass"),
    RunVerdict.NO_PROGRESS: _Banner("No invariant broke, but the chain stopped growing.", "M12 4v9.5M12 19.4v.2"),
    RunVerdict.INTERRUPTED: _Banner("It was stopped before its end: a part of the run.", "M8 5.5v13M16 5.5v13"),
    RunVerdict.DIVERGED: _Banner(
        "An invariant broke. The command below repeats it.", "M5.5 5.5l13 13M18.5 5.5l-13 13", "diverged"
    ),
}
_OF_A_HUNT = _Banner("", "M12 4v9.5M12 19.4v.2")
"""Of verdicts that no run ends with, but a hunt may give one."""


# Rows of a table on the page; metrics.json holds the rest.
_MOST_ROWS = 100


def render(result: RunResult, timeline: bool = False) -> str:
    """The page for a run's result.

    Times are simulated milliseconds from the start. Whatever is empty is shown as missing. The page parses as HTML and
    as XML, refers to nothing outside itself but to the `timeline` beside it, if there is one, and forbids the browser
    to load or run anything else.
    """
    parts = [_hero(result), tiles(result), *_figures(result), *_tables(result), _footer(result, timeline)]
    return document(f"{result.scenario}: {_word(result.verdict)}", "\n".join(parts))


def _word(verdict: RunVerdict) -> str:
    return verdict.upper().replace("_", " ")


def _hero(result: RunResult) -> str:
    """Verdict, name, what was run, and what identifies the result."""
    meaning, sign, color = _BANNERS.get(result.verdict, _OF_A_HUNT)
    simulated, wall = result.duration_ms, result.speed.wall_seconds
    speed = f"({text.count(simulated / wall / 1000)} times real time)" if simulated and wall else ""
    facts = [
        ("seed", str(result.seed), ""),
        ("", text.count(result.nodes), "node" if result.nodes == 1 else "nodes"),
        ("", text.duration(simulated), "simulated"),
        ("in", text.duration(wall * 1000), speed),
        ("network", text.escape(result.profile), ""),
        ("signatures", text.escape(result.crypto), ""),
    ]
    listed = "".join(f"<li>{before} <b>{value}</b> {after}</li>" for before, value, after in facts)
    proof = [
        ("Repeat", f'<code class="run">{text.escape(result.command)}</code>'),
        *(
            (label, f"<code>{text.escape(value or text.NONE)}</code>")
            for label, value in (
                ("Trace hash", result.trace_hash),
                ("State root", result.state_root),
                ("Chain id", result.chain_id),
            )
        ),
    ]
    if result.passed and result.blocks.final == 0:
        meaning = "Every invariant held, but the run was too short for a final block."
    return (
        f'<header class="card hero" style="--verdict:var(--{color})"><div class="top"><div class="name">'
        '<p class="brand">Lucid, a simulated run</p>'
        f"<h1>{text.escape(result.scenario)}</h1>"
        f'<p class="about">{text.escape(result.description)}</p><ul class="facts">{listed}</ul></div>'
        f'<div class="call"><span class="badge"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="{sign}"/></svg>'
        f"{_word(result.verdict)}</span><p>{text.escape(result.reason or meaning)}</p></div></div>"
        f'<dl class="proof">{"".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in proof)}</dl></header>'
    )


def _chain(result: RunResult, end_ms: float) -> ChainPicture:
    series = result.series
    named = {share.node: share.name for share in result.leaders.shares}
    total = max([result.nodes - 1, *named, *(block.leader for block in series.chain)]) + 1
    return ChainPicture(
        blocks=sorted(series.chain, key=lambda block: (block.proposed_ms, block.height)),
        skips=sorted(series.skips, key=lambda skip: skip.at_ms),
        forks=sorted(series.forks, key=lambda fork: fork.at_ms),
        faults=drawn_faults(result, end_ms),
        names=[named.get(index, str(index)) for index in range(total)],
        end_ms=end_ms,
    )


def _figures(result: RunResult) -> list[str]:
    """The five pictures, in the order in which one asks: did it grow, how fast, who led, at what cost."""
    end_ms = end_ms_of(result)
    chain = _chain(result, end_ms)
    legend = [("block", "blocks" if len(chain.blocks) > SINGLE_BLOCKS else "block with transactions")]
    if len(chain.blocks) <= SINGLE_BLOCKS and any(not block.transactions for block in chain.blocks):
        legend.append(("blank", "empty block"))
    meanings = {"crash": "node down", "partition": "network split", "disturbance": "other fault"}
    legend += [(kind, words) for kind, words in meanings.items() if any(fault.color == kind for fault in chain.faults)]
    finality = sorted((row.final_ms, row.median_ms, row.best_ms) for row in result.series.finality)
    points: list[Point] = [(at, ms) for at, ms, _ in finality]
    best: list[Point] = [(at, ms) for at, _, ms in finality]
    spread = result.propagation_ms
    measured = (("p50", spread.p50), ("p90", spread.p90), ("p99", spread.p99))
    marked = {name: at for name, at in measured if at is not None}
    shares = sorted(result.leaders.shares, key=lambda share: share.node)
    kinds = [(each.kind, each.messages, each.bytes) for each in result.traffic.by_kind]
    return [
        _figure("chain", "wide", "The chain as it grew", _chain_note(chain), chain.draw(), legend),
        _figure(
            "finality",
            "seven",
            "Finality latency over time",
            "From a block's proposal to its finality, the median over the nodes. Dashed: the quorum path from its "
            "leader, which is what link latencies alone allow."
            + (" Line: median; band: up to p90; points: the largest." if len(points) > plots.SINGLE_POINTS else ""),
            plots.finality(points, best, end_ms, chain.faults),
        ),
        _figure(
            "propagation",
            "five",
            "How fast a block spreads",
            "Share of a block's arrivals within this time, at nodes that were up and connected when it was proposed.",
            plots.propagation(sorted(result.series.propagation_cdf), marked),
        ),
        _figure(
            "leaders",
            "half",
            "Leader shares",
            "Who proposed the final blocks, by node.",
            plots.leaders([(share.name, share.blocks, share.ppm) for share in shares]),
        ),
        _figure("traffic", "half", "Messages by kind", "What crossed the network between nodes.", plots.traffic(kinds)),
    ]


def _chain_note(chain: ChainPicture) -> str:
    if not chain.blocks:
        return "No block became final in this run."
    epochs = text.number_of(len({block.epoch for block in chain.blocks}), "epoch")
    blocks, skips = text.number_of(len(chain.blocks), "final block"), text.number_of(len(chain.skips), "skipped view")
    forks = text.number_of(len(chain.forks), "forked block")
    dashed = ", and dashed the views it took" if chain.skips else ""
    many = " The darker a mark, the more blocks it stands for." if len(chain.blocks) > SINGLE_BLOCKS else ""
    return (
        f"{blocks} in {epochs}, {skips}, {forks}. On top the height{dashed}; "
        f"below it, each block in the row of its leader.{many}"
    )


def _figure(
    name: str, span: str, title: str, note: str, drawing: str, legend: list[tuple[str, str]] | None = None
) -> str:
    def swatch(kind: str) -> str:
        paint = "block" if kind == "blank" else kind
        return f'<i style="background:var(--{paint}){";opacity:.4" if kind == "blank" else ""}"></i>'

    # Seven hundred pixels of a phone, or of a day, are few: a picture is widened step by step, and scrolled.
    zoom = '<button class="zoom" type="button" title="wider: twice, four times, and back">wider</button>'
    shown = f'{zoom}<div class="plot">{drawing}</div>' if drawing else '<p class="none">Nothing to show.</p>'
    keys = "".join(f"<li>{swatch(kind)}{words}</li>" for kind, words in legend or [])
    listed = f'<ul class="legend">{keys}</ul>' if len(legend or []) > 1 and drawing else ""
    return (
        f'<figure class="card {span}"><h2 id="{name}-title">{title}</h2><p class="note" id="{name}-note">{note}</p>'
        f"{listed}{shown}</figure>"
    )


def _tables(result: RunResult) -> list[str]:
    """Invariants, faults and refusals, the worst and the earliest first."""
    invariants = []
    for each in sorted(result.invariants, key=lambda row: -row.broken):
        kind, words = ("broken", "✕ broken") if each.broken else ("held", "✓ held")
        if not each.broken and not each.checks:
            kind, words = "idle", "not exercised"
        free = "; ".join(f"{text.duration(stretch.ms)}: {stretch.why}" for stretch in each.unbound)
        invariants.append(
            [
                ("", each.name.replace("_", " ")),
                ("num", text.count(each.checks)),
                ("num", text.count(each.broken)),
                (kind, words),
                ("", free),
            ]
        )
    heads = ["Invariant", "Checks", "Broken", "Result", "Did not bind for"]
    if not any(row[-1][1] for row in invariants):
        heads, invariants = heads[:-1], [row[:-1] for row in invariants]
    faults = [
        [("num", text.moment(f.at_ms)), ("num", text.moment(f.until_ms)), ("", f.kind.replace("_", " ")), ("", f.what)]
        for f in drawn_faults(result, end_ms_of(result))
    ]
    recoveries = [
        [
            ("num", text.moment(each.at_ms)),
            ("", f"{each.kind} {'begins' if each.begins else 'ends'}: {each.what}"),
            ("num", "not before the end" if each.ms is None else text.duration(each.ms)),
        ]
        for each in result.halts.recoveries
    ]
    counted = sorted(result.refusals.items(), key=lambda item: (-item[1], item[0]))
    refusals = [[("", code), ("", _meaning(code)), ("num", text.count(times))] for code, times in counted]
    tables = [
        _table("half", "Invariants", heads, invariants, "None was checked."),
        _table("half", "Faults", ["From", "Until", "Kind", "What"], faults, "No faults injected."),
    ]
    if recoveries:
        tables.append(_table("half", "Next final block", ["After", "Fault", "Came after"], recoveries, ""))
    if refusals:
        tables.append(_table("half", "Refusals", ["Code", "What was refused", "Times"], refusals, ""))
    return tables


def _meaning(code: str) -> str:
    """The sentence of an error code, where this release knows it."""
    return next((each.sentence for each in Code if each.code == code), text.NONE)


def _table(span: str, title: str, heads: list[str], rows: list[list[tuple[str, str]]], empty: str) -> str:
    """A card with rows of (class, text) cells; a column is aligned as its first cell is."""
    if not rows:
        return f'<section class="card {span}"><h2>{title}</h2><p class="none">{empty}</p></section>'

    def cell(tag: str, kind: str, words: str) -> str:
        return f'<{tag} class="{kind}">{text.escape(text.shorten(words, 200))}</{tag}>'

    kinds = [kind if kind == "num" else "" for kind, _ in rows[0]]
    head = "".join(cell("th", kind, words) for kind, words in zip(kinds, heads, strict=True))
    body = "".join(f"<tr>{''.join(cell('td', *each) for each in row)}</tr>" for row in rows[:_MOST_ROWS])
    left_out = len(rows) - _MOST_ROWS
    more = f'<p class="note">and {text.count(left_out)} more, in metrics.json</p>' if left_out > 0 else ""
    return (
        f'<section class="card {span}"><h2>{title}</h2><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>{more}</section>"
    )


def _footer(result: RunResult, timeline: bool) -> str:
    version = text.escape(result.lucid)
    link = '<a href="timeline.html">What happened at each node, along time.</a> ' if timeline else ""
    return (
        f"<footer>{link}Lucid {version}. "
        "Times are simulated unless they are called wall time. The figures behind this page "
        "are in metrics.json beside it, the scenario to run again in scenario.toml.</footer>"
    )
