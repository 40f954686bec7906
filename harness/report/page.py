"""Turns the metrics of one run into `report.html`: a single page that needs nothing but itself."""

from __future__ import annotations

from typing import Any

from harness.report import plots, text
from harness.report.chainpicture import SINGLE_BLOCKS, ChainPicture, DrawnBlock, DrawnFork, DrawnSkip
from harness.report.document import document
from harness.report.measured import drawn_faults, end_ms_of, rows, section, shares
from harness.report.tiles import tiles
from lucid.chain.errors import Code

_VERDICTS = {
    "pass": ("PASS", "Every invariant held, and the chain kept growing.", "M4 12.5l5 5L20 6.5"),
    "no_progress": ("NO PROGRESS", "No invariant broke, but the chain stopped growing.", "M12 4v9.5M12 19.4v.2"),
    "interrupted": ("INTERRUPTED", "It was stopped before its end: a part of the run.", "M8 5.5v13M16 5.5v13"),
    "diverged": ("DIVERGED", "An invariant broke. The command below repeats it.", "M5.5 5.5l13 13M18.5 5.5l-13 13"),
}
"""What each verdict is called, what it means, and its sign as a path in a box of 24 by 24."""


# Rows of a table on the page; metrics.json holds the rest.
_MOST_ROWS = 100


def render(metrics: dict[str, Any], timeline: bool = False) -> str:
    """The page for a metrics document, which is what a run writes as `metrics.json`.

    Times are simulated milliseconds from the start. Whatever is missing or empty is shown as missing. The page parses
    as HTML and as XML, refers to nothing outside itself but to the `timeline` beside it, if there is one, and forbids
    the browser to load or run anything else.
    """
    verdict = str(metrics.get("verdict"))
    word = _VERDICTS[verdict][0] if verdict in _VERDICTS else verdict
    parts = [_hero(metrics), tiles(metrics), *_figures(metrics), *_tables(metrics), _footer(metrics, timeline)]
    return document(f"{metrics.get('scenario', '')}: {word}", "\n".join(parts))


def _hero(metrics: dict[str, Any]) -> str:
    """Verdict, name, what was run, and what identifies the result."""
    verdict = str(metrics.get("verdict"))
    word, meaning, sign = _VERDICTS.get(verdict, (verdict, "", "M12 4v9.5M12 19.4v.2"))
    color = verdict if verdict in ("pass", "diverged") else "no_progress"
    nodes = text.number(metrics.get("nodes"))
    simulated = text.number(metrics.get("duration_ms"))
    wall = text.number(section(metrics, "speed").get("wall_seconds"))
    speed = f"({text.count(simulated / wall / 1000)} times real time)" if simulated and wall else ""
    facts = [
        ("seed", text.escape(metrics.get("seed", text.NONE)), ""),
        ("", text.count(nodes), "node" if nodes == 1 else "nodes"),
        ("", text.duration(simulated), "simulated"),
        ("in", text.duration(None if wall is None else wall * 1000), speed),
        ("network", text.escape(metrics.get("profile", text.NONE)), ""),
        ("signatures", text.escape(metrics.get("crypto", text.NONE)), ""),
    ]
    listed = "".join(f"<li>{before} <b>{value}</b> {after}</li>" for before, value, after in facts)
    proof = [
        ("Repeat", f'<code class="run">{text.escape(metrics.get("command", ""))}</code>'),
        *(
            (label, f"<code>{text.escape(metrics.get(key) or text.NONE)}</code>")
            for label, key in (("Trace hash", "trace_hash"), ("State root", "state_root"), ("Chain id", "chain_id"))
        ),
    ]
    reason = metrics.get("reason")
    if verdict == "pass" and text.number(section(metrics, "blocks").get("final")) == 0:
        meaning = "Every invariant held, but the run was too short for a final block."
    return (
        f'<header class="card hero" style="--verdict:var(--{color})"><div class="top"><div class="name">'
        '<p class="brand">Lucid, a simulated run</p>'
        f"<h1>{text.escape(metrics.get('scenario', ''))}</h1>"
        f'<p class="about">{text.escape(metrics.get("description", ""))}</p><ul class="facts">{listed}</ul></div>'
        f'<div class="call"><span class="badge"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="{sign}"/></svg>'
        f"{text.escape(word)}</span><p>{text.escape(reason or meaning)}</p></div></div>"
        f'<dl class="proof">{"".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in proof)}</dl></header>'
    )


