"""Types into a lab's terminals what its guide tells a student to type."""

from __future__ import annotations

import html.parser
import os
import re
import select
import time
from dataclasses import dataclass, field

from brihaspati_agent import places

ANSWER_SECONDS_MAX = 60.0
INTERRUPT = "\x03"


@dataclass
class Command:
    """A command block of a step. One that is `edited` waits for the student to change it."""

    terminal: str | None
    edited: bool
    interrupt: bool
    text: str = ""


@dataclass
class _Blocks(html.parser.HTMLParser):
    commands: list[Command] = field(default_factory=list)
    inside: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "pre" and given.get("class") == "command":
            self.inside = True
            edited = "data-run" not in given
            interrupt = "data-interrupt" in given
            self.commands.append(Command(given.get("data-terminal"), edited, interrupt))

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.commands[-1].text += data


def commands(step_html: str) -> list[Command]:
    """The command blocks of a step, in order."""
    blocks = _Blocks()
    blocks.feed(step_html)
    return blocks.commands


class Desk:
    """One terminal with a shell in it, and all it has shown so far."""

    def __init__(self, machine: places.Place) -> None:
        self.terminal = machine.terminal(None, 100, 40)
        self.shown = ""
        self.count = 0
        self.run("stty -echo")

    def close(self) -> None:
        """Hang up."""
        self.terminal.close()

    def type(self, text: str) -> None:
        """Send keys; a line end is the Enter key."""
        data = text.replace("\n", "\r").encode()
        while data:
            select.select([], [self.terminal.fileno()], [], ANSWER_SECONDS_MAX)
            data = data[os.write(self.terminal.fileno(), data) :]

    def until(self, pattern: str) -> str:
        """Read until the pattern is shown; what came before it."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        start = len(self.shown)
        while not (found := re.search(pattern, self.shown[start:])):
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern} did not come:\n{self.shown[start:]}"
            if select.select([self.terminal.fileno()], [], [], left)[0]:
                self.shown += os.read(self.terminal.fileno(), 65536).decode(errors="replace")
        return self.shown[start : start + found.start()]

    def run(self, text: str) -> tuple[str, int]:
        """Run a command to its end: what it showed, and its exit code."""
        self.count += 1
        # The mark is put together by the shell, so that its echo is not taken for it.
        self.type(f'{text}\necho "mark"-{self.count}-$?-\n')
        shown = self.until(rf"mark-{self.count}-(\d+)-\r\n")
        code = re.search(rf"mark-{self.count}-(\d+)-\r\n", self.shown)
        assert code
        return shown, int(code[1])
