"""Log records as they may be shown: whatever from outside is in one, it cannot be more than a line of text."""

from __future__ import annotations

import logging

from lucid.chain.printable import printable


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
