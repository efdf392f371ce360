"""What a terminal has been told to be: the modes that must be said again before old output is.

The ring forgets its oldest bytes. A screen that is repainted from the rest would not know that the
program had switched to the alternate screen, to the application's cursor keys or to red. `Modes`
reads the bytes that leave and can say what they left behind, in as few bytes as it takes.
"""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[(?P<csi>[?>!=]?[0-9;:]*[ \"]?[hlmrpquc])"
    rb"|(?P<set>[()*+][0-9A-Za-z])"
    rb"|(?P<pad>[=>])"
    rb"|(?P<full>c)"
    rb"|\](?P<title>[02];[^\x07\x1b]{0,256})(?:\x07|\x1b\\)"
    rb")|(?P<shift>[\x0e\x0f])"
)
_QUERY = re.compile(
    rb"\x1b(?:"
    rb"\[[>=]?[0-9]*c"  # who are you
    rb"|\[\??[0-9;]*n"  # where is the cursor, how are you
    rb"|\[\??[0-9;]*\$p"  # which modes
    rb"|\[>[0-9]*q"  # which version
    rb"|\[\?u"  # which keyboard protocol
    rb"|\[[0-9;]*t"  # how large is the window
    rb"|Z"
    rb"|\][0-9;]+;\?(?:\x07|\x1b\\)"  # which colours
    rb"|P[$+]q[^\x1b]*\x1b\\"  # which settings, which capabilities
    rb")"
)
_REPLY = re.compile(
    rb"(?:\x1b(?:"
    rb"\[[?>]?[0-9;]*[cnR]|\[\??[0-9;]+\$y|\[\?[0-9]+u|\[[0-9;]+t"
    rb"|\][0-9;]+;rgba?:[0-9a-fA-F/]+(?:\x07|\x1b\\)"
    rb"|P[>01][^\x1b]*\x1b\\"
    rb"))+\Z"
)
_ALTERNATE = (b"1049", b"1047", b"47")
_RESET_FIRST = b"\x1bc"
_MODES_KEPT_MAX = 64
_COLOURS = {38: "fore", 48: "back", 58: "under"}
_WEIGHTS = {1: "bold", 2: "faint", 3: "italic", 5: "blink", 7: "reverse", 8: "hidden", 9: "strike"}
_ENDS = {
    22: ("bold", "faint"),
    23: ("italic",),
    24: ("line",),
    25: ("blink",),
    27: ("reverse",),
    28: ("hidden",),
    29: ("strike",),
    39: ("fore",),
    49: ("back",),
    59: ("under",),
}


def without_queries(data: bytes) -> bytes:
    """Output with the questions to the terminal left out: old ones must not be answered again."""
    return _QUERY.sub(b"", data) if b"\x1b" in data else data


def is_reply(data: bytes) -> bool:
    """Whether input is only a terminal's own answer to a question of the program."""
    return data[:1] == b"\x1b" and _REPLY.match(data) is not None


class Modes:
    """The modes in force after the bytes read so far."""

    __slots__ = ("_charsets", "_keyboard", "_private", "_region", "_shift", "_style", "_title")

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._private: dict[bytes, bytes] = {}
        self._style: dict[str, bytes] = {}
        self._charsets: dict[bytes, bytes] = {}
        self._keyboard: dict[bytes, bytes] = {}
        self._shift = b""
        self._region = b""
        self._title = b""

    def copy(self) -> Modes:
        """Another one with the same modes, to read on from here."""
        other = Modes()
        for name in ("_private", "_style", "_charsets", "_keyboard"):
            setattr(other, name, dict(getattr(self, name)))
        other._shift, other._region, other._title = self._shift, self._region, self._title
        return other

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the screen."""
        return any(self._private.get(b"?" + mode) == b"h" for mode in _ALTERNATE)

    def read(self, data: bytes) -> None:
        """Take note of what these bytes set. They hold whole sequences, or lose cut ones."""
        if not (b"\x1b" in data or b"\x0e" in data or b"\x0f" in data):
            return
        for found in _SEQUENCE.finditer(data):
            kind, text = found.lastgroup, found[0]
            if kind == "csi":
                self._control(found["csi"])
            elif kind == "set":
                self._charsets[text[1:2]] = text
            elif kind == "pad":
                self._private[b"="] = text
            elif kind == "shift":
                self._shift = text if text == b"\x0e" else b""
            elif kind == "title":
                self._title = text
            else:
                self._clear()

    def _control(self, body: bytes) -> None:
        last, middle = body[-1:], body[:-1]
        if last in b"hl":
            self._switch(middle, last)
        elif last == b"m" and middle[:1] not in (b"?", b">", b"!", b"="):
            self._paint(middle)
        elif last == b"m" and middle[:1] == b">":
            self._keyboard[b">m"] = b"\x1b[" + body
        elif last == b"r" and middle[:1] != b"?":
            self._region = b"" if not middle.strip(b";") else b"\x1b[" + body
        elif last == b"q" and middle[-1:] == b" ":
            self._keyboard[b" q"] = b"\x1b[" + body
        elif body == b"!p":
            title, alternate = (
                self._title,
                {
                    b"?" + m: self._private[b"?" + m]
                    for m in _ALTERNATE
                    if b"?" + m in self._private
                },
            )
            self._clear()
            self._title, self._private = title, alternate

    def _switch(self, middle: bytes, last: bytes) -> None:
        mark = b"?" if middle[:1] == b"?" else b""
        for mode in middle.lstrip(b"?>!=").split(b";"):
            key = mark + mode
            if mode and (key in self._private or len(self._private) < _MODES_KEPT_MAX):
                self._private.pop(key, None)
                self._private[key] = last

    def _paint(self, middle: bytes) -> None:
        parts = middle.split(b";")
        place = 0
        while place < len(parts):
            part = parts[place]
            number = int(part.split(b":")[0] or b"0")
            width = 1
            if number in _COLOURS:
                if b":" not in part and place + 1 < len(parts):
                    width = 3 if parts[place + 1] == b"5" else 5
                self._style[_COLOURS[number]] = b";".join(parts[place : place + width])
            else:
                self._attribute(number, part)
            place += width

    def _attribute(self, number: int, part: bytes) -> None:
        if number == 0:
            self._style.clear()
        elif number in _WEIGHTS:
            self._style[_WEIGHTS[number]] = part
        elif number in (4, 21):
            self._style["line"] = part
        elif 30 <= number <= 37 or 90 <= number <= 97:
            self._style["fore"] = part
        elif 40 <= number <= 47 or 100 <= number <= 107:
            self._style["back"] = part
        else:
            for name in _ENDS.get(number, ()):
                self._style.pop(name, None)

    def prefix(self) -> bytes:
        """Bytes that reset a terminal and give it these modes."""
        alternate = [b"\x1b[" + key + b"h" for key in self._private_on() if key[1:] in _ALTERNATE]
        modes = [
            b"\x1b[" + key + last
            for key, last in self._private.items()
            if key != b"=" and key[1:] not in _ALTERNATE
        ]
        style = [b"\x1b[" + b";".join(self._style.values()) + b"m"] if self._style else []
        return b"".join(
            [
                _RESET_FIRST,
                self._title,
                *alternate,
                *modes,
                self._private.get(b"=", b""),
                *self._keyboard.values(),
                *self._charsets.values(),
                self._shift,
                self._region,
                *style,
            ]
        )

    def _private_on(self) -> list[bytes]:
        return [key for key, last in self._private.items() if last == b"h"]
