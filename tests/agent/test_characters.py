"""Output that stops in the middle of a character."""

from __future__ import annotations

import os
import pty
import tty
from typing import cast

from agent import stage
from brihaspati_agent import places, viewers


class _Hand:
    """A terminal whose program is the test: it writes what it likes when it likes."""

    def __init__(self) -> None:
        self._master, self.program = pty.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self.program)

    def terminal(self, *_: object) -> _Hand:
        return self

    def fileno(self) -> int:
        return self._master

    def resize(self, columns: int, rows: int) -> None:
        pass

    def close(self) -> None:
        os.close(self._master)
        os.close(self.program)


def test_characters_are_not_split_between_frames() -> None:
    async def scenario() -> None:
        hand = _Hand()
        at = cast("places.Places", lambda _: hand)
        limits = viewers.Limits(half_character_seconds=60)
        async with stage.staged(at, limits) as agent:
            client = await agent.open()
            run = agent.hub._desks["abc234"].slots["main"].run
            assert run is not None
            os.write(hand.program, b"a" + "€".encode()[:2])
            await client.until(lambda: client.output == b"a")
            assert run.ring.end == 1
            os.write(hand.program, "€".encode()[2:] + b".")
            await client.until(lambda: client.output == "a€.".encode())
            assert client.frames.count(0) == 2

    stage.play(scenario)


def test_half_a_character_is_not_held_for_ever() -> None:
    async def scenario() -> None:
        hand = _Hand()
        async with stage.staged(cast("places.Places", lambda _: hand)) as agent:
            client = await agent.open()
            os.write(hand.program, b"\xc3")
            await client.until(lambda: client.output == b"\xc3")

    stage.play(scenario)
