"""Text from outside as it may be shown: on a terminal, in a log or in a report it can't be more than text."""

from __future__ import annotations

import logging


def printable(text: str) -> str:
    """The text with whatever does not print written as an escape: control characters, line ends, marks of direction."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


class PrintableFormatter(logging.Formatter):
    """A record is one line, whatever is in it; the lines of a traceback are indented, so that none passes for one."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        return printable(super().formatMessage(self._prepared(record))) + self._trace(record)

    def _prepared(self, record: logging.LogRecord) -> logging.LogRecord:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        return record

    def _trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        return "".join(f"\n    {printable(line)}" for line in self.formatException(record.exc_info).splitlines())
