"""The words after a code fence, as in "sh run terminal=main".

The first word is the language. A verb after it makes the block a command: `run` (a button types it
into a terminal), `copy` (a button copies it). `terminal=NAME` says which terminal. Every other
word is refused, so that later verbs never change what an old lab means.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verb = Literal["run", "copy"]
_KNOWN = ("run", "copy", "terminal=NAME")


@dataclass(frozen=True, slots=True)
class Block:
    """What a fence asks for. `faults` are (message, fix) pairs."""

    language: str
    verb: Verb | None
    terminal: str
    faults: tuple[tuple[str, str], ...] = ()


def parse(info: str, terminals: Sequence[str]) -> Block:
    """Read an info string; the first of `terminals` is the one meant when none is named."""
    words = info.split()
    language = words[0] if words else ""
    verb: Verb | None = None
    terminal = terminals[0] if terminals else "main"
    faults: list[tuple[str, str]] = []
    if language in {"run", "copy"} or "=" in language:
        faults.append((f"The block starts with `{language}`.", "Name the language first: ```sh."))
        language = ""
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if word in {"run", "copy"} and verb is None:
            verb = "run" if word == "run" else "copy"
        elif word in {"run", "copy"}:
            faults.append(("The block says `run` or `copy` twice.", "Keep one of them."))
        elif name == "terminal" and equals:
            terminal = value
            if value not in terminals:
                faults.append(
                    (f"There is no terminal `{value}`.", f"Known: {', '.join(terminals)}.")
                )
        else:
            near = difflib.get_close_matches(name, ["run", "copy", "terminal"], 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(_KNOWN)}."
            faults.append((f"`{word}` after the code fence is not known.", hint))
    if verb != "run" and any(word.startswith("terminal=") for word in words[1:]):
        faults.append(("`terminal=` is only for `run` blocks.", "Add `run`, or remove it."))
    return Block(language, verb, terminal, tuple(faults))
