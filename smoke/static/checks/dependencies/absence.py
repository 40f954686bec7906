"""Something that the code asks for as it is loaded, and that the image lacks."""

from __future__ import annotations

from msgspec import Struct

from smoke.check import Check
from smoke.finding import Finding
from smoke.static.checks.evidence import at_source
from smoke.static.python.program import LoadedProgram
from smoke.static.scope import Scope


class Absence(Struct, frozen=True):
    """What is asked for and lacking: where, and the reason."""

    path: str
    line: int
    message: str
    remedy: str = ""
    """Empty where the check's own says it."""

    def finding(self, check: Check, scope: Scope, program: LoadedProgram) -> Finding:
        """The failure that it is."""
        at = at_source(scope, self.path, self.line)
        return check.fail(self.message, program.image.service.name, at, remedy=self.remedy)
