"""The nodes that a command asks are of one chain, in the order in which they are named."""

from __future__ import annotations

import argparse

from msgspec import structs

from harness.notary import SESSION
from lucid.chain.document import print_genesis
from lucid.cli.nodes import add_node, nodes
from tests.cli.command import assert_refused, lucid
from tests.client.bench import NET, Bench, bench

__all__ = ["bench"]


def test_they_are_asked_in_the_order_in_which_they_are_named(bench: Bench) -> None:
    urls = ["http://127.0.0.1:9", bench.node.url, "http://127.0.0.1:10"]
    for number, url in enumerate(urls):
        bench.config(f"{number}.toml", url)
    parser = argparse.ArgumentParser()
    add_node(parser)
    words = [word for number in (2, 0, 1) for word in ("--config", str(bench.folder / f"{number}.toml"))]
    with nodes(parser.parse_args(words)) as (genesis, clients):
        assert genesis == NET.genesis
        assert [client.name for client in clients] == [urls[number] for number in (2, 0, 1)]


def test_nodes_of_two_chains_are_not_asked_together(bench: Bench) -> None:
    (bench.folder / "f.txt").write_text("hello")
    other = structs.replace(NET.genesis, genesis_time_ms=NET.genesis.genesis_time_ms + 1)
    (bench.folder / "other-genesis.toml").write_text(print_genesis(other))
    bench.config("other.toml", bench.node.url)
    text = (bench.folder / "other.toml").read_text().replace("/genesis.toml", "/other-genesis.toml")
    (bench.folder / "other.toml").write_text(text)
    for words in (("anchor", "f.txt"), ("fetch", SESSION)):
        asked = ("--owner", "owner.key", "--config", "node.toml", "--config", "other.toml")
        done = lucid(*words, *asked, cwd=bench.folder)
        assert_refused(done, "other.toml is of another chain than node.toml")
    assert not bench.node.asked
