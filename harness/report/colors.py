"""The colors of a report, by what they stand for."""

from __future__ import annotations

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
