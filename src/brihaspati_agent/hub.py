"""Every terminal of every sandbox this agent serves, by sandbox and terminal name.

One `Hub` belongs to one event loop; its methods are called on that loop except `heartbeat` and
`glance`, which may be called from any thread. Places block, so they are called in worker threads.
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import functools
import logging
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from brihaspati_agent import glances, places, terminals, tickets, viewers, wire

_logger = logging.getLogger(__name__)
_ENDED_REMEMBERED = 4096
_EARLY_SIZE = (80, 24)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How a sandbox is used. `last_input_at`: when a person typed last, or None."""

    last_input_at: int | None
    viewers: int
    terminals: int


class Guest(Protocol):
    """Another connection that ends with its sandbox."""

    def close(self, code: int, words: str) -> None:
        """End the connection with a close code."""
        ...


@dataclass(slots=True)
class _Slot:
    """A terminal name of a sandbox: its present run, or the run being opened."""

    run: terminals.Run | None = None
    opening: asyncio.Task[terminals.Run] | None = None


@dataclass(slots=True)
class _Desk:
    """All that belongs to one sandbox."""

    slots: dict[str, _Slot] = field(default_factory=dict)
    guests: list[Guest] = field(default_factory=list)
    shells: tuple[str, ...] = ()  # further ones, as those who look have heard
    last_input_at: int | None = None