def _chain(metrics: dict[str, Any], end_ms: float) -> ChainPicture:
    blocks = [
        DrawnBlock(
            height=int(height),
            epoch=int(epoch),
            view=int(view),
            tick_ms=tick,
            proposed_ms=proposed,
            final_ms=final,
            leader=int(leader),
            transactions=int(transactions),
        )
        for height, epoch, view, tick, proposed, final, leader, transactions in rows(metrics, "chain", 8)
    ]
    skips = [DrawnSkip(int(epoch), int(view), at_ms) for epoch, view, at_ms in rows(metrics, "skips", 3)]
    forks = [
        DrawnFork(int(epoch), int(view), int(height), at_ms) for epoch, view, height, at_ms in rows(metrics, "forks", 4)
    ]
    named = {index: name for index, name, _, _ in shares(metrics)}
    total = max([int(text.number(metrics.get("nodes")) or 0) - 1, *named, *(block.leader for block in blocks)]) + 1
    return ChainPicture(
        blocks=sorted(blocks, key=lambda block: (block.proposed_ms, block.height)),
        skips=sorted(skips, key=lambda skip: skip.at_ms),
        forks=sorted(forks, key=lambda fork: fork.at_ms),
        faults=drawn_faults(metrics, end_ms),
        names=[named.get(index, str(index)) for index in range(total)],
        end_ms=end_ms,
    )


def _figures(metrics: dict[str, Any]) -> list[str]:
    """The five pictures, in the order in which one asks: did it grow, how fast, who led, at what cost."""
    end_ms = end_ms_of(metrics)
    chain = _chain(metrics, end_ms)
    legend = [("block", "blocks" if len(chain.blocks) > SINGLE_BLOCKS else "block with transactions")]
    if len(chain.blocks) <= SINGLE_BLOCKS and any(not block.transactions for block in chain.blocks):
        legend.append(("blank", "empty block"))
    meanings = {"crash": "node down", "partition": "network split", "disturbance": "other fault"}
    legend += [(kind, words) for kind, words in meanings.items() if any(fault.color == kind for fault in chain.faults)]
    finality = sorted((row[0], row[1], row[3]) for row in rows(metrics, "finality", 4))
    points, best = [(at, ms) for at, ms, _ in finality], [(at, ms) for at, _, ms in finality]
    cdf = sorted((row[0], row[1]) for row in rows(metrics, "propagation_cdf", 2))
    measured = {name: text.number(section(metrics, "propagation_ms").get(name)) for name in ("p50", "p90", "p99")}
    marked = {name: at for name, at in measured.items() if at is not None}
    kinds = [(str(k["kind"]), k["messages"], k["bytes"]) for k in section(metrics, "traffic").get("by_kind") or []]
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
            plots.propagation(cdf, marked),
        ),
        _figure(
            "leaders",
            "half",
            "Leader shares",
            "Who proposed the final blocks, by node.",
            plots.leaders([share[1:] for share in shares(metrics)]),
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


def _tables(metrics: dict[str, Any]) -> list[str]:
    """Invariants, faults and refusals, the worst and the earliest first."""
    checked = sorted(metrics.get("invariants") or [], key=lambda row: -(text.number(row.get("broken")) or 0))
    invariants = []
    for row in checked:
        broken, checks = text.number(row.get("broken")) or 0, text.number(row.get("checks")) or 0
        kind, words = ("broken", "✕ broken") if broken else ("held", "✓ held") if checks else ("idle", "not exercised")
        name = str(row.get("name", "")).replace("_", " ")
        free = "; ".join(f"{text.duration(each.get('ms'))}: {each.get('why')}" for each in row.get("unbound") or [])
        invariants.append(
            [("", name), ("num", text.count(checks)), ("num", text.count(broken)), (kind, words), ("", free)]
        )
    heads = ["Invariant", "Checks", "Broken", "Result", "Did not bind for"]
    if not any(row[-1][1] for row in invariants):
        heads, invariants = heads[:-1], [row[:-1] for row in invariants]
    faults = [
        [("num", text.moment(f.at_ms)), ("num", text.moment(f.until_ms)), ("", f.kind.replace("_", " ")), ("", f.what)]
        for f in drawn_faults(metrics, end_ms_of(metrics))
    ]
    recoveries = [
        [
            ("num", text.moment(row["at_ms"])),
            ("", f"{row['kind']} {'begins' if row['begins'] else 'ends'}: {row['what']}"),
            ("num", "not before the end" if row["ms"] is None else text.duration(row["ms"])),
        ]
        for row in section(metrics, "halts").get("recoveries") or []
    ]
    counted = sorted(section(metrics, "refusals").items(), key=lambda item: (-(text.number(item[1]) or 0), item[0]))
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


def _footer(metrics: dict[str, Any], timeline: bool) -> str:
    version = text.escape(metrics.get("lucid", text.NONE))
    link = '<a href="timeline.html">What happened at each node, along time.</a> ' if timeline else ""
    return (
        f"<footer>{link}Lucid {version}. "
        "Times are simulated unless they are called wall time. The figures behind this page "
        "are in metrics.json beside it, the scenario to run again in scenario.toml.</footer>"
    )
