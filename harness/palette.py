"""What a report is painted with: colors, stylesheet, shapes, scales, and the spelling of numbers and strings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Each color's value on a light and on a dark page. Text colors reach 4.5:1 and marks 3:1 against `card`
# (WCAG 2.2, 1.4.3 and 1.4.11); the tests hold that. Marks of different meaning differ in shape or place too.
COLORS: dict[str, tuple[str, str]] = {
    "page": ("#f3f4f7", "#0d1015"),
    "card": ("#ffffff", "#161a21"),
    "ink": ("#14181f", "#e9ecf1"),
    "soft": ("#4a5362", "#b1b9c5"),
    "faint": ("#677080", "#8d96a4"),
    "rule": ("#dfe3e9", "#2b323d"),
    "grid": ("#eceff3", "#222833"),
    "well": ("#f3f5f8", "#10141a"),
    "block": ("#2a64d6", "#6ea3ff"),
    "onblock": ("#ffffff", "#0d1015"),
    "skip": ("#cf2a2a", "#ff6d66"),
    "fork": ("#b86a00", "#f2a33a"),
    "crash": ("#59636f", "#98a2b0"),
    "partition": ("#7646c6", "#b491ff"),
    "disturbance": ("#0c7d77", "#40c6bb"),
    "pass": ("#11723b", "#4fd08a"),
    "no_progress": ("#8f5700", "#f3b44c"),
    "diverged": ("#b3211a", "#ff7b72"),
}

_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1200px;margin:0 auto;padding:28px 24px 48px;display:grid;gap:16px;
grid-template-columns:repeat(12,minmax(0,1fr))}
h1,h2,p,dl,dd,figure{margin:0}
code{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
.card{grid-column:span 12;background:var(--card);border:1px solid var(--rule);border-radius:14px;padding:18px 20px;
min-width:0;break-inside:avoid}
.hero{padding:0;overflow:hidden;border-top:5px solid var(--verdict)}
.hero .top{padding:22px 24px 20px;display:flex;flex-wrap:wrap;gap:10px 28px;align-items:flex-start;
background:linear-gradient(100deg,color-mix(in srgb,var(--verdict) 13%,transparent),transparent 62%)}
.hero .name{flex:1 1 560px;min-width:0}
.brand{color:var(--faint);font-size:13px;letter-spacing:.02em}
h1{font-size:31px;line-height:1.2;letter-spacing:-.015em;font-weight:680;overflow-wrap:anywhere;margin:2px 0 4px}
.about{color:var(--soft);max-width:70ch;overflow-wrap:anywhere}
.badge{background:var(--verdict);color:var(--card);font-weight:720;font-size:21px;letter-spacing:.05em;line-height:1;
padding:13px 20px 13px 16px;border-radius:999px;display:inline-flex;gap:10px;align-items:center;white-space:nowrap}
.badge svg{width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:3;
stroke-linecap:round;stroke-linejoin:round}
.call{max-width:330px;display:flex;flex-direction:column;align-items:flex-end;text-align:right;gap:9px}
.call p{color:var(--soft);font-size:13.5px;text-wrap:balance;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:6px;padding:0;margin:12px 0 0;list-style:none}
.facts li{border:1px solid var(--rule);background:var(--card);border-radius:999px;padding:2px 11px;font-size:13px;
color:var(--soft);overflow-wrap:anywhere}
.facts b{color:var(--ink);font-weight:620}
.proof{border-top:1px solid var(--rule);padding:14px 24px 16px;display:grid;gap:5px 18px;
grid-template-columns:max-content minmax(0,1fr);align-items:baseline}
.proof dt{color:var(--faint);font-size:13px}.proof dd{overflow-wrap:anywhere}
.proof code{user-select:all}
.proof .run{display:block;width:fit-content;
background:var(--well);border:1px solid var(--rule);border-radius:8px;padding:6px 11px;color:var(--ink)}
.proof .run::before{content:"$ ";color:var(--faint);user-select:none}
.tiles{grid-column:span 12;display:grid;gap:12px;grid-template-columns:repeat(6,minmax(0,1fr))}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:13px 15px 12px;min-width:0;
break-inside:avoid}
.tile dt{color:var(--soft);font-size:12.5px}
.tile .big{font-size:25px;line-height:1.25;font-weight:650;letter-spacing:-.02em;white-space:nowrap}
.tile .sub{color:var(--faint);font-size:12.5px;line-height:1.4;overflow-wrap:anywhere}
h2{font-size:16px;font-weight:660;letter-spacing:-.005em}
.note{color:var(--soft);font-size:13px;text-wrap:pretty}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0 0;padding:0;list-style:none;font-size:12.5px;
color:var(--soft)}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;vertical-align:-1px}
.plot{margin-top:10px;overflow-x:auto}
.plot svg{display:block;width:100%;height:auto}
figure.card{position:relative}figure.card h2{padding-right:70px}
.zoom{position:absolute;top:16px;right:18px;font:inherit;font-size:12.5px;color:var(--faint);background:none;
border:1px solid var(--grid);border-radius:7px;padding:2px 10px;cursor:pointer}
.zoom:hover,.zoom:focus-visible{color:var(--ink)}
.wide .plot svg{min-width:760px}.half svg,.seven svg,.five svg{max-width:720px;margin:auto}
.half{grid-column:span 6}.seven{grid-column:span 7}.five{grid-column:span 5}
svg text{font-size:11px;fill:var(--faint)}
svg .strong{fill:var(--soft);font-weight:600}
svg .intx{fill:var(--onblock);font-weight:650}
svg .inblank{fill:var(--ink);font-weight:650}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}
.gridline{stroke:var(--grid);stroke-width:1;fill:none}.axis{stroke:var(--rule);stroke-width:1;fill:none}
.guide{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 4;fill:none}
.edge{stroke:var(--faint);stroke-width:1;stroke-dasharray:2 3;fill:none}
.lane{fill:var(--well)}
.trend{stroke:var(--block);stroke-width:2;fill:none;stroke-linejoin:round}
.second{stroke:var(--faint);stroke-width:1.3;fill:none;stroke-dasharray:4 3}
.area{fill:var(--block);fill-opacity:.11}.band{fill:var(--block);fill-opacity:.24}
.bar,.dot,.tx{fill:var(--block)}.point{fill:var(--block);fill-opacity:.6}
.ring{fill:var(--block);stroke:var(--card);stroke-width:2}
.peak{fill:var(--block);fill-opacity:.42}
.blank{fill:color-mix(in srgb,var(--block) 40%,var(--card))}
.heat1{fill:var(--block);fill-opacity:.5}.heat2{fill:var(--block);fill-opacity:.68}
.heat3{fill:var(--block);fill-opacity:.84}.heat4{fill:var(--block)}
.link{stroke:var(--block);stroke-opacity:.45;stroke-width:1.5;fill:none}
.forklink{stroke:var(--fork);stroke-width:1.3;stroke-dasharray:3 3;fill:none}
.skip{fill:var(--skip)}.fork{fill:var(--fork)}
.crash{fill:var(--crash)}.partition{fill:var(--partition)}.disturbance{fill:var(--disturbance)}
.shade{fill-opacity:.14}.row{fill-opacity:.26}
.hit{fill:var(--ink);fill-opacity:0}.hit:hover{fill-opacity:.07}
[data-tip]:not(.hit):hover{filter:brightness(1.15)}
table{border-collapse:collapse;width:100%;margin-top:8px;font-size:13.5px}
th{font-weight:560;color:var(--faint);text-align:left;font-size:12.5px}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--grid);vertical-align:baseline;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
th.num,td.num{text-align:right;white-space:nowrap;padding-right:26px}
td.held{color:var(--pass)}td.broken{color:var(--diverged);font-weight:650}td.idle{color:var(--faint)}
.held,.broken,.idle{white-space:nowrap}
.none{color:var(--faint);padding:26px 0;text-align:center}
footer{grid-column:span 12;color:var(--faint);font-size:12.5px}
#tip{position:fixed;left:0;top:0;z-index:9;pointer-events:none;max-width:340px;background:var(--ink);color:var(--card);
font-size:12.5px;line-height:1.45;padding:7px 11px;border-radius:8px;white-space:pre-line;overflow-wrap:anywhere}
#tip[hidden]{display:none}
@media screen and (max-width:1020px){.tiles{grid-template-columns:repeat(4,minmax(0,1fr))}}
@media screen and (max-width:860px){.half,.seven,.five{grid-column:span 12}
.call{align-items:flex-start;text-align:left}}
@media screen and (max-width:700px){main{padding:14px 12px 32px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}
.proof{grid-template-columns:minmax(0,1fr);gap:1px}.proof dd{margin-bottom:7px}h1{font-size:25px}}
@media print{body{background:none;font-size:13px}main{max-width:none;padding:0;gap:10px}#tip,.zoom{display:none}
.plot{overflow:visible}.plot svg{width:100%!important;min-width:0!important;max-width:100%!important}
.card{break-inside:avoid}.hero{break-inside:auto}.tile .big{font-size:20px}}
@page{size:A4 landscape;margin:11mm}
"""