class Hub:
    """Opens terminals, attaches viewers, ends sandboxes."""

    def __init__(
        self,
        at: places.Places,
        now: Callable[[], int],
        limits: viewers.Limits | None = None,
        new_id: Callable[[], str] = lambda: secrets.token_hex(8),
        threads: int = 16,
    ) -> None:
        self.at = at
        self.limits = limits or viewers.Limits()
        self._now = now
        self._new_id = new_id
        self._desks: dict[str, _Desk] = {}
        self._ended: collections.OrderedDict[str, str] = collections.OrderedDict()
        self._workers = concurrent.futures.ThreadPoolExecutor(threads, "agent")
        self._closing: set[asyncio.Future[None]] = set()

    async def blocking(self, call: Callable[[], _T]) -> _T:
        """The result of a blocking call, made in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, call)

    async def connect(self, label: str, port: int) -> socket.socket:
        """A socket connected to a port of a machine, for this loop.

        Raises places.NoSuchMachine or places.PlaceError.
        """
        connected = await self.blocking(lambda: self.at(label).connect(port))
        connected.settimeout(0)
        return connected

    # --- opening ---------------------------------------------------------------------------
    async def open_early(
        self,
        sandbox: str,
        machines: Mapping[str, str],
        choices: Mapping[str, tuple[str, Iterable[str] | None]],
    ) -> None:
        """Start the programs of terminals before anyone attaches, so a prompt is waiting.

        `machines` maps names to labels; `choices` maps terminal names to (machine, command).
        Raises places.NoSuchMachine or places.PlaceError. Those open already stay.
        """
        self._ended.pop(sandbox, None)
        for name, (machine, command) in choices.items():
            choice = tickets.TerminalChoice(machine, None if command is None else tuple(command))
            await self._running(sandbox, name, choice, machines, _EARLY_SIZE)

    async def attach(
        self,
        outlet: viewers.Outlet,
        ticket: tickets.Ticket,
        name: str,
        visitor: viewers.Visitor,
    ) -> tuple[terminals.Run, viewers.Viewer]:
        """Attach a viewer to a terminal of the ticket's sandbox, starting it if need be.

        Raises wire.Bad with the close code for the client.
        """
        sandbox = ticket.sandbox
        choice = ticket.choice(name)
        if choice is None or not (visitor.writer or self._may_be_seen(sandbox, name)):
            raise wire.Bad(wire.NOT_FOUND, "this lab has no such terminal")
        fresh = self._ended_run(sandbox, name)
        if fresh is not None and not visitor.writer:
            return fresh, fresh.attach(outlet, visitor, name)
        size = (visitor.columns, visitor.rows)
        try:
            run = await self._running(sandbox, name, choice, ticket.machines, size)
        except places.NoSuchMachine:
            raise wire.Bad(wire.NOT_FOUND, "this machine is gone") from None
        except places.PlaceError as error:
            raise wire.Bad(wire.BROKEN, str(error)) from None
        if len(run.viewers) >= self.limits.viewers:
            raise wire.Bad(wire.TOO_MANY, "too many people look at this terminal")
        viewer = run.attach(outlet, visitor, name)
        viewer.event(_shells_event(self._desks[sandbox]))
        if fresh is not None and fresh is not run:
            viewer.event({"type": "notice", "text": "The program had ended. This is a new one."})
        return run, viewer

    def _may_be_seen(self, sandbox: str, name: str) -> bool:
        """Whether who only looks on finds it: they start no more shells beside the lab's."""
        desk = self._desks.get(sandbox)
        return tickets.another_shell(name) is None or (desk is not None and name in desk.slots)

    def _ended_run(self, sandbox: str, name: str) -> terminals.Run | None:
        desk = self._desks.get(sandbox)
        slot = desk.slots.get(name) if desk else None
        run = slot.run if slot else None
        return run if run is not None and run.ended_at is not None else None

    async def _running(
        self,
        sandbox: str,
        name: str,
        choice: tickets.TerminalChoice,
        machines: Mapping[str, str],
        size: tuple[int, int],
    ) -> terminals.Run:
        """The live run of a terminal; many who ask at once get the same one."""
        self.check_alive(sandbox)
        desk = self._desks.setdefault(sandbox, _Desk())
        slot = desk.slots.get(name)
        if slot is None:
            if len(desk.slots) >= self.limits.terminals:
                _clear_away(desk)
            if len(desk.slots) >= self.limits.terminals:
                raise wire.Bad(wire.TOO_MANY, "this lab has too many terminals open")
            slot = desk.slots[name] = _Slot()
        if slot.run is not None and slot.run.ended_at is None:
            return slot.run
        if slot.opening is None:
            label = machines.get(choice.machine)
            if label is None:
                raise places.NoSuchMachine(choice.machine)
            opening = self._open(sandbox, slot, label, choice.command, size)
            slot.opening = asyncio.ensure_future(opening)
            slot.opening.add_done_callback(functools.partial(_opened, slot))
        run = await asyncio.shield(slot.opening)
        self.check_alive(sandbox)
        return run

    async def _open(
        self,
        sandbox: str,
        slot: _Slot,
        label: str,
        command: tuple[str, ...] | None,
        size: tuple[int, int],
    ) -> terminals.Run:
        terminal = await self.blocking(lambda: self.at(label).terminal(command, *size))
        if sandbox in self._ended:
            await self.blocking(terminal.close)
            raise wire.Bad(wire.SANDBOX_ENDED, self._ended[sandbox])
        telling = terminals.Telling(
            functools.partial(self.typed, sandbox),
            functools.partial(self._over, sandbox),
            self._now,
        )
        run = terminals.Run(terminal, self._new_id(), size, self.limits, telling)
        before, slot.run = slot.run, run
        if before is not None:
            before.close_viewers(wire.RESTARTED, "a new program was started; connect again")
        self._tell_shells(sandbox)
        return run

    def _tell_shells(self, sandbox: str) -> None:
        """Let all who look know the further shells there are: who watches cannot guess them."""
        desk = self._desks.get(sandbox)
        if desk is None:
            return
        runs = {name: slot.run for name, slot in desk.slots.items() if slot.run is not None}
        live = sorted(name for name, run in runs.items() if run.ended_at is None)
        further = tuple(name for name in live if tickets.another_shell(name) is not None)
        if further != desk.shells:
            desk.shells = further
            for run in runs.values():
                run.tell(_shells_event(desk))

    # --- keeping ---------------------------------------------------------------------------
    def typed(self, sandbox: str) -> None:
        """A person did something in this sandbox just now."""
        if sandbox not in self._ended:
            self._desks.setdefault(sandbox, _Desk()).last_input_at = self._now()

    def check_alive(self, sandbox: str) -> None:
        """Raises wire.Bad if the sandbox has ended."""
        words = self._ended.get(sandbox)
        if words is not None:
            raise wire.Bad(wire.SANDBOX_ENDED, words)

    def welcome(self, sandbox: str, guest: Guest) -> None:
        """Remember a connection that is to end with its sandbox. Raises wire.Bad."""
        self.check_alive(sandbox)
        desk = self._desks.setdefault(sandbox, _Desk())
        if len(desk.guests) >= self.limits.guests:
            raise wire.Bad(wire.TOO_MANY, "too many connections to this lab")
        desk.guests.append(guest)

    def farewell(self, sandbox: str, guest: Guest) -> None:
        """Forget a connection; safe to repeat."""
        desk = self._desks.get(sandbox)
        if desk is not None and guest in desk.guests:
            desk.guests.remove(guest)

    def heartbeat(self, sandbox: str) -> Heartbeat:
        """How a sandbox is used now. May be called from any thread."""
        desk = self._desks.get(sandbox)
        if desk is None:
            return Heartbeat(None, 0, 0)
        runs = [slot.run for slot in list(desk.slots.values()) if slot.run is not None]
        live = [run for run in runs if run.ended_at is None]
        return Heartbeat(desk.last_input_at, sum(len(run.viewers) for run in runs), len(live))

    def glance(self, sandbox: str) -> str:
        """The last line on the terminal that was used last. May be called from any thread."""
        desk = self._desks.get(sandbox)
        slots = list(desk.slots.values()) if desk is not None else []
        runs = [slot.run for slot in slots if slot.run is not None]
        if not runs:
            return ""
        latest = max(runs, key=lambda run: run.typed_at)
        return glances.last_line(latest.ring.tail(glances.LOOK_BACK_BYTES))

    @property
    def sandboxes(self) -> tuple[str, ...]:
        """Those with something open."""
        return tuple(self._desks)

    # --- ending ----------------------------------------------------------------------------
    def finish(self, sandbox: str, name: str, run: terminals.Run) -> None:
        """End one more shell that a person has opened. Raises wire.Bad for the lab's own."""
        if tickets.another_shell(name) is None:
            raise wire.Bad(wire.BAD_MESSAGE, "the terminals of the lab stay")
        run.finish()
        desk = self._desks.get(sandbox)
        if desk is not None and name in desk.slots and desk.slots[name].run is run:
            del desk.slots[name]

    async def end(self, sandbox: str, words: str) -> None:
        """End every program and connection of a sandbox; later attaches are told the reason."""
        self._ended[sandbox] = words
        self._ended.move_to_end(sandbox)
        while len(self._ended) > _ENDED_REMEMBERED:
            self._ended.popitem(last=False)
        desk = self._desks.pop(sandbox, None)
        if desk is None:
            return
        for guest in list(desk.guests):
            guest.close(wire.SANDBOX_ENDED, words)
        waits = []
        for slot in desk.slots.values():
            run = slot.run
            if run is None:
                continue
            run.close_viewers(wire.SANDBOX_ENDED, words)
            if run.ended_at is None:
                run.stop()
                waits.append(self.blocking(run.hang_up))
        for fault in await asyncio.gather(*waits, return_exceptions=True):
            if fault is not None:
                _logger.warning("a terminal of %s did not close: %s", sandbox, fault)

    async def close(self) -> None:
        """End everything; the agent goes away."""
        await asyncio.gather(*(self.end(name, "the agent stops") for name in self.sandboxes))
        await asyncio.gather(*self._closing, return_exceptions=True)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _over(self, sandbox: str, run: terminals.Run) -> None:
        self._tell_shells(sandbox)
        closing = asyncio.ensure_future(self.blocking(run.hang_up))
        self._closing.add(closing)
        closing.add_done_callback(self._hung_up)

    def _hung_up(self, closing: asyncio.Future[None]) -> None:
        self._closing.discard(closing)
        if not closing.cancelled() and closing.exception() is not None:
            _logger.warning("a terminal did not close: %s", closing.exception())


def _shells_event(desk: _Desk) -> dict[str, Any]:
    return {"type": "shells", "names": desk.shells}


def _clear_away(desk: _Desk) -> None:
    """Make room: further shells that have ended and that nobody looks at."""
    for name, slot in list(desk.slots.items()):
        over = slot.opening is None and slot.run is not None and slot.run.ended_at is not None
        if over and slot.run and not slot.run.viewers and tickets.another_shell(name) is not None:
            del desk.slots[name]


def _opened(slot: _Slot, opening: asyncio.Task[terminals.Run]) -> None:
    slot.opening = None
    if not opening.cancelled():
        opening.exception()  # whoever waits hears of it; when nobody waits, it is no news
