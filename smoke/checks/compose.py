"""`compose.*` (to come)."""

from smoke.finding import Finding
from smoke.scope import Scope

CHECKS = ()
def run(scope: Scope) -> list[Finding]:
    return []
