"""What ends an exploration: a rule that must hold does not."""

from __future__ import annotations


class BrokenRule(Exception):
    """A rule that must hold does not: its name, and what happened."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(rule, detail)  # what it is made of again, when a record is read
        self.rule = rule
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"
