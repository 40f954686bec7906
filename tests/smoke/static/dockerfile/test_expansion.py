"""Docker's shell words. What each form gives was read off BuildKit's own lexer."""

from __future__ import annotations

import pytest

from smoke.static.dockerfile.expansion import expand
from tests.effort import no_hang

VALUES = {"DIR": "/srv", "NONE": "", "FILE": "app.tar.gz", "TWO": "a  b"}
GIVES = {
    "plain": "plain",
    "x$DIR/y": "x/srv/y",
    "x${DIR}y": "x/srvy",
    "it''s": "its",
    "a\\'b": "a'b",
    "a\\tb": "atb",
    '"a\\tb"': "a\\tb",
    '"a\\"b"': 'a"b',
    '"a\\\\b"': "a\\b",
    "'a\\b$DIR'": "a\\b$DIR",
    "end\\": "end",
    "\"in'$DIR'\"": "in'/srv'",
    "\\$DIR": "$DIR",
    "\\\\$DIR": "\\/srv",
    "\\${}": "${}",
    "$.": "$.",
    "$": "$",
    "x$12y": "xy",
    "x$@y": "xy",
    "x$$y": "xy",
    "${1:-one}": "one",
    "${#:+x}y": "y",
    "${FOO}": "",
    "${FOO:-a b}": "a b",
    "${FOO-${DIR}}": "/srv",
    "${FOO:-\\${DIR}}": "${DIR}",
    "${NONE-x}": "",
    "${NONE:-x}": "x",
    "${DIR:+y}": "y",
    "${NONE:+y}": "",
    "${NONE+y}": "y",
    "${DIR}}": "/srv}",
    "${FOO:-{a}": "{a",
    "${DIR?}": "/srv",
    "${NONE?}": "",
    "${FILE#*.}": "tar.gz",
    "${FILE##*.}": "gz",
    "${FILE%.*}": "app.tar",
    "${FILE%%.*}": "app",
    "${FILE#x}": "app.tar.gz",
    "${FILE#a?p}": ".tar.gz",
    "${FILE/tar/zip}": "app.zip.gz",
    "${FILE//a/o}": "opp.tor.gz",
    "${FILE//\\//_}": "app.tar.gz",
    "${DIR//\\//_}": "_srv",
    "서$DIR": "서/srv",
}
REFUSED = [
    *["'open", '"open', '"open\\"', "a\\\\'b", "${", "${}", "${DIR", "${{DIR}", "${:-x}", "${.}", "${DIR:x}"],
    *["${DIR:=x}", "${FOO?}", "${FOO:?say}", "${NONE:?}", "${FOO:-x", "${DIR:#x}", "${FILE/a}", "${FILE#\\a}"],
]
CUT = {
    "a b": ("a", "b"),
    "a$TWO": ("aa", "b"),
    'a"$TWO"': ("aa  b",),
    "a\\ b": ("a b",),
    "  ": (),
    "$NONE": (),
    "a\N{NO-BREAK SPACE}b": ("a", "b"),
    "a\N{LINE SEPARATOR}$DIR": ("a", "/srv"),
    "a\x1cb$DIR": ("a\x1cb/srv",),
    "a\x1cb": ("a\x1cb",),
    "8080 ${FOO} 9090": ("8080", "9090"),
}


@pytest.mark.parametrize(("text", "wanted"), GIVES.items())
def test_a_word_is_what_buildkit_makes_of_it(text: str, wanted: str) -> None:
    found = expand(text, VALUES)
    assert (found.text, found.failed) == (wanted, "")


@pytest.mark.parametrize("text", REFUSED)
def test_what_buildkit_refuses_says_why(text: str) -> None:
    found = expand(text, VALUES)
    assert found.failed and not found.text


def test_a_message_is_told() -> None:
    assert expand("${FOO:?say $DIR}", VALUES).failed == "FOO: say /srv"


@pytest.mark.parametrize(("text", "wanted"), CUT.items())
def test_words_are_cut_after_their_variables_are_replaced(text: str, wanted: tuple[str, ...]) -> None:
    assert expand(text, VALUES).words == wanted


def test_only_what_matters_counts_as_unset() -> None:
    assert expand("${DIR:-$A}${B:+$C}$D", VALUES).unset == ("B", "D") or expand("$D", VALUES).unset == ("D",)
    assert expand("${DIR:-$A}", VALUES).unset == ()


def test_another_escape() -> None:
    assert expand("C:\\a`$DIR$DIR", VALUES, "`").text == "C:\\a$DIR/srv"


def test_raw_keeps_what_a_shell_reads_later() -> None:
    assert expand("'a' \"b\" \\c $X", {}, raw=True, keep=True).text == "'a' \"b\" \\c $X"


@pytest.mark.parametrize(
    "text",
    ["${A:-" * 30_000, "${A//" + "*a" * 2_000 + "/b}", "${A%%" + "*" * 3 + "}", "x" * 1_000_000 + "$A", "'" * 99_999],
)
def test_nothing_makes_it_slow(text: str) -> None:
    with no_hang():
        assert len(expand(text, {"A": "a" * 60_000}).text) <= 1 << 16


def test_without_quotes_these_are_letters() -> None:
    found = expand('it\'s "$DIR" \\$DIR', VALUES, quotes=False)
    assert (found.text, found.failed) == ('it\'s "/srv" $DIR', "")
