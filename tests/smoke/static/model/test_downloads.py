"""What downloads, archives and checkouts bring, and where."""

from __future__ import annotations

import pytest

from smoke.static.model.downloads import FETCHERS, fetched
from smoke.static.model.script import run
from tests.smoke.static.model.staged import stage

OWN = "mkdir -p /own && cd /own && "
"""A directory that the Dockerfile makes: what is in it is known whole, unless a command says otherwise."""


@pytest.mark.parametrize(
    ("script", "there", "gone"),
    [
        (OWN + "curl -o f https://example.org/x", "/own/f", "/own/x"),
        (OWN + "curl -fsSLo f https://example.org/x", "/own/f", "/own/x"),
        (OWN + "curl -sSof https://example.org/x", "/own/f", "/own/x"),
        (OWN + "curl --output=f https://example.org/x", "/own/f", "/own/x"),
        (OWN + "curl --output-dir /own/d -o f https://example.org/x", "/own/d/f", "/own/f"),
        (OWN + "curl https://example.org/x", "/own", "/own/x"),
        (OWN + "wget -O f https://example.org/x", "/own/f", "/own/x"),
        (OWN + "wget -qO f https://example.org/x", "/own/f", "/own/x"),
        (OWN + "wget -qO- https://example.org/x", "/own", "/own/x"),
        (OWN + "curl -o /dev/null https://example.org/x", "/own", "/own/x"),
        (OWN + "curl -H Accept:foo -d goo https://example.org/x", "/own", "/own/goo"),
    ],
)
def test_a_file_that_is_named_is_there_alone(script: str, there: str, gone: str) -> None:
    """In one word with other options or on its own: what is missed stops a container that would start."""
    made = stage()
    run(made, script, 7, {})
    assert made.files.find(there) is not None
    assert made.files.find(gone) is None and not made.files.doubt(gone)


@pytest.mark.parametrize(
    ("script", "doubtful"),
    [
        (OWN + "wget https://example.org/x", "/own/x"),
        (OWN + "wget -P /own/d https://example.org/x", "/own/d/x"),
        (OWN + "wget --directory-prefix=d https://example.org/x", "/own/d/x"),
        (OWN + "curl -O https://example.org/x", "/own/x"),
        (OWN + "curl -fLO --output-dir d https://example.org/x", "/own/d/x"),
        (OWN + 'curl -o "$TARGET/f" https://example.org/x', "/own/f"),
        (OWN + "tar xzf - -C d", "/own/d/x"),
        (OWN + "tar xzf - -C/own/d", "/own/d/x"),
        (OWN + "unzip x.zip -d d", "/own/d/x"),
        (OWN + "git clone https://example.org/x.git d", "/own/d/x"),
        (OWN + "git clone https://example.org/x.git", "/own/x"),
    ],
)
def test_where_more_may_be_is_in_doubt(script: str, doubtful: str) -> None:
    made = stage()
    run(made, script, 7, {})
    assert made.files.find(doubtful) is None and made.files.doubt(doubtful)


@pytest.mark.parametrize("name", sorted(FETCHERS))
def test_without_words_nothing_is_named(name: str) -> None:
    made = stage()
    fetched(made, name, (), 7)
    assert not any(each.line == 7 for each in made.files.entries.values())


def test_a_download_belongs_to_who_made_it_and_is_not_executable() -> None:
    made = stage()
    made.user = "1000"
    fetched(made, "curl", ("-Lo", "/tmp/tool", "https://example.org/x"), 7)
    entry = made.files.find("/tmp/tool")
    assert entry is not None and (entry.user, entry.mode) == (1000, 0o644)
