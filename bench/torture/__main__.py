"""`make torture`: fifty students, a server that is killed for two minutes, and what is left."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import uvloop

from bench.torture.crowd import Crowd, Student
from bench.torture.host import SERVING, Host
from bench.torture.storm import Storm
from bench.torture.tally import DEEDS, Tally
from bench.torture.witness import Witness
from brihaspati import wiring
from brihaspati.adapters import clocks, sqlite
from brihaspati.entrypoints.cli.client import Portal
from brihaspati.entrypoints.cli.fresh import FreshServer, fresh_server
from brihaspati.entrypoints.cli.shop import CannotRun
from brihaspati.settings import CLONE

POOL, KEEP_SECONDS = 4, 90
LOOK_SECONDS = 0.2
FINISH_SECONDS_MAX, REST_SECONDS_MAX, END_SECONDS_MAX = 240, 150, 30
SHOWN = 40


class Run:
    """One run: a server of its own, its class, and what was seen."""

    def __init__(self, server: FreshServer, env: str, seed: int, students: int) -> None:
        self.server, self.env = server, env
        self.tally = Tally()
        self.crowd = Crowd(seed, self.tally)
        self.host = Host(server.folder, env)
        self._students = students
        self._path = server.folder / "brihaspati.db"

    async def storm(self, seconds: float) -> None:
        """Let the class live in bad weather, then finish what it has begun."""
        jar, connector = aiohttp.DummyCookieJar(), aiohttp.TCPConnector(limit=0)
        with sqlite.Database(self._path) as database:
            witness = Witness(sqlite.Store(database, clocks.SystemClock()), self.host, self.tally)
            async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as http:
                who = await self._joined(http)
                await self._see(witness, who[0])
                watching = asyncio.create_task(self._watch(witness))
                await self._live(who, seconds)
                watching.cancel()
                await asyncio.wait({watching})
            await asyncio.to_thread(self._rest, witness)

    async def _joined(self, http: aiohttp.ClientSession) -> list[Student]:
        self.crowd.up.set()
        self.crowd.gate.set()
        portals = [Portal(self.server.address, http, None) for _ in range(self._students)]
        who = [Student(self.crowd, portal, f"student{n}") for n, portal in enumerate(portals)]
        await asyncio.gather(*(one.join(self.server.code) for one in who))
        return who

    async def _see(self, witness: Witness, student: Student) -> None:
        """That nothing is found at the end means something only if we see what is there now."""
        await student.visit("wide")
        for kind in await asyncio.to_thread(witness.blind):
            self.tally.fault(f"no {kind} of a running lab can be seen: the check is blind")
        await student.leave()

    async def _live(self, who: list[Student], seconds: float) -> None:
        crowd = self.crowd
        lives = [asyncio.create_task(one.live()) for one in who]
        await Storm(self.server, crowd).rage(seconds)
        crowd.over.set()
        crowd.home.set()
        crowd.gate.set()
        done, late = await asyncio.wait(lives, timeout=FINISH_SECONDS_MAX)
        for one in late:
            one.cancel()
            self.tally.fault("a student was still waiting for an answer at the end")
        for one in done:
            if one.exception() is not None:
                self.tally.fault(f"a student's life ended with {one.exception()!r}")
        for known, play in crowd.plays.items():
            if play.outcome is None:
                self.tally.fault(f"{play.who}: nothing came of {known}")

    async def _watch(self, witness: Witness) -> None:
        while True:
            await asyncio.to_thread(witness.look)
            await asyncio.sleep(LOOK_SECONDS)

    # --- the end -------------------------------------------------------------------------------
    def _rest(self, witness: Witness) -> None:
        """Start once more without a pool, stop all, and wait until nothing moves any more."""
        self.server.stop()
        self.server.start(pool=0, keep_seconds=0)
        stop = [sys.executable, "-m", "brihaspati", "stop", "--all"]
        given = {"BRIHASPATI_DATA": str(self.server.folder), "BRIHASPATI_ENV": self.env}
        done = subprocess.run(
            stop, env={**os.environ, **given}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            self.tally.fault(f"brihaspati stop --all: {done.stderr.strip()}")
        for text in _until_none(witness.unrest, REST_SECONDS_MAX):
            self.tally.fault(f"not at rest after {REST_SECONDS_MAX} s: {text}")
        serving = {f"files: {name}" for name in SERVING}

        def left() -> list[str]:
            return sorted(set(str(self.host.left()).splitlines()) - serving)

        for text in _until_none(left, END_SECONDS_MAX):
            self.tally.fault(f"left while the server runs: {text}")
        witness.judge(witness.entries())
        self.tally.deeds["machines made"] = len(witness.made)
        self.tally.deeds["proofs of an end"] = len(witness.entries())

    def after_the_end(self) -> list[str]:
        """What is left once the server has ended in order, and what the store says of itself."""
        self.server.stop()
        with sqlite.Database(self._path) as database:
            for damage in database.check():
                self.tally.fault(f"the store: {damage}")
        return _until_none(self._remains, END_SECONDS_MAX)

    def _remains(self) -> list[str]:
        processes = [f"process {pid}" for pid in self.host.processes()]
        return processes + str(self.host.left()).splitlines()


def _until_none(look: Callable[[], list[str]], seconds_max: float) -> list[str]:
    """What is still there once nothing is, or time is up."""
    end = time.monotonic() + seconds_max
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def _labs() -> Iterator[Path]:
    """A folder with a lab as students have it, and one with everything a lab can hold."""
    with tempfile.TemporaryDirectory(prefix="bh-labs-") as folder:
        shutil.copytree(CLONE / "labs" / "hello", Path(folder) / "hello")
        shutil.copytree(Path(__file__).parent / "wide", Path(folder) / "wide")
        yield Path(folder)


def torture(seed: int, seconds: float, students: int) -> int:
    """Print what was done, and what is wrong; the exit status."""
    env = f"t{secrets.token_hex(4)}"
    settings = {"seats": students, "pool": POOL, "keep_seconds": KEEP_SECONDS, "env": env}
    settings["provider"] = "namespaces"
    with _labs() as labs, fresh_server(wiring.open_shop({}), labs=labs, **settings) as server:
        run = Run(server, env, seed, students)
        try:
            uvloop.run(run.storm(seconds))
        except CannotRun as problem:
            run.tally.fault(f"the server did not come back: {problem}")
        left = run.after_the_end()
        if left or run.tally.faults:
            log = Path(tempfile.gettempdir()) / f"torture-{seed}.log"
            shutil.copy(server.folder / "server.log", log)
            sys.stdout.write(f"the server's log is {log}\n")
    _tell(run.tally, left)
    return 1 if left or run.tally.faults else 0


def _tell(tally: Tally, left: list[str]) -> None:
    say = sys.stdout.write
    for deed in DEEDS:
        say(f"{tally.deeds[deed]:7} {deed}\n")
    say("what students were told besides:\n" if tally.refusals else "")
    for words, count in tally.refusals.most_common():
        say(f"{count:7} {words}\n")
    for fault in tally.faults[:SHOWN]:
        say(f"BROKEN {fault}\n")
    for thing in left[:SHOWN]:
        say(f"LEFT {thing}\n")
    say(f"{len(tally.faults)} promises broken, {len(left)} left behind\n")


def main() -> int:
    """Run it; 1 when anything is left or a promise was broken, 2 where it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m bench.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long to kill (120)")
    parser.add_argument("--students", type=int, default=50, help="how many there are (50)")
    parser.add_argument("--seed", type=int, help="of the moments; left out: by chance")
    given = parser.parse_args()
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        sys.stderr.write("torture needs root on Linux: it makes labs of kernel parts\n")
        return 2
    # Told to end, it ends its server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seed = secrets.randbelow(10**9) if given.seed is None else given.seed
    sys.stdout.write(f"seed {seed}, {given.students} students, {given.seconds:g} s of kills\n")
    sys.stdout.flush()
    return torture(seed, given.seconds, given.students)


if __name__ == "__main__":
    sys.exit(main())
