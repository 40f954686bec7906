"""An instruction as others read it: its flags, its one line, the arguments that nobody sets."""

from __future__ import annotations

from smoke.static.dockerfile.instructions import Instruction
from smoke.static.dockerfile.parser import parse


def test_the_last_of_a_flag_counts() -> None:
    made = Instruction("COPY", "a b", 1, 1, flags=(("chown", "1"), ("link", ""), ("chown", "2")))
    assert (made.flag("chown"), made.flag("link"), made.flag("from")) == ("2", "", None)


def test_it_is_shown_in_one_line_of_bounded_length() -> None:
    made = Instruction("COPY", "x" * 2000, 1, 1, flags=(("from", "build"), ("link", "")))
    assert made.excerpt().startswith("COPY --from=build --link xxx") and len(made.excerpt()) == 1000


def test_arguments_without_a_default_anywhere_are_asked_for() -> None:
    """Whoever builds gives these: what follows from them cannot be told."""
    parsed = parse("ARG A\nARG B=1\nFROM x\nARG B\nARG C D=2\n")
    assert parsed.asked_for == {"A", "C"}