def stylesheet() -> str:
    """The whole CSS: light by default and on paper, dark where the reader's system asks for it."""

    def names(index: int) -> str:
        return "".join(f"--{name}:{values[index]};" for name, values in COLORS.items())

    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{names(1)}}}}}"
    return f":root{{color-scheme:light dark;{names(0)}}}{dark}{_RULES}"


# Written without opening brackets and ampersands, so that the page is well-formed as HTML and as XML alike.
SCRIPT = """
function point(event) {
  var tip = document.getElementById("tip"), mark = event.target.closest("[data-tip]");
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.getAttribute("data-tip");
  var left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  var under = event.clientY + 18, above = event.clientY - tip.offsetHeight - 10;
  var top = under + tip.offsetHeight > window.innerHeight ? above : under;
  tip.style.transform = "translate(" + Math.max(4, left) + "px," + Math.max(4, top) + "px)";
}
function zoom(event) {
  var button = event.target.closest(".zoom");
  if (!button) return;
  var plot = button.parentNode.querySelector(".plot"), image = plot.querySelector("svg");
  var times = {"": "200", "200": "400", "400": ""}[image.getAttribute("data-zoom") || ""];
  var middle = (plot.scrollLeft + plot.clientWidth / 2) / plot.scrollWidth;
  image.setAttribute("data-zoom", times);
  image.style.width = times ? times + "%" : "";
  image.style.maxWidth = times ? "none" : "";
  plot.scrollLeft = middle * plot.scrollWidth - plot.clientWidth / 2;
}
document.addEventListener("click", zoom);
document.addEventListener("pointermove", point);
document.addEventListener("pointerdown", point);
document.documentElement.addEventListener("pointerleave", function () {
  document.getElementById("tip").hidden = true;
});
"""

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


