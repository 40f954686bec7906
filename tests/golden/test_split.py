"""One node holds the notarization of a view, the others its skip, and the Byzantine ones that signed both are gone."""

from __future__ import annotations

import pytest

from sim.crypto import ModeledCrypto
from tests.golden.network import Node
from tests.golden.script import Player

MOST_VIEWS = 4


def split(nodes: int) -> tuple[Player, list[Node]]:
    """A network so split, healed again; and its honest nodes, the one that holds the notarization first."""
    faulty = (nodes - 1) // 3
    player = Player(ModeledCrypto())
    do, network = player.do, player.network
    do(f"nodes {nodes}")
    do("fast-forward 20s")
    network = player.network
    names = {node.key: name for name, node in network.nodes.items()}
    context = network.nodes["1"].context
    assert context is not None
    leader = names[context.leader]
    holder, *others = [str(number) for number in range(1, nodes + 1) if str(number) != leader]
    byzantine = others[-faulty:]
    honest = [str(number) for number in range(1, nodes + 1) if str(number) not in byzantine]
    group = [name for name in honest if name != holder]
    for name in byzantine:
        do(f"twin {name}")
    do("tick 10s")
    voters = [name for name in group if name != leader][: 2 * nodes // 3 + 1 - 2 - faulty]
    do(f"deliver {leader}->{','.join([holder, *byzantine, *voters])} propose")
    do("drop propose")
    do(f"deliver ->{holder} notarize")
    do(f"drop {holder}->")
    do("drop notarize")
    do(f"mute {holder}->")
    do("tick 5s")
    do(f"deliver ->{','.join(group)} skip")
    do("drop")
    for name in byzantine:
        do(f"crash {name} {name}'")
    do("heal")
    return player, [network.nodes[name] for name in [holder, *group]]


@pytest.mark.parametrize("nodes", [4, 7, 10, 13, 31])
def test_a_split_by_certificates_heals_in_a_few_views(nodes: int) -> None:
    """With the notarized block hidden for four views more, so that every other leader stands below what is held."""
    player, honest = split(nodes)
    for kind in ("propose", "standing", "certificate"):
        player.do(f"mute {kind}")
    player.do("tick 40s")
    player.do("deliver skip")
    player.do("heal")
    player.do("drop")
    before = max(node.context.view for node in honest if node.context is not None)
    for _ in range(200):
        player.do("fast-forward 1s")
        assert all(node.context is not None for node in honest)
        if all(node.context is not None and node.context.parent_view > before for node in honest):
            break
    after = max(node.context.view for node in honest if node.context is not None)
    assert after - before <= MOST_VIEWS
    player.do("run 60s")
    assert len({line.split("final: ")[1] for line in player.do("status") if "final: " in line}) == 1
