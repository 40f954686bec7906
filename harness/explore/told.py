"""What an exploration found, in words: a scope, and the steps that lead to a broken rule."""

from __future__ import annotations

from collections.abc import Iterator

from harness.explore.letter import Letter, vote_in_words
from harness.explore.scope import ExploreScope
from harness.explore.search import Search, SearchStep
from lucid.chain.votes import FINALIZE, NOTARIZE, PROPOSE, Vote
from lucid.machines.messages import CertificateMessage, Proposal, VoteMessage


def scope_in_words(scope: ExploreScope) -> str:
    """A scope in a line."""
    traitor = f"n{scope.byzantine} of them Byzantine" if 0 <= scope.byzantine < scope.nodes else "all honest"
    crashes = {0: "no crashes", 1: "one crash each"}.get(scope.crashes, f"{scope.crashes} crashes each")
    return f"{scope.nodes} validators, {traitor}, {scope.views} view{'s' * (scope.views > 1)}, {crashes}"


def trail_in_words(search: Search) -> Iterator[str]:
    """The steps to a broken rule, one a line."""
    for step in search.trail:
        yield _step(search, step)


def _step(search: Search, step: SearchStep) -> str:
    happening, letters = step.outcome.happening, search.moves.post.letters
    if happening.timer:
        what = f"n{step.place}'s {happening.timer} timer fires"
    else:
        what = f"n{step.place} hears " + _letters([letters[number] for number in happening.letters])
    cut = step.outcome.cut
    if cut is not None:
        marks = f"{cut} store{'s' * (cut != 1)} and sending{'s' * (cut != 1)}"
        what += f", crashes after {marks}, and starts again"
    return what


def _letters(letters: list[Letter]) -> str:
    first = letters[0]
    match first.message:
        case VoteMessage(vote):
            return f"{vote_in_words(vote)} from {', '.join(f'n{each.sender}' for each in letters)}"
        case CertificateMessage(each):
            kind = {NOTARIZE: "notarization", FINALIZE: "finality"}.get(each.kind, "skip certificate")
            return f"the {kind} of view {each.view}"
        case Proposal(vote=vote):
            assert vote.kind == PROPOSE
            return f"the proposal of view {vote.view} from n{first.sender}, {_name(vote)}"
    return f"{type(first.message).__name__} from n{first.sender}"


def _name(vote: Vote) -> str:
    return f"block {vote.block.hex()[:8]}"
