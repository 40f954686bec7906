"""The end of a soak: whether all that was accepted is there, at nodes that agree, in stores that are sound."""

from __future__ import annotations

import time
from contextlib import closing, suppress

import httpx

from harness.soak.asking import height, is_final
from harness.soak.trial import LEVEL_BLOCKS, LEVEL_S, PROBE_S, SoakTrial
from lucid.chain.chunks import chunk_id
from lucid.chain.errors import LucidError
from lucid.services.devnode import SERVICES
from lucid.storage.check import check_store
from lucid.storage.opening import open_store


def settle(trial: SoakTrial) -> None:
    """All that was accepted is final, every chunk is there, and all nodes have one chain of one height."""
    deadline = time.monotonic() + LEVEL_S
    left = list(trial.accepted)
    with httpx.Client(timeout=5, trust_env=False) as client:
        while left and time.monotonic() < deadline:
            left = [each for each in left if not is_final(client, each.node, each.identity)]
            time.sleep(PROBE_S)
        for each in left:
            trial.say(f"session {each.identity}, accepted by {each.node.name}, is not final")
        for each in trial.accepted:
            held = _patiently(client, f"{each.node.url('data')}/chunks/{chunk_id(each.chunk).hex()}")
            if held != each.chunk:
                trial.say(f"a chunk of session {each.identity} is lost at {each.node.name}: {held[:200]!r}")
        heights = [height(client, each) or 0 for each in trial.network.nodes]
        if max(heights) - min(heights) > LEVEL_BLOCKS:
            trial.say(f"nodes are not level: {heights}")
        at = min(heights)
        blocks = {_patiently(client, f"{each.url('manager')}/blocks/{at}") for each in trial.network.nodes}
        if len(blocks) > 1:
            trial.say(f"nodes have different blocks of height {at}: {blocks}")
        print(f"heights at the end: {heights}", flush=True)


def _patiently(client: httpx.Client, url: str) -> bytes:
    """What is answered, once something is."""
    deadline = time.monotonic() + LEVEL_S
    while True:
        with suppress(httpx.HTTPError):
            answer = client.get(url)
            if answer.status_code != 503 or time.monotonic() > deadline:
                return answer.content
        if time.monotonic() > deadline:
            return b"no answer"
        time.sleep(PROBE_S)


def check_stores(trial: SoakTrial) -> None:
    """Every store of the network, which has stopped, is sound."""
    for node in trial.network.nodes:
        for service in SERVICES:
            try:
                with closing(open_store(f"sqlite:{node.folder / service}.sqlite")) as store:
                    found = check_store(store)[0]
            except LucidError as error:
                found = [str(error)]
            if found:
                trial.say(f"{node.name}'s store of the {service}: {found[:3]}")


def check_logs(trial: SoakTrial) -> None:
    """Nothing was raised that nobody had thought of."""
    for node in trial.network.nodes:
        for service in SERVICES:
            text = (node.logs / f"{service}.log").read_text(errors="replace")
            if "Traceback" in text:
                place = text.index("Traceback")
                trial.say(f"{node.name}'s {service} logged a traceback: {text[place : place + 2_000]}")
