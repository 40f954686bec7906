"""What a node's own data chain has it claim: signed by the node, and handed in, for who has the node's token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucid.chain.transactions import NodeCapacity, RelayReceipt, ReplicaHolding
from lucid.services.chain.claimroutes import ClaimRoutes
from lucid.services.chain.ownclaims import CopiesBrought, Declaring, Holding, OwnClaims
from lucid.services.web.admission import NODE
from tests.builders import CRYPTO, make_genesis

SESSION = (b"s" * 16 + b"o" * 32).hex()


class Routes:
    """Takes routes down."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.options: list[dict[str, Any]] = []

    def route(self, method: str, path: str, summary: str, **options: Any) -> Callable[[Any], Any]:
        assert method == "POST" and summary
        self.options.append(options)
        return lambda handler: self.found.setdefault(path, handler)


async def test_each_claim_is_signed_and_handed_in() -> None:
    handed: list[Any] = []

    async def submit(payload: Any) -> bytes:
        handed.append(payload)
        return bytes([len(handed)]) * 32

    web, key = Routes(), CRYPTO.public_key(bytes(32))
    ClaimRoutes(OwnClaims(key, bytes(32), CRYPTO, make_genesis().chain_id), submit).register(web)  # type: ignore[arg-type]
    assert set(web.found) == {f"/node/{each}" for each in ("holdings", "proofs", "receipts", "capacity")}
    assert all(each["access"] is NODE and each["status"] == 202 for each in web.options)
    said = {
        "holdings": Holding(SESSION, 7, ((0, 5),)),
        "receipts": CopiesBrought(SESSION, key.hex(), 7, 3),
        "capacity": Declaring(7, 4),
    }
    for number, (path, body) in enumerate(said.items(), 1):
        accepted = await web.found[f"/node/{path}"](body)
        assert accepted.id == (bytes([number]) * 32).hex()
    assert [type(each) for each in handed] == [ReplicaHolding, RelayReceipt, NodeCapacity]
    assert all(each.node == key and each.height == 7 for each in handed)
