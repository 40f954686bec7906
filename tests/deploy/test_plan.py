"""A plan of what is done on a host: steps, each of which an operator could type, and how they are performed."""

from __future__ import annotations

import pytest

from lucid.deploy.host import DeployError
from lucid.deploy.plan import Step, perform


def test_steps_are_done_in_their_order_from_the_first_that_is_not() -> None:
    done: list[str] = []
    said: list[str] = []

    def step(title: str) -> Step:
        return Step(title, f"echo {title}", lambda: done.append(title))

    def broken() -> None:
        raise DeployError("no")

    steps = [step("record"), step("send"), Step("start", "", broken), step("accept")]
    with pytest.raises(DeployError, match="no"):
        perform(steps, said.append, done=1)
    assert done == ["send"] and said == ["2/4 send", "3/4 start"]
