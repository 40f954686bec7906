"""How a report spells numbers, times and strings."""

from __future__ import annotations

import math
import re

# Characters that XML forbids, and those that reorder the text around them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\n": "&#10;", "\t": "&#9;"}
)
NONE = "–"  # noqa: RUF001 - an en dash stands for a figure that the run has not got
NARROW_SPACE = "\u202f"


def escape(value: object) -> str:
    """Any value as text that is safe inside an element and inside a quoted attribute."""
    return _UNPRINTABLE.sub("\ufffd", str(value)).translate(_ESCAPES)


def number(value: float | None) -> float | None:
    """A figure that can be spelled, or None: what is not finite, or a truth, is no figure."""
    if value is None or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


def count(value: float | None) -> str:
    """A whole number with its thousands set apart: 8 640."""
    figure = number(value)
    return NONE if figure is None else f"{round(figure):,}".replace(",", NARROW_SPACE)


def decimal(value: float | None, places: int = 2) -> str:
    """A number with at most `places` decimals, and no more of them than make three digits."""
    figure = number(value)
    if figure is None:
        return NONE
    whole = int(abs(figure))
    places = min(places, max(0, 3 - len(str(whole)) if whole else 3))
    text = f"{figure:,.{places}f}".replace(",", NARROW_SPACE)
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: float | None) -> str:
    """Bytes in binary units."""
    figure = number(value)
    if figure is None:
        return NONE
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    step = 0
    while abs(figure) >= 1000 and step + 1 < len(units):
        figure /= 1024
        step += 1
    return f"{decimal(figure, 1)} {units[step]}"


def duration(value: float | None) -> str:
    """A span given in milliseconds, in the units a person would say it in."""
    figure = number(value)
    if figure is None:
        return NONE
    if 0 < abs(figure) < 0.1:
        return f"{decimal(figure * 1000)} µs"
    if abs(figure) < 1000:
        return f"{decimal(figure)} ms"
    if abs(figure) < 60_000:
        return f"{decimal(figure / 1000)} s"
    minutes, rest = divmod(round(figure / 1000), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if hours == 0:
        parts = ((minutes, "min"), (rest, "s"))
    elif hours < 48:
        parts = ((hours, "h"), (minutes_left, "min"))
    else:
        parts = ((days, "d"), (hours_left, "h"))
    return " ".join(f"{count(part)} {unit}" for part, unit in parts if part)


def seconds(value: float) -> str:
    """A span given in milliseconds, short enough for an axis: never above the second."""
    return duration(value) if value < 60_000 else f"{count(value / 1000)} s"


def moment(at_ms: float) -> str:
    """A point of the run: hours:minutes:seconds.milliseconds since its start."""
    whole, millis = divmod(round(at_ms), 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{millis:03}"


def shorten(value: object, length: int) -> str:
    """The value's text, its end replaced by an ellipsis beyond `length` characters. Not escaped yet."""
    text = str(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def number_of(figure: float, noun: str) -> str:
    """A count with its noun, in the plural unless there is one."""
    return f"{count(figure)} {noun}{'s' * (figure != 1)}"
