"""`lucid data` run on whatever a node answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from lucid.api.answers import DataStatus, ReplicationStatus, ScrubStatus
from tests.cli.command import Done, lucid
from tests.client.lying import Answer, LyingNode

SESSION = "713582cd-70cf-44d3-a17f-bbc50069b142"
ONE, TWO, THREE = ("a" * 64, "b" * 64, "c" * 64)
DAY_MS = 86_400_000
BEGAN_MS = 1_800_000_000_000
SCRUB = ScrubStatus("reading", 30 * DAY_MS, BEGAN_MS, False, 0, 0, 12, 34_000, 1, 2)
COPIES = ReplicationStatus(3, 4, 2, 5, 0, 0, 6, 7)
STATUS = DataStatus(9, 90_000, 0, 0, 0, SCRUB, COPIES, 1_000_000)


def answer(document: Any) -> Answer:
    """An answer in JSON."""
    return Answer(body=msgspec.json.encode(document))


def data(node: LyingNode, folder: Path, *words: object, **settings: str) -> Done:
    """Run `lucid data` with a token of the node."""
    given = {"data_url": node.url, "token": "of the node", **settings}
    (folder / "node.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in given.items()))
    return lucid("data", *words, "--config", "node.toml", cwd=folder)


def holds(node: LyingNode, **statuses: str) -> None:
    """Have the node hold chunks of these states, two a page."""
    rows = [{"id": each * 64, "size": 1_024, "status": status, "references": 1} for each, status in statuses.items()]
    pages = [rows[at : at + 2] for at in range(0, max(len(rows), 1), 2)]
    node.answers["GET /chunks"] = [
        answer({"chunks": page, "after": f"{number + 1:064x}" if number + 1 < len(pages) else None})
        for number, page in enumerate(pages)
    ]
