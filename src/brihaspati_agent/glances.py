"""The last line that a person would see on a terminal, read from its raw output."""

from __future__ import annotations

import re

LINE_LENGTH_MAX = 80
LOOK_BACK_BYTES = 8 * 1024

_CLEARED = re.compile(rb"\x1b(?:c|\[[23]J|\[H\x1b\[J|\[\?1049[hl])")
_ESCAPE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    rb"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|\Z)"  # strings: titles, settings
    rb"|\[[0-?]*[ -/]*\Z|\Z"  # cut off at the end
    rb"|[ -/]*[0-~]"  # character sets and the rest
    rb")"
)


def last_line(output: bytes) -> str:
    """The last line with something on it, without control sequences; empty if there is none."""
    cleared = [found.end() for found in _CLEARED.finditer(output)]
    since = cleared[-1] if cleared else 0
    text = _ESCAPE.sub(b"", output[since:]).decode(errors="ignore")
    for line in reversed(text.split("\n")):
        visible = _visible(line)
        if visible:
            return _cut(visible)
    return ""


def _visible(line: str) -> str:
    """A line after its carriage returns and backspaces."""
    parts = [part for part in line.split("\r") if part.strip()]
    kept: list[str] = []
    for sign in parts[-1] if parts else "":
        if sign == "\b":
            del kept[-1:]
        elif sign == "\t":
            kept.append(" ")
        elif sign.isprintable():
            kept.append(sign)
    return "".join(kept).strip()


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LENGTH_MAX else line[: LINE_LENGTH_MAX - 1] + "…"