def number(value: Any) -> float | None:
    """A JSON number, or None for anything else, a boolean and a non-finite float included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def count(value: Any) -> str:
    """A whole number with its thousands set apart: 8 640."""
    figure = number(value)
    return NONE if figure is None else f"{round(figure):,}".replace(",", NARROW_SPACE)


def decimal(value: Any, places: int = 2) -> str:
    """A number with at most `places` decimals, and no more of them than make three digits."""
    figure = number(value)
    if figure is None:
        return NONE
    whole = int(abs(figure))
    places = min(places, max(0, 3 - len(str(whole)) if whole else 3))
    text = f"{figure:,.{places}f}".replace(",", NARROW_SPACE)
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: Any) -> str:
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


def duration(value: Any) -> str:
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


_ROUND_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True)
class Scale:
    """Maps values lo ... hi to pixels start ... end, values beyond to the nearer end; `log` wants lo > 0."""

    lo: float
    hi: float
    start: float
    end: float
    log: bool = False

    def __post_init__(self) -> None:
        assert self.lo < self.hi and (self.lo > 0 or not self.log)

    def __call__(self, value: float) -> float:
        value = min(max(value, self.lo), self.hi)
        if self.log:
            part = math.log(value / self.lo) / math.log(self.hi / self.lo)
        else:
            part = (value - self.lo) / (self.hi - self.lo)
        return self.start + part * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """About `wanted` round values within the scale, ascending."""
        if self.log:
            decades = range(math.floor(math.log10(self.lo)), math.ceil(math.log10(self.hi)) + 1)
            steps = (1, 2, 5) if len(decades) <= wanted - 1 else (1,)
            values = [step * 10.0**decade for decade in decades for step in steps]
            return [value for value in values if self.lo <= value <= self.hi]
        step = round_up((self.hi - self.lo) / wanted)
        return [step * k for k in range(math.ceil(self.lo / step), math.floor(self.hi / step + 1e-9) + 1)]

    def time_ticks(self, wanted: int) -> list[float]:
        """About `wanted` values that are round as milliseconds, seconds, minutes, hours or days."""
        least, day = (self.hi - self.lo) / wanted, 86_400_000.0
        if least < 1000:
            step = round_up(least)
        else:
            step = next((1000.0 * s for s in _ROUND_SECONDS if s * 1000 >= least), None) or day * round_up(least / day)
        return [step * k for k in range(math.ceil(self.lo / step), math.floor(self.hi / step + 1e-9) + 1)]


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten at or above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def pixel(value: float) -> str:
    """A coordinate in as few characters as a tenth of a pixel needs."""
    return f"{value:.1f}".removesuffix(".0")


def rect(x: float, y: float, width: float, height: float, kind: str, *, tip: str = "", radius: float = 0) -> str:
    corner = f' rx="{pixel(radius)}"' if radius else ""
    return (
        f'<rect class="{kind}" x="{pixel(x)}" y="{pixel(y)}" width="{pixel(max(width, 0.5))}" '
        f'height="{pixel(max(height, 0.5))}"{corner}{_tip(tip)}/>'
    )


def circle(x: float, y: float, radius: float, kind: str, *, tip: str = "") -> str:
    return f'<circle class="{kind}" cx="{pixel(x)}" cy="{pixel(y)}" r="{pixel(radius)}"{_tip(tip)}/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return path(f"M{pixel(x1)} {pixel(y1)}L{pixel(x2)} {pixel(y2)}", kind)


def path(data: str, kind: str) -> str:
    return f'<path class="{kind}" d="{data}"/>'


def text(x: float, y: float, words: object, kind: str = "") -> str:
    return f'<text class="{kind}" x="{pixel(x)}" y="{pixel(y)}">{escape(words)}</text>'


def polyline(points: list[tuple[float, float]], stairs: bool = False) -> str:
    """Path data through pixel points; with `stairs`, level until the next point, then straight to it."""
    steps = [f"M{pixel(points[0][0])} {pixel(points[0][1])}"]
    for x, y in points[1:]:
        steps.append(f"H{pixel(x)}V{pixel(y)}" if stairs else f"L{pixel(x)} {pixel(y)}")
    return "".join(steps)


def drawing(name: str, width: float, height: float, shapes: list[str]) -> str:
    """An SVG image, named and described by the elements `name-title` and `name-note` of the page around it."""
    return (
        f'<svg viewBox="0 0 {pixel(width)} {pixel(height)}" role="img" aria-labelledby="{name}-title" '
        f'aria-describedby="{name}-note">{"".join(shapes)}</svg>'
    )


def time_axis(x: Scale, top: float, bottom: float, wanted: int) -> list[str]:
    """Vertical grid lines at round times, and their labels below `bottom`."""
    return grid_down(x, x.time_ticks(wanted), top, bottom, lambda ms: duration(ms) if ms else "0")


def grid_down(x: Scale, ticks: list[float], top: float, bottom: float, spell: Callable[[float], str]) -> list[str]:
    """A vertical grid line for each tick, and its label below; labels at the rims stay inside the picture."""
    shapes = []
    for value in ticks:
        at = x(value)
        kind = "end" if at > x.end - 24 else "" if at < x.start + 6 else "mid"
        shapes += [line(at, top, at, bottom, "gridline"), text(at, bottom + 16, spell(value), kind)]
    return shapes


def grid_across(y: Scale, ticks: list[float], left: float, right: float, spell: Callable[[float], str]) -> list[str]:
    """A horizontal grid line for each tick, and its label left of it."""
    shapes = []
    for value in ticks:
        at = y(value)
        shapes += [line(left, at, right, at, "gridline"), text(left - 8, at + 4, spell(value), "end")]
    return shapes


def guide_key(right: float, words: str) -> list[str]:
    """What the dashed line of a picture means, at its upper right."""
    return [text(right - 30, 10, words, "end"), line(right - 24, 6, right, 6, "guide")]


def _tip(words: str) -> str:
    return f' data-tip="{escape(words)}"' if words else ""
