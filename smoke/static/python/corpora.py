"""Data of NLTK's that a module takes as it is loaded: NLTK itself brings none."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from smoke.static.python.dotted import dotted
from smoke.static.python.imported import imported_names
from smoke.static.python.nodes import below
from smoke.static.python.quiet import parse_quietly

_CALLS = {
    "nltk.word_tokenize": "punkt_tab",
    "nltk.tokenize.word_tokenize": "punkt_tab",
    "nltk.sent_tokenize": "punkt_tab",
    "nltk.tokenize.sent_tokenize": "punkt_tab",
    "nltk.pos_tag": "averaged_perceptron_tagger_eng",
    "nltk.sentiment.SentimentIntensityAnalyzer": "vader_lexicon",
    "nltk.sentiment.vader.SentimentIntensityAnalyzer": "vader_lexicon",
}
"""Functions and classes that load data as they are called (nltk.org/data.html)."""


def corpora(data: bytes) -> Iterator[tuple[int, str]]:
    """Lines and names of the data that statements at a module's top surely load."""
    if b"nltk" not in data:
        return
    parsed = parse_quietly(data)
    if parsed is None:
        return
    names = imported_names(parsed)
    for node in parsed.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) or node.value is None:
            continue
        for each in below(node.value):
            if isinstance(each, ast.Lambda):
                break
            if isinstance(each, ast.Call):
                first, _, rest = dotted(each.func).partition(".")
                full = ".".join(filter(None, (names.get(first, first), rest)))
                if full in _CALLS:
                    yield each.lineno, _CALLS[full]
                elif full.startswith("nltk.corpus.") and full.count(".") == 3:
                    yield each.lineno, full.split(".")[2]
