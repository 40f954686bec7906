"""NLTK's data."""

from __future__ import annotations

import pytest

from smoke.static.python.corpora import corpora


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from nltk.corpus import stopwords\nS = set(stopwords.words('english'))\n", [(2, "stopwords")]),
        ("import nltk\nnltk.word_tokenize('a b')\n", [(2, "punkt_tab")]),
        ("from nltk.sentiment import SentimentIntensityAnalyzer as A\na = A()\n", [(2, "vader_lexicon")]),
        ("import nltk\nS = nltk.corpus.wordnet.synsets('x')\n", [(2, "wordnet")]),
        ("from nltk.corpus import stopwords\ndef f(): return stopwords.words('english')\n", []),
        ("from nltk.corpus import stopwords\nS = lambda: stopwords.words('english')\n", []),
        ("from nltk.stem import PorterStemmer\nP = PorterStemmer()\n", []),
        ("import nltk\nnltk.word_tokenize(", []),
        ("print(1)\n", []),
    ],
)
def test_data_that_is_loaded_at_the_top(text: str, found: list[tuple[int, str]]) -> None:
    assert list(corpora(text.encode())) == found
