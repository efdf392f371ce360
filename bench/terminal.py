"""The terminal: echo, bulk, a slow screen and coming back, beside ttyd and a bare C bridge.

Every server is a process of its own on the loopback interface, and the client is the same plain
loop for all. Rounds take turns, so that a busy moment of the machine falls on everyone.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import figures, terminal_ttyd, terminal_wire
from bench.figures import Figure
from brihaspati.domain import tickets

ECHO_TIMES, BULK_TIMES = 1.25, 1.3
SILENT_MS, QUEUE_KB, GROWN_MB, RESTORE_MS = 300, 512, 4, 200
HOPELESS_SECONDS = 10
DRAWN_BYTES_PER_SECOND = 2_000_000
ROUNDS, ROUNDS_QUICK = 6, 2
ECHOES = 300
BULK_BYTES, BULK_BYTES_QUICK = 32_000_000, 8_000_000
LINE = b"All the world's a stage, and all the men and women merely players 42.\n"
ECHO = ["/bin/sh", "-c", "read go; stty raw -echo; printf ready; exec cat"]
SHELL = ["/bin/sh"]
ENV = "bench"

Open = Callable[[Sequence[str]], terminal_wire.Raw]


@dataclass(frozen=True)
class Servers:
    """How to open a terminal with a command at each server; ttyd where it is to be had."""

    agent: Callable[[Sequence[str]], terminal_wire.Agent]
    agent_pid: int
    others: dict[str, Open]

    @property
    def everyone(self) -> dict[str, Open]:
        """All of them, ours first."""
        return {"agent": self.agent, **self.others}


def find(quick: bool) -> Iterator[Figure]:  # noqa: FBT001 - a bench is called like this
    """Echo, bulk, a screen that draws 2 MB/s, and coming back."""
    rounds = ROUNDS_QUICK if quick else ROUNDS
    with contextlib.ExitStack() as stack:
        servers = _servers(stack, fetch=not quick)
        yield from _echo(servers, rounds)
        yield from _bulk(servers, rounds, BULK_BYTES_QUICK if quick else BULK_BYTES)
        yield from _slow_screen(servers)
        yield from _back(servers, rounds)


# --- what is measured --------------------------------------------------------------------------
def _echo(servers: Servers, rounds: int) -> Iterator[Figure]:
    found: dict[str, list[float]] = {name: [] for name in servers.everyone}
    open_wires = {name: open_(ECHO) for name, open_ in servers.everyone.items()}
    for wire in open_wires.values():
        _begin(wire)
    for turn in range(rounds + 1):
        for name, wire in open_wires.items():
            times = [_one_echo(wire, number) for number in range(ECHOES)]
            found[name] += times if turn else []  # the first turn warms everything
    for wire in open_wires.values():
        wire.close()
    p50 = {name: figures.middle(times) * 1e6 for name, times in found.items()}
    yield from _compared("echo p50", p50, "us", ECHO_TIMES, at_least=False)
    p95 = {name: figures.quantile(times, 0.95) * 1e6 for name, times in found.items()}
    yield from _compared("echo p95", p95, "us", None, at_least=False)


def _begin(wire: terminal_wire.Raw) -> None:
    """Have the program say that it is ready; unasked it might say so before we look."""
    wire.type(b"\n")
    wire.until(b"ready")


def _one_echo(wire: terminal_wire.Raw, number: int) -> float:
    key = bytes((97 + number % 26,))
    begun = terminal_wire.now()
    wire.type(key)
    back = wire.receive()
    while not back:
        back = wire.receive()
    took = terminal_wire.now() - begun
    if back != [key]:
        raise ValueError(f"{key!r} came back as {back!r}")
    return took


def _bulk(servers: Servers, rounds: int, count: int) -> Iterator[Figure]:
    """A file's lines through the tty as it is, and through one that leaves them alone.

    As it is, the kernel's work on each line may be the limit: then the bare bridge shows it, and
    nobody can be much faster.
    """
    with tempfile.NamedTemporaryFile() as file:
        lines = count // len(LINE)
        file.write(LINE * lines)
        file.flush()
        for what, mode, size in (
            ("bulk", "-echo", lines * (len(LINE) + 1)),  # a return before each line's end
            ("bulk, raw tty", "-echo -opost", lines * len(LINE)),
        ):
            found: dict[str, list[float]] = {name: [] for name in servers.everyone}
            script = f"stty {mode}; read go; printf ready; read go; cat {file.name}; sleep 99"
            for _ in range(rounds):
                for name, open_ in servers.everyone.items():
                    found[name].append(_one_bulk(open_(["/bin/sh", "-c", script]), size))
            rates = {name: figures.middle(each) for name, each in found.items()}
            yield from _compared(what, rates, "MB/s", BULK_TIMES, at_least=True)


def _one_bulk(wire: terminal_wire.Raw, size: int) -> float:
    """Megabytes a second."""
    _begin(wire)
    begun = terminal_wire.now()
    wire.type(b"\n")
    wire.take(size)
    rate = size / (terminal_wire.now() - begun) / 1e6
    wire.close()
    return rate


def _slow_screen(servers: Servers) -> Iterator[Figure]:
    """`yes` runs, the screen draws 2 MB/s: how soon does an interrupt show, what was queued."""
    before = terminal_wire.resident_bytes(servers.agent_pid)
    silent, queued, grown = _interrupted(servers.agent(SHELL), servers.agent_pid, 3)
    beside = "a client that acknowledges what it drew"
    if "ttyd" in servers.others:
        theirs = _interrupted(servers.others["ttyd"](SHELL), None, 1)
        beside = f"ttyd, after 1 s of it ({theirs[0]:.0f} ms, {theirs[1] / 1e6:.1f} MB queued)"
    yield Figure(
        "terminal", "interrupt to silence", round(silent, 1), "ms", SILENT_MS, beside=beside
    )
    yield Figure("terminal", "queued in the client, most", round(queued / 1e3), "KB", QUEUE_KB)
    megabytes = round((grown - before) / 1e6, 2)
    yield Figure("terminal", "server's memory grown", megabytes, "MB", GROWN_MB)


def _interrupted(
    wire: terminal_wire.Raw, pid: int | None, seconds: float
) -> tuple[float, int, int]:
    """Milliseconds from the interrupt to the last byte drawn, most bytes queued, most memory."""
    wire.type(b"yes\n")
    begun, typed, last, most, memory = terminal_wire.now(), 0.0, 0.0, 0, 0
    drawn = told = 0
    while True:
        if wire.ready(0.002) and wire.receive():
            last = terminal_wire.now()
        moment = terminal_wire.now()
        drawn = min(wire.seq, int((moment - begun) * DRAWN_BYTES_PER_SECOND))
        if drawn - told >= 16 * 1024 or (drawn == wire.seq and drawn > told):
            told = drawn
            wire.drawn(told)
        most = max(most, wire.seq - drawn)
        memory = max(memory, terminal_wire.resident_bytes(pid) if pid else 0)
        if not typed and moment - begun > seconds:
            typed = moment
            wire.type(b"\x03")
        if (typed and moment - last > 0.3) or moment - begun > seconds + HOPELESS_SECONDS:
            break
    wire.close()
    all_drawn = max(last, moment + (wire.seq - drawn) / DRAWN_BYTES_PER_SECOND)
    if drawn == wire.seq:
        all_drawn = max(last, begun + wire.seq / DRAWN_BYTES_PER_SECOND)
    return (all_drawn - typed) * 1000, most, memory


def _back(servers: Servers, rounds: int) -> Iterator[Figure]:
    """A reload while the screen and its scrollback are full: until all is there again."""
    program = ["/bin/sh", "-c", "seq 60000; echo the end; exec cat"]
    first = servers.agent(program)
    first.until(b"the end\r\n")
    first.close()
    found = []
    for _ in range(rounds * 3):
        begun = terminal_wire.now()
        again = servers.agent(program)
        size = len(again.repainted(b"the end\r\n"))
        found.append((terminal_wire.now() - begun) * 1000)
        again.close()
    words = f"{size / 1e3:.0f} KB of screen and scrollback"
    worst = round(max(found), 1)
    yield Figure("terminal", "reconnect, slowest", worst, "ms", RESTORE_MS, beside=words)


def _compared(
    what: str, found: dict[str, float], unit: str, times: float | None, *, at_least: bool
) -> Iterator[Figure]:
    """Ours beside ttyd's, with the target in ttyd's terms; then the others' own values."""
    ours, theirs, floor = found["agent"], found.get("ttyd"), found.get("floor")
    target = round(theirs * times, 1) if theirs and times else None
    beside = f"ttyd ({theirs:.1f})" if theirs else "no ttyd to be had here, so no target"
    yield Figure(
        "terminal",
        what,
        round(ours, 1),
        unit,
        target=target,
        at_least=at_least,
        beside=beside,
        ratio=round(ours / theirs, 2) if theirs else None,
    )
    if floor:
        words = f"bare C bridge ({floor:.1f})"
        ratio = round(ours / floor, 2)
        yield Figure("terminal", f"{what}, floor", round(floor, 1), unit, beside=words, ratio=ratio)


