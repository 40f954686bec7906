"""What a receipt proves, as the API says it."""

from __future__ import annotations

from harness.notary import CRYPTO, OWNER, SESSION, Notary
from lucid.chain.errors import Code
from lucid.chain.receipts import print_receipt
from lucid.services.sessions.verification import verification

NET = Notary()
RECEIPT = NET.receipt()


def test_a_receipt_says_what_it_proves() -> None:
    found = verification(print_receipt(RECEIPT, NET.genesis), NET.genesis, CRYPTO)
    assert (found.valid, found.code, found.message) == (True, None, None)
    assert (found.session, found.owner) == (str(SESSION), CRYPTO.public_key(OWNER).hex())
    header = RECEIPT.headers[0]
    assert (found.height, found.block) == (header.height, header.hash.hex())
    assert found.time_ms == NET.genesis.tick_ms(header.tick)


def test_what_proves_nothing_is_said_with_its_code() -> None:
    found = verification(b"{}", NET.genesis, CRYPTO)
    assert not found.valid and found.session is None and found.height is None
    assert found.code is not None and found.code in {code.code for code in Code} and found.message
