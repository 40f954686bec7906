"""`python -m fuzz`: run targets for a while each, cases from a seed; the first one that fails ends it and is named.

`--together`: all of them at once against one node, whose memory is looked at during and after.
"""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from fuzz import targets, together


def main() -> int:
    """Exit status: 0 all held, 1 a case failed (its target, seed and number are printed), 2 bad usage."""
    known = targets.names()
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"which (default all): {', '.join(known)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target; with --together for all (60)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same cases (default 1)")
    parser.add_argument("--case", type=int, default=0, help="begin at this case, to see it fail again")
    parser.add_argument("--together", action="store_true", help="all targets at once against one node")
    options = parser.parse_args()
    unknown = sorted(set(options.target) - set(known))
    if unknown:
        parser.error(f"no target is called {', '.join(unknown)}; there are {', '.join(known)}")
    if options.together:
        if options.target or options.case:
            parser.error("--together is all targets, from their first cases on")
        return together.run(options.seed, options.seconds)
    chosen = options.target or known
    return max(run(name, options.seed, options.case, options.seconds) for name in chosen)


def run(name: str, seed: int, first: int, seconds: float) -> int:
    """Run one target; returns 1 when a case failed."""
    case = first
    try:
        with targets.opened(name) as attempt:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                attempt(Random(f"{name} {seed} {case}"))
                case += 1
    except Exception as error:
        print(f"{name}: case {case} of seed {seed} fails: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"again: python -m fuzz {name} --seed {seed} --case {case}", file=sys.stderr)
        return 1
    print(f"{name}: {case - first} cases of seed {seed}, all held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
