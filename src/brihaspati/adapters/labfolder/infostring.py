"""The words after a code fence, as in "sh run terminal=main".

The first word is the language. A verb after it makes the block a command: `run` (a button types it
into a terminal, with Enter), `type` (the same, without Enter), `copy` (a button copies it).
`terminal=NAME` says which terminal; `interrupt` presses Ctrl-C there first, `clear` empties its
screen. Every other word is refused, so that later ones never change what an old lab means.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

Verb = Literal["run", "type", "copy"]
VERBS = get_args(Verb)
BEFORE = ("interrupt", "clear")
_KNOWN = (*VERBS, "terminal=NAME", *BEFORE)


@dataclass(frozen=True, slots=True)
class Block:
    """What a fence asks for; `before` is done in the terminal first. `faults`: (message, fix)."""

    language: str
    verb: Verb | None
    terminal: str
    before: tuple[str, ...] = ()
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def typed(self) -> bool:
        """Whether it goes into a terminal."""
        return self.verb in {"run", "type"}


def parse(info: str, terminals: Sequence[str]) -> Block:
    """Read an info string; the first of `terminals` is the one meant when none is named."""
    words = info.split()
    language = words[0] if words else ""
    verb: Verb | None = None
    terminal = terminals[0] if terminals else "main"
    faults: list[tuple[str, str]] = []
    if language in {*VERBS, *BEFORE} or "=" in language:
        faults.append((f"The block starts with `{language}`.", "Name the language first: ```sh."))
        language = ""
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if word in VERBS and verb is None:
            verb = cast("Verb", word)
        elif word in VERBS:
            faults.append((f"The block says `{verb}` and `{word}`.", "Keep one of them."))
        elif name == "terminal" and equals:
            terminal = value
            if value not in terminals:
                known = f"Known: {', '.join(terminals)}."
                faults.append((f"There is no terminal `{value}`.", known))
        elif word not in BEFORE:
            near = difflib.get_close_matches(name, [*VERBS, "terminal", *BEFORE], 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(_KNOWN)}."
            faults.append((f"`{word}` after the code fence is not known.", hint))
    before = tuple(word for word in BEFORE if word in words[1:])
    block = Block(language, verb, terminal, before)
    if not block.typed:
        aside = next((w for w in words[1:] if w in BEFORE or w.startswith("terminal=")), None)
        if aside:
            what = aside.partition("=")[0] + ("=" if "=" in aside else "")
            fix = "Add `run`, or remove it."
            faults.append((f"`{what}` is only for `run` and `type` blocks.", fix))
    return Block(language, verb, terminal, before, tuple(faults))
