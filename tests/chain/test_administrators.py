"""Sets of administrators alone: which may follow another, and when enough of them have signed."""

from __future__ import annotations

import pytest

from lucid.chain.administrators import MAX_ADMINISTRATORS, Administrators, first_administrators
from lucid.chain.errors import Code, Refusal
from tests.builders import CRYPTO, digest, make_genesis, secret

MESSAGE = digest("message")
SECRETS = [secret(f"admin {number}") for number in range(3)]
KEYS = tuple(CRYPTO.public_key(each) for each in SECRETS)
TWO_OF_THREE = Administrators(KEYS, 2)


def approvals(*places: int) -> tuple[tuple[int, bytes], ...]:
    return tuple((place, CRYPTO.sign(SECRETS[place % 3], MESSAGE)) for place in places)


@pytest.mark.parametrize("places", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_any_two_of_three_are_enough(places: tuple[int, ...]) -> None:
    TWO_OF_THREE.check_signed(approvals(*places), MESSAGE, CRYPTO)


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ((), Code.TX_ADMIN_THRESHOLD),
        ((1,), Code.TX_ADMIN_THRESHOLD),
        ((1, 1), Code.TX_ADMIN_THRESHOLD),
        ((2, 0), Code.TX_ADMIN_THRESHOLD),
        ((0, 3), Code.TX_SIGNATURE),
    ],
)
def test_fewer_or_one_twice_or_strangers_are_not(places: tuple[int, ...], code: Code) -> None:
    with pytest.raises(Refusal) as refused:
        TWO_OF_THREE.check_signed(approvals(*places), MESSAGE, CRYPTO)
    assert refused.value.code is code


def test_however_few_are_checked_and_named() -> None:
    TWO_OF_THREE.check_signatures(approvals(2), MESSAGE, CRYPTO)
    with pytest.raises(Refusal, match="chief 2"):
        TWO_OF_THREE.check_signatures(approvals(2), digest("another"), CRYPTO, "chief")


def test_where_there_are_none_nobody_decides() -> None:
    nobody = first_administrators(make_genesis(administrators=0, threshold=0))
    nobody.check_signatures((), MESSAGE, CRYPTO)
    for signatures in ((), approvals(0)):
        with pytest.raises(Refusal) as refused:
            nobody.check_signed(signatures, MESSAGE, CRYPTO)
        assert refused.value.code is Code.TX_ADMIN_THRESHOLD


def test_a_set_that_may_follow_is_within_bounds() -> None:
    TWO_OF_THREE.check_bounds()
    many = tuple(digest(number) for number in range(MAX_ADMINISTRATORS + 1))
    Administrators(many[1:], MAX_ADMINISTRATORS).check_bounds()
    for keys, threshold in (((), 0), (KEYS, 0), (KEYS, 4), (KEYS[:1] * 2, 1), (many, 3)):
        with pytest.raises(Refusal) as refused:
            Administrators(keys, threshold).check_bounds()
        assert refused.value.code is Code.TX_FIELD
