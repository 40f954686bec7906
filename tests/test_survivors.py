"""Mutants that live are held against those that are explained, by what they change and not by their numbers."""

from __future__ import annotations

from tests.survivors import Survivor, explained, function_of, survived, survivor, told

SHOWN = """# lucid.chain.receipts.x__print__mutmut_7: survived
--- lucid/chain/receipts.py
+++ lucid/chain/receipts.py
@@ -1,2 +1,2 @@
 def _print(document):
-    return format(document, indent=1)
+    return format(document, indent=2)
"""
FOUND = Survivor(
    "lucid.chain.receipts._print", "return format(document, indent=1)", "return format(document, indent=2)"
)


def test_a_mutant_is_known_by_its_function_and_its_line() -> None:
    assert survivor("lucid.chain.receipts.x__print__mutmut_7", SHOWN) == FOUND
    assert (
        function_of("lucid.machines.engine.polls.xǁPollsǁ__init____mutmut_4")
        == "lucid.machines.engine.polls.Polls.__init__"
    )


def test_what_was_killed_or_timed_out_is_no_survivor() -> None:
    results = "\n".join(
        f"    lucid.a.x_{n}__mutmut_1: {fate}"
        for n, fate in enumerate(("survived", "timeout", "no tests", "not checked"))
    )
    assert survived(results) == ["lucid.a.x_0__mutmut_1", "lucid.a.x_2__mutmut_1"]


def test_one_that_is_not_explained_is_said_so() -> None:
    text, whole = told([FOUND], {})
    assert (
        not whole
        and "NOT EXPLAINED" in text
        and text.endswith("1 survivors, 1 of them not explained in survivors.toml")
    )
    text, whole = told([FOUND, FOUND], {FOUND: "people read both"})
    assert whole and text.startswith("lucid.chain.receipts._print: people read both\n  - return")


def test_each_that_is_explained_says_why() -> None:
    assert explained() and all(why and before != after for (_, before, after), why in explained().items())