# --- servers -----------------------------------------------------------------------------------
def _servers(stack: contextlib.ExitStack, *, fetch: bool) -> Servers:
    others: dict[str, Open] = {}
    ttyd = terminal_ttyd.command(fetch=fetch)
    if ttyd is not None:
        others["ttyd"] = lambda program: _ttyd(stack, ttyd, program)
    floor = _floor(stack)
    if floor is not None:
        others["floor"] = lambda program: _floor_wire(stack, floor, program)
    agent, pid = _agent(stack)
    return Servers(agent, pid, others)


def _agent(
    stack: contextlib.ExitStack,
) -> tuple[Callable[[Sequence[str]], terminal_wire.Agent], int]:
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    listen = ["--listen", "127.0.0.1:0", "--public-key", public, "--env", ENV]
    process, line = _started(stack, [sys.executable, "-m", "brihaspati_agent", *listen])
    port = int(line.rpartition(":")[2])
    names: dict[tuple[str, ...], str] = {}

    def open_(program: Sequence[str]) -> terminal_wire.Agent:
        # The same program is the same terminal only where coming back is measured.
        again = "the end" in program[-1]
        name = names.setdefault(tuple(program), "back") if again else os.urandom(5).hex()
        ticket = _ticket(name, program)
        return terminal_wire.Agent(port, tickets.seal(ticket, key.sign))

    return open_, process.pid


