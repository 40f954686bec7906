"""An example or more of every command, shown at the end of its help; a test parses each of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

EXAMPLES: dict[str, tuple[str, ...]] = {
    "lucid": (
        "lucid sim run",
        "lucid smoke static --root .",
        "lucid devnet --nodes 4 --block-interval 1s",
        "lucid deploy install pi@raspberrypi.local",
    ),
    "lucid sim run": (
        "lucid sim run",
        "lucid sim run split --seed 7 --out run",
        "lucid sim run --set disk=microsd --fault 'partition at=10m until=20m regions=europe'",
        "lucid sim run my-scenario.toml --json",
    ),
    "lucid sim list": ("lucid sim list",),
    "lucid sim show": ("lucid sim show split > my-scenario.toml",),
    "lucid sim schema": ("lucid sim schema > scenario.schema.json",),
    "lucid sim calibrate": ("lucid sim calibrate", "lucid sim calibrate --minutes 5 --json calibration.json"),
    "lucid sim sweep": (
        "lucid sim sweep --nodes 4,10,25,50 --set loss=0,5% --set block_interval=2s,10s --duration 3m --seeds 20",
    ),
    "lucid sim saturate": ("lucid sim saturate --nodes 4 --set disk=microsd --duration 10m",),
    "lucid sim compare": (
        "lucid sim compare runs/sweep-default runs/sweep-default.2 --worse 10%",
        "lucid sim compare main HEAD --sweep '--nodes 4,25 --set loss=5% --seeds 20'",
    ),
    "lucid sim explore": ("lucid sim explore", "lucid sim explore --views 2 --minutes 10"),
    "lucid sim export": ("lucid sim export runs/default", "lucid sim export runs/default --perfetto"),
    "lucid sim hunt": (
        "lucid sim hunt --minutes 10",
        "lucid sim hunt --seeds 200 --profile byzantine --out hunt.jsonl",
    ),
    "lucid sim ablate": (
        "lucid sim ablate --seeds 500",
        "lucid sim ablate own-votes skips-held --all-seeds --seeds 200",
    ),
    "lucid sim conform": ("lucid sim conform links.toml", "lucid sim conform links.toml --out nodes --json"),
    "lucid sim twins": ("lucid sim twins --rounds 2", "lucid sim twins --rounds 4 --minutes 60 --out twins.jsonl"),
    "lucid sim shrink": ("lucid sim shrink 4711", "lucid sim shrink 4711 --record hunt.jsonl --out small"),
    "lucid sim diff": ("lucid sim diff runs/split runs/split.2",),
    "lucid replay": ("lucid replay runs/default-1/journals",),
    "lucid bench sim": ("lucid bench sim",),
    "lucid bench data": ("lucid bench data --json",),
    "lucid bench services": ("lucid bench services --json",),
    "lucid bench pi": ("lucid bench pi --json",),
    "lucid keys new": ("lucid keys new node.key",),
    "lucid keys show": ("lucid keys show node.key --json",),
    "lucid genesis new": (f"lucid genesis new --node pi1={'0' * 64} chain.toml",),
    "lucid genesis show": ("lucid genesis show chain.toml",),
    "lucid node": ("lucid node --config node.toml",),
    "lucid devnet": ("lucid devnet", "lucid devnet --nodes 7 --block-interval 1s --duration 2m"),
    "lucid anchor": ("lucid anchor --owner owner.key recording.mp4 notes.txt",),
    "lucid fetch": ("lucid fetch --owner owner.key --output restored 0b8d8a1e-3d0f-4f6e-9d55-2f7c1f0a9b7e",),
    "lucid verify": ("lucid verify --genesis chain.toml receipt.json",),
    "lucid store check": ("lucid store check sqlite:data/manager.sqlite",),
    "lucid store key": ("lucid store key mongod.key",),
    "lucid store export": ("lucid store export sqlite:data/manager.sqlite manager.export",),
    "lucid store import": ("lucid store import manager.export mongodb://127.0.0.1:27017/lucid?replicaSet=rs0",),
    "lucid store prepare": ("lucid store prepare mongodb://127.0.0.1:27017/lucid?replicaSet=rs0",),
    "lucid store backup": ("lucid store backup sqlite:data/manager.sqlite manager.backup",),
    "lucid store adopt": ("lucid store adopt sqlite:data/manager.sqlite",),
    "lucid sessions list": ("lucid sessions list --json",),
    "lucid sessions remove": (
        "lucid sessions remove 0b8d8a1e-3d0f-4f6e-9d55-2f7c1f0a9b7e",
        "lucid sessions remove --owner owner.key 0b8d8a1e-3d0f-4f6e-9d55-2f7c1f0a9b7e",
    ),
    "lucid chain rules": ("lucid chain rules", "lucid chain rules --config node.toml --json"),
    "lucid chain schedule": ("lucid chain schedule 2 --height 250000 --output rules-2.json",),
    "lucid chain unschedule": ("lucid chain unschedule --output never-mind.json",),
    "lucid chain register": ("lucid chain register pi5 --key pi5.key --output pi5.json",),
    "lucid chain retire": ("lucid chain retire pi3 --output without-pi3.json",),
    "lucid chain copies": ("lucid chain copies 4 --output four-copies.json",),
    "lucid chain administrators": (
        "lucid chain administrators "
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a "
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c --threshold 2 --output others.json",
    ),
    "lucid chain approve": ("lucid chain approve without-pi3.json --key admin.key",),
    "lucid chain show": ("lucid chain show without-pi3.json",),
    "lucid chain submit": ("lucid chain submit without-pi3.json --config node.toml",),
    "lucid credits": ("lucid credits", "lucid credits pi1 --json"),
    "lucid data status": ("lucid data status --json",),
    "lucid data ls": ("lucid data ls --status corrupted",),
    "lucid data verify": ("lucid data verify --session 0b8d8a1e-3d0f-4f6e-9d55-2f7c1f0a9b7e",),
    "lucid data repair": ("lucid data repair", "lucid data repair --session 0b8d8a1e-3d0f-4f6e-9d55-2f7c1f0a9b7e"),
    "lucid data prune": ("lucid data prune --dry-run",),
    "lucid data scrub": ("lucid data scrub start --max-age 7d", "lucid data scrub pause --max-duration 2h"),
    "lucid smoke static": (
        "lucid smoke static --root .",
        "lucid smoke static --strict --report github --report sarif=smoke.sarif",
    ),
    "lucid smoke image": ("lucid smoke image --build",),
    "lucid smoke live": ("lucid smoke live --host",),
    "lucid smoke all": ("lucid smoke all --build",),
    "lucid smoke init": ("lucid smoke init --root .",),
    "lucid deploy install": ("lucid deploy install pi@raspberrypi.local",),
    "lucid deploy upgrade": ("lucid deploy upgrade pi@raspberrypi.local",),
    "lucid deploy rollback": ("lucid deploy rollback pi@raspberrypi.local",),
    "lucid deploy remove": ("lucid deploy remove pi@raspberrypi.local",),
    "lucid deploy status": ("lucid deploy status pi@raspberrypi.local --json",),
    "lucid deploy logs": ("lucid deploy logs pi@raspberrypi.local manager --follow",),
    "lucid deploy token": ("lucid deploy token pi@raspberrypi.local",),
    "lucid deploy backup": ("lucid deploy backup pi@raspberrypi.local backup-today",),
    "lucid completion": ("lucid completion bash > ~/.local/share/bash-completion/completions/lucid",),
}


class HelpLayout(argparse.HelpFormatter):
    """Argparse's layout, but paragraphs stay apart, and lines that are indented stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(
            each if each.startswith("Examples:") else super(HelpLayout, self)._fill_text(each, width, indent)
            for each in paragraphs
        )


def add_examples(command: argparse.ArgumentParser) -> None:
    """Give a parser its examples and the layout that shows them; one that has them keeps them as they are."""
    lines = () if command.formatter_class is HelpLayout else EXAMPLES.get(command.prog, ())
    command.formatter_class = HelpLayout
    if lines:
        shown = "Examples:\n" + "\n".join(f"  {line}" for line in lines)
        command.epilog = f"{command.epilog}\n\n{shown}" if command.epilog else shown


def commands(root: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all below it."""
    yield root
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)
