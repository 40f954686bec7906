"""The sessions that a block manager shows, in every state."""

from __future__ import annotations

import uuid

from lucid.chain.errors import Code
from lucid.client import Client, calls
from lucid.client.following import await_final
from lucid.services.devnet import Devnet
from tests.services.explorer.asked import ask
from tests.services.test_anchoring import manifest


def test_sessions_and_their_states(lone: Devnet) -> None:
    node, session = lone.nodes[0], uuid.uuid4()
    with Client(node.url("anchoring"), node.url("data"), node.token) as client:
        client.send(calls.anchor_session(manifest(lone, session)))
        height = await_final(client, session, 60).height
    assert height is not None
    [named] = ask(node, f"/sessions/{session}")["sessions"]
    assert (named["status"], named["height"]) == ("final", height)
    table = ask(node, f"/sessions?from={height}&limit=1")
    assert str(session) in [each["session"] for each in table["final"]]
    assert (table["first"], table["last"], table["next"]) == (height, height, (height - 1) or None)
    assert table["waiting"] == ask(node, "/sessions", "anchoring") == {"waiting": 0, "sessions": []}
    assert ask(node, f"/sessions/{uuid.uuid4()}", status=404)["error"]["code"] == Code.SESSION_UNKNOWN.code
    ask(node, "/sessions/x", status=400)
    ask(node, "/sessions?limit=0", status=400)
