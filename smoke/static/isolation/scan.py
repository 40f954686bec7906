"""Reads a tree's files and names for traces of the network, and says of each where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from hashlib import sha256

from smoke.finding import excerpt
from smoke.patterns import matches
from smoke.static.isolation.addresses import addresses
from smoke.static.isolation.hosts import hosts
from smoke.static.isolation.packages import is_requirement
from smoke.static.isolation.places import FileKind, comments_of, kind_of, suffix
from smoke.static.isolation.pythonspans import python_spans
from smoke.static.isolation.spans import Spans, TextPart, rough_spans, setting_spans
from smoke.static.isolation.traces import IsolationTrace, Scan, TracePlace, What
from smoke.static.isolation.vocabulary import worth_reading
from smoke.static.isolation.words import traces
from smoke.tree import Tree

MAX_TRACES = 200
"""Traces of one file beyond this many are counted, not kept."""
_TEXT_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_BINARY = 8192


_searched: dict[bytes, tuple[tuple[str, str], ...]] = {}
"""What is in binary files, by their digests: images of one tree have most of theirs in common."""


def scan(tree: Tree, words: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Scan:
    """All traces in a tree's names and files, by path and line. `words` are further ones, `exclude` globs of files."""
    result = Scan()
    result.traces += _names(tree, words, exclude)
    for path in tree.files():
        if path in tree.links:
            continue  # its target is read by its own name
        if any(matches(pattern, path) for pattern in exclude):
            result.excluded += 1
            continue
        _scan_file(tree, path, words, result)
    return result


def _names(tree: Tree, words: tuple[str, ...], exclude: tuple[str, ...]) -> Iterator[IsolationTrace]:
    for directory in sorted(tree.directories):
        for name in tree.directories[directory]:
            path = f"{directory}/{name}" if directory else name
            if any(matches(pattern, path) for pattern in exclude):
                continue
            stem = name.removesuffix(".trx") if suffix(name) == ".trx" else name  # reports of test runs end so
            for _, text in traces(stem, words):
                prose = path in tree.sizes and kind_of(path, "") is FileKind.PROSE
                yield IsolationTrace(what=What.WORD, place=TracePlace.NAME, path=path, line=0, text=text, prose=prose)
                break


def _in_binary(data: bytes) -> tuple[tuple[str, str], ...]:
    """The addresses in a file that is not text, and what is noted of each."""
    digest = sha256(data).digest()
    found = _searched.get(digest)
    if found is None:
        found = tuple((text, note) for _, text, note in addresses(data.decode("latin-1")))
        _searched[digest] = found
    return found


def _scan_file(tree: Tree, path: str, words: tuple[str, ...], result: Scan) -> None:
    data = tree.data(path)
    text = _decoded(data, path)
    if text is None:
        result.binary += 1
        result.traces += [
            IsolationTrace(what=What.ADDRESS, place=TracePlace.STRING, path=path, line=0, text=found, note=note)
            for found, note in _in_binary(data)
        ]
        return
    result.read += 1
    if tree.cut(path):
        result.cut.append(path)
    if not isinstance(text, str):
        if not worth_reading(data, words):
            return
        text = data.decode("utf-8", "replace")
    found = sorted(_hits(text, words))
    if found:
        kept, more = found[:MAX_TRACES], len(found) - MAX_TRACES
        result.traces += _placed(path, text, kept)
        if more > 0:
            result.overfull[path] = more


class _Plain:
    """Stands for text that is ASCII or UTF-8, and is decoded only when it is worth reading."""


def _decoded(data: bytes, path: str) -> str | _Plain | None:
    """A file's text by its byte order mark; none when it is not a text."""
    for mark, encoding in _TEXT_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" not in data[:_BINARY]:
        return _Plain()
    # What a shell or Python would still read is text for all its NUL bytes.
    if kind_of(path, "") is FileKind.CONFIGURATION and suffix(path) not in _SETTINGS:
        return None
    return data.replace(b"\0", b"").decode("utf-8", "replace")


_SETTINGS = frozenset({".toml", ".yaml", ".yml", ".json", ".env", ".ini", ".cfg", ".conf", ".properties"})


def _hits(text: str, words: tuple[str, ...]) -> Iterator[tuple[int, What, str, str]]:
    """Offset, sort, text and note of each trace; words within a host or an address are not counted again."""
    taken: list[tuple[int, int]] = []
    for offset, address, note in addresses(text):
        taken.append((offset, offset + len(address)))
        yield offset, What.ADDRESS, address, note
    for offset, host in hosts(text):
        taken.append((offset, offset + len(host)))
        yield offset, What.HOST, host, ""
    taken.sort()
    for offset, word in traces(text, words):
        index = bisect_right(taken, (offset, len(text))) - 1
        if index < 0 or taken[index][1] <= offset:
            yield offset, What.WORD, word, ""


def _placed(path: str, text: str, found: list[tuple[int, What, str, str]]) -> Iterator[IsolationTrace]:
    kind = kind_of(path, text[:200])
    place = _places(path, text, kind)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for offset, what, word, note in found:
        line = bisect_right(starts, offset)
        shown = excerpt(text[max(starts[line - 1], offset - 150) : starts[line] if line < len(starts) else len(text)])
        yield IsolationTrace(
            what=what,
            place=place(offset),
            path=path,
            line=line,
            text=word,
            excerpt=shown,
            note=note,
            prose=kind is FileKind.PROSE,
        )


def _places(path: str, text: str, kind: FileKind) -> Callable[[int], TracePlace]:
    """How to tell where an offset of a file stands."""
    if kind is FileKind.PROSE:
        return lambda offset: TracePlace.PROSE
    if kind is FileKind.PYTHON:
        return _source_places(python_spans(text))
    if kind is FileKind.CODE:
        return _source_places(rough_spans(text, comments_of(path)))
    spans = setting_spans(text, comments_of(path))

    def place(offset: int) -> TracePlace:
        if spans.at(offset) is TextPart.COMMENT:
            return TracePlace.COMMENT
        return TracePlace.DEPENDENCY if is_requirement(path, text, offset, kind) else TracePlace.CONFIGURATION

    return place


_SOURCE = {
    TextPart.CODE: TracePlace.IDENTIFIER,
    TextPart.COMMENT: TracePlace.COMMENT,
    TextPart.STRING: TracePlace.STRING,
    TextPart.IMPORT: TracePlace.IMPORT,
}


def _source_places(spans: Spans) -> Callable[[int], TracePlace]:
    return lambda offset: _SOURCE[spans.at(offset)]
