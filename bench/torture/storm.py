"""Kills the server, and now and then the keeper, at moments nobody chose; starts it again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time

from bench.torture.crowd import Crowd
from brihaspati.entrypoints.cli.fresh import FreshServer
from brihaspati.entrypoints.cli.shop import CannotRun

# How long the server lives before the next kill, in seconds: one of these ranges by chance.
LIVES = ((0.2, 1.0), (0.2, 1.0), (1.0, 4.0), (4.0, 10.0))
# Every so many kills the class is made to act at once; the others are shares of all kills.
MASS_EVERY, KEEPER, STARTING = 3, 0.2, 0.25


class Storm:
    """The kills of one run over its one server. Only the server and its keeper are ever killed."""

    def __init__(self, server: FreshServer, crowd: Crowd) -> None:
        self.server = server
        self.crowd = crowd
        self._chance = crowd.chance_of("storm")
        self._deeds = crowd.tally.deeds

    async def rage(self, seconds: float) -> None:
        """Kill for so long. The server runs when this returns. Raises CannotRun."""
        end, turns = time.monotonic() + seconds, itertools.count(1)
        while time.monotonic() < end:
            if next(turns) % MASS_EVERY == 0:
                await self._mass()
            else:
                await asyncio.sleep(self._chance.uniform(*self._chance.choice(LIVES)))
                await self._kill()

    async def _mass(self) -> None:
        """All stop at once, then all press Play at once; a kill in the middle of both."""
        crowd = self.crowd
        crowd.gate.clear()
        crowd.home.set()
        await asyncio.sleep(self._chance.uniform(0.1, 1.5))
        self._deeds["kills amid mass stops"] += 1
        await self._kill()
        await asyncio.sleep(self._chance.uniform(0.5, 3))
        crowd.home.clear()
        crowd.gate.set()
        await asyncio.sleep(self._chance.uniform(0.05, 1))
        self._deeds["kills amid mass plays"] += 1
        await self._kill()

    async def _kill(self) -> None:
        keeper_first = self._chance.random() < 0.5
        keeper_too = self._chance.random() < KEEPER
        if keeper_too and keeper_first:
            self._kill_keeper()
        self.crowd.up.clear()
        await asyncio.to_thread(self.server.kill)
        self._deeds["kills"] += 1
        if keeper_too and not keeper_first:
            self._kill_keeper()
        while not await self._started():
            self._deeds["kills of a starting server"] += 1
        self.crowd.up.set()

    def _kill_keeper(self) -> None:
        for pid in self.server.keepers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._deeds["kills of the keeper"] += 1

    async def _started(self) -> bool:
        """Start it; False when it was killed on the way. Raises CannotRun when it cannot."""
        start = asyncio.create_task(asyncio.to_thread(self.server.start_again))
        patience = self._chance.uniform(0.2, 2) if self._chance.random() < STARTING else None
        done, _ = await asyncio.wait({start}, timeout=patience)
        if done:
            await start
            return True
        await asyncio.to_thread(self.server.kill)
        with contextlib.suppress(CannotRun):
            await start
        # It may have begun to run only after that kill.
        await asyncio.to_thread(self.server.kill)
        return False
