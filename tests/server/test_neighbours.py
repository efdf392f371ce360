"""What one student's lab does to itself, the neighbours' labs do not feel."""

from __future__ import annotations

import statistics
import time

from bench import procfs

from attending import Student
from brihaspati.entrypoints.cli.client import Portal
from brihaspati.entrypoints.cli.fresh import FreshServer

# Each is stopped by a limit of its own: memory, disk, processes.
HOG = "tail -c 1G /dev/zero &"
FILLER = "cat /dev/zero > ~/fill 2>/dev/null &"
BOMB = "bomb() { bomb | bomb & }; bomb"
PROCESSES_MAX = 64
BOMB_SEEN = PROCESSES_MAX * 3 // 4
OURS = 8
WATCHED_SECONDS = 3
LATE_SECONDS_MAX = 30
# An echo takes milliseconds here; what this leaves room for is a busy machine, and one that is
# busier for a moment. A lab that starved its neighbour would do so all the time.
ECHO_SECONDS_MAX = 2


def processes_in(sandbox: str) -> int:
    """How many processes a sandbox has, ours in it included."""
    return sum(sandbox in groups for _, groups in procfs.texts("cgroup"))


def test_a_bomb_a_hog_and_a_filler_at_once_leave_the_neighbour_s_terminal_quick(
    server: FreshServer,
) -> None:
    rogue, neighbour = Student(server, "Rogue"), Student(server, "Neighbour")
    rogue.play()
    neighbour.play()

    async def begin(portal: Portal) -> None:
        wire = await portal.open(rogue.path)
        for line in (HOG, FILLER, "echo arm''ed", BOMB):
            wire.type(f"{line}\n".encode())
        await wire.until(b"armed", LATE_SECONDS_MAX)
        wire.close()

    async def answers(portal: Portal) -> tuple[list[float], int]:
        """How long each echo took, and how many processes the rogue's lab had at its worst."""
        wire = await portal.open(neighbour.path)
        waits: list[float] = []
        most, over = 0, time.monotonic() + WATCHED_SECONDS
        late = over + LATE_SECONDS_MAX
        while (begun := time.monotonic()) < over or (most < BOMB_SEEN and begun < late):
            wire.type(f"echo answer-$(({len(waits)}*7))\n".encode())
            await wire.until(f"answer-{len(waits) * 7}\r\n".encode(), LATE_SECONDS_MAX)
            waits.append(time.monotonic() - begun)
            most = max(most, processes_in(sandbox))
        wire.close()
        return waits, most

    sandbox = rogue.do(lambda portal: portal.send("GET", rogue.path))["sandbox"]["id"]
    rogue.do(begin)
    waits, most = neighbour.do(answers)
    assert BOMB_SEEN <= most <= PROCESSES_MAX + OURS
    assert statistics.median(waits) < ECHO_SECONDS_MAX, waits
    neighbour.type("head -c 20M /dev/zero > ~/own && rm ~/own && echo ro''om", "room")
    rogue.stop()
    rogue.play()
    rogue.type("echo $((6*7))", "42")
    neighbour.type("echo still-$((6*7))", "still-42")