def _ticket(sandbox: str, program: Sequence[str]) -> tickets.Ticket:
    now = time.time_ns() // 1_000_000
    return tickets.Ticket(
        id=os.urandom(12).hex(),
        env=ENV,
        sandbox=sandbox,
        machines={"main": "here"},
        terminals={"main": ("main", tuple(program))},
        user="bench",
        name="Bench",
        may=("terminal",),
        issued_at=now,
        expires_at=now + tickets.LIFE_MS,
    )


def _ttyd(
    stack: contextlib.ExitStack, command: Sequence[str], program: Sequence[str]
) -> terminal_wire.Ttyd:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--interface", "127.0.0.1", "--writable"]
    _started(stack, [*command, *options, "--debug", "1", *program], says=False)
    ends = time.monotonic() + 10
    while True:
        try:
            return terminal_wire.Ttyd(port)
        except ConnectionRefusedError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)


def _floor(stack: contextlib.ExitStack) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    made = Path(folder) / "floor"
    source = Path(__file__).with_name("terminal_floor.c")
    options = ["-O2", "-o", str(made), str(source), "-lutil"]
    built = subprocess.run([compiler, *options], check=False, capture_output=True)
    return made if built.returncode == 0 else None


def _floor_wire(
    stack: contextlib.ExitStack, floor: Path, program: Sequence[str]
) -> terminal_wire.Raw:
    _, line = _started(stack, [str(floor), *program])
    return terminal_wire.Raw(int(line))


def _started(
    stack: contextlib.ExitStack, command: Sequence[str], *, says: bool = True
) -> tuple[subprocess.Popen[str], str]:
    """A server process that ends with the bench, and the first line it says."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    stack.callback(_ended, process)
    assert process.stdout is not None
    return process, process.stdout.readline().strip() if says else ""


def _ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    figures.main("terminal", find)
